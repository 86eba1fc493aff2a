//! Runs the function in Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    freehold_http::serve_events(
        |environment| {
            Box::pin(async move {
                Ok(environment
                    .app()
                    .with_secrets(environment.secrets().await?)
                    .with_mail(environment.ses(), environment.sqs()))
            })
        },
        send_mail::handle,
    )
}
