//! Runs the function in Lambda.

use std::process::ExitCode;

fn main() -> ExitCode {
    freehold_http::serve_events(|environment| Box::pin(async move { Ok(environment.app()) }), erase_accounts::handle)
}
