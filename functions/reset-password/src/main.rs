//! Runs the function in Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    freehold_http::serve(
        |environment| {
            Box::pin(async move {
                Ok(environment
                    .app()
                    .with_hashing(1)
                    .with_triggers(|| environment.lambda())
                    .with_secrets(environment.secrets().await?))
            })
        },
        reset_password::handle,
    )
}
