//! `POST /login`: signs in with a password.

use freehold_domain::Error;
use freehold_domain::email::Email;
use freehold_domain::error::{FieldCode, FieldError};
use freehold_domain::password::Password;
use freehold_http::tokens::{self, TokenIn};
use freehold_http::{Body, Request, Response, answer, body, device, site};
use freehold_service::flow::login::Input;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Deserialize;

#[derive(Deserialize)]
struct Wire {
    email: Option<String>,
    password: Option<String>,
    token_in: Option<String>,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move { answer::of(login(app, &request).await) })
}

async fn login(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    site::check(request, &app.config)?;
    let (email, password, token_in) = complete(body::json(request)?)?;
    if token_in == TokenIn::Body {
        site::refuse_browsers(request)?;
    }
    // An address or a password that no account can have is refused like one that none happens to have.
    let email = Email::parse(&email).ok_or(Error::InvalidCredentials)?;
    let password = Password::attempt(&password).ok_or(Error::InvalidCredentials)?;
    let signed_in = flow::login(app, Input { email, password, device: device(request) }).await?;
    tokens::answer(signed_in.access_token, Some(&signed_in.session_token), token_in)
}

fn complete(wire: Wire) -> Result<(String, String, TokenIn), Error> {
    let missing = |field, code| FieldError::new(field, code, "This field is missing.");
    let email = wire.email.ok_or_else(|| missing("email", FieldCode::InvalidEmail));
    let password = wire.password.ok_or_else(|| missing("password", FieldCode::InvalidPassword));
    let token_in = match wire.token_in.as_deref() {
        None | Some("cookie") => Ok(TokenIn::Cookie),
        Some("body") => Ok(TokenIn::Body),
        Some(_) => Err(FieldError::new("token_in", FieldCode::InvalidTokenIn, "It is \"cookie\" or \"body\".")),
    };
    match (email, password, token_in) {
        (Ok(email), Ok(password), Ok(token_in)) => Ok((email, password, token_in)),
        (email, password, token_in) => {
            let errors = [email.err(), password.err(), token_in.err()];
            Err(Error::InvalidFields(errors.into_iter().flatten().collect()))
        }
    }
}
