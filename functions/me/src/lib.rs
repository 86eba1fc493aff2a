//! `GET /me`: who the access token is of.

use freehold_domain::Error;
use freehold_domain::name::DisplayName;
use freehold_domain::user::{Role, Status};
use freehold_http::credentials::bearer;
use freehold_http::{Body, Request, Response, StatusCode, answer};
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Serialize;

#[derive(Serialize)]
struct Me<'a> {
    user_id: String,
    email: &'a str,
    email_verified: bool,
    name: Option<&'a str>,
    roles: Vec<&'a str>,
    created_at: String,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move { answer::of(me(app, &request).await) })
}

async fn me(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let authenticated = flow::authenticate(app, bearer(request).ok_or(Error::InvalidAccessToken)?).await?;
    let user = authenticated.user();
    let me = Me {
        user_id: user.id.to_string(),
        email: user.email.as_str(),
        email_verified: user.status == Status::Verified,
        name: user.name.as_ref().map(DisplayName::as_str),
        roles: user.roles.iter().map(Role::as_str).collect(),
        created_at: answer::rfc3339(user.id.created_at())?,
    };
    answer::json(StatusCode::OK, &me)
}
