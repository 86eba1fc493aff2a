//! `POST /logout`: signs out.

use freehold_domain::Error;
use freehold_http::credentials::bearer;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, session_cookie, site};
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

#[derive(Default, Deserialize)]
struct Wire {
    refresh_token: Option<String>,
}

#[derive(Serialize)]
struct SignedOut {
    ended: bool,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move { answer::of(logout(app, &request).await) })
}

async fn logout(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    site::check(request, &app.config)?;
    let Wire { refresh_token } = body::json_or_nothing(request)?;
    if refresh_token.is_some() {
        site::refuse_browsers(request)?;
    }
    let refresh_tokens: Vec<&str> = refresh_token.as_deref().into_iter().chain(session_cookie::read(request)).collect();
    let ended = flow::logout(app, &refresh_tokens, bearer(request)).await?;
    Ok(session_cookie::clear(answer::json(StatusCode::OK, &SignedOut { ended })?))
}
