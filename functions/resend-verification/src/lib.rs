//! `POST /verify-email/resend`: sends another mail to an address that waits to be verified.

use freehold_domain::Error;
use freehold_domain::email::Email;
use freehold_domain::error::{FieldCode, FieldError};
use freehold_http::{Body, Request, Response, StatusCode, answer, body};
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
    let email = Email::parse(&email.unwrap_or_default()).ok_or_else(|| {
        let detail = "This is not a mail address that can be sent to.";
        Error::InvalidFields(vec![FieldError::new("email", FieldCode::InvalidEmail, detail)])
    })?;
    flow::resend_verification(app, &email).await?;
    answer::message(StatusCode::ACCEPTED, "If the address waits to be verified, a mail is on its way.")
}
