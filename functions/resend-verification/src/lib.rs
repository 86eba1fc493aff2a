//! `POST /verify-email/resend`: sends another mail to an address that waits to be verified.

use freehold_domain::Error;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, language};
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Deserialize;

#[derive(Deserialize)]
struct Wire {
    email: Option<String>,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move { answer::of(resend(app, &request).await) })
}

async fn resend(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { email } = body::json(request)?;
    flow::resend_verification(app, &body::sendable(email.as_deref())?, language(request)).await?;
    answer::message(StatusCode::ACCEPTED, "If the address waits to be verified, a mail is on its way.")
}
