//! `POST /password/forgot`: mails whoever forgot a password a way back in.

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
    Box::pin(async move { answer::of(forgot(app, &request).await) })
}

async fn forgot(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { email } = body::json(request)?;
    flow::forgot_password(app, &body::sendable(email.as_deref())?, language(request)).await?;
    answer::message(StatusCode::ACCEPTED, "If an account has this address, a mail is on its way.")
}
