//! Runs the function in Lambda.

use std::process::ExitCode;

use freehold_http::serve_events;
use freehold_service::{App, Environment, StartError};

fn main() -> ExitCode {
    serve_events(|environment| Box::pin(assemble(environment)), send_mail::handle)
}

async fn assemble(environment: Environment) -> Result<App, StartError> {
    let app = environment.app().with_triggers(|| environment.lambda()).with_custom_sender(|| environment.kms());
    let app = app.with_secrets(environment.secrets().await?);
    app.with_mail(environment.ses(), environment.sqs())
}
