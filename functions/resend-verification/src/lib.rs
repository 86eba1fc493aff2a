//! `POST /verify-email/resend`: sends another mail to an address that waits to be verified.

use std::collections::BTreeMap;

use freehold_domain::Error;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, caller};
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Deserialize;

#[derive(Deserialize)]
struct Wire {
    email: Option<String>,
    client_metadata: Option<BTreeMap<String, String>>,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move { answer::of(resend(app, &request).await) })
}

async fn resend(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { email, client_metadata } = body::json(request)?;
    let email = body::sendable(email.as_deref())?;
    flow::resend_verification(app, &email, &caller(request, client_metadata)).await?;
    answer::message(StatusCode::ACCEPTED, "If the address waits to be verified, a mail is on its way.")
}
