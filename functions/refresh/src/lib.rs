//! `POST /refresh`: keeps a session alive.

use freehold_domain::Error;
use freehold_http::tokens::{self, TokenIn};
use freehold_http::{Body, Request, Response, answer, body, session_cookie, site};
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Wire {
    refresh_token: Option<String>,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        let result = refresh(app, &request).await;
        let is_over = result.as_ref().is_err_and(|error| *error == Error::InvalidRefreshToken);
        let response = answer::of(result);
        // A cookie that is good for nothing would be sent with every request that follows.
        if is_over { session_cookie::clear(response) } else { response }
    })
}

async fn refresh(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    site::check(request, &app.config)?;
    let Wire { refresh_token } = body::json_or_nothing(request)?;
    let (refresh_token, token_in) = match &refresh_token {
        Some(token) => {
            site::refuse_browsers(request)?;
            (token.as_str(), TokenIn::Body)
        }
        None => (session_cookie::read(request).ok_or(Error::InvalidRefreshToken)?, TokenIn::Cookie),
    };
    let refreshed = flow::refresh(app, refresh_token).await?;
    tokens::answer(refreshed.access_token, refreshed.session_token.as_ref(), token_in)
}
