//! `GET /me`: who the access token is of. `PATCH /me`: what they say of themselves. `GET /me/export`: what is stored of
//! them.

mod export;

use freehold_domain::Error;
use freehold_domain::attributes::Changes;
use freehold_domain::name::DisplayName;
use freehold_domain::user::{Role, User};
use freehold_http::attributes::{WireAttributes, WireChanges};
use freehold_http::credentials::bearer;
use freehold_http::{Body, Request, RequestExt as _, Response, StatusCode, answer, body};
use freehold_service::flow::update_profile::Input;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::{Deserialize, Deserializer, Serialize};

#[derive(Serialize)]
struct Me<'a> {
    user_id: String,
    email: &'a str,
    email_verified: bool,
    name: Option<&'a str>,
    attributes: WireAttributes,
    roles: Vec<&'a str>,
    created_at: String,
    deletion_at: Option<String>,
}

impl<'a> TryFrom<&'a User> for Me<'a> {
    type Error = Error;

    fn try_from(user: &'a User) -> Result<Self, Error> {
        Ok(Self {
            user_id: user.id.to_string(),
            email: user.email.as_str(),
            email_verified: user.status.is_email_verified(),
            name: user.name.as_ref().map(DisplayName::as_str),
            attributes: (&user.attributes).into(),
            roles: user.roles.iter().map(Role::as_str).collect(),
            created_at: answer::rfc3339(user.id.created_at())?,
            deletion_at: user.deletion_at.map(answer::rfc3339).transpose()?,
        })
    }
}

#[derive(Deserialize)]
struct Wire {
    #[expect(clippy::option_option, reason = "absent, it stays; null, it goes; a text, it is that")]
    #[serde(default, deserialize_with = "present")]
    name: Option<Option<String>>,
    attributes: Option<WireChanges>,
}

#[expect(clippy::option_option, reason = "absence is told from null")]
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn complete(Wire { name, attributes }: Wire) -> Result<Input, Error> {
    let name = name.map(|name| name.as_deref().map(body::name).transpose()).transpose();
    let name = name.map_err(|refused| Error::InvalidFields(vec![refused]))?;
    Ok(Input { name, attributes: Changes::from(attributes.unwrap_or_default()) })
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        answer::of(if request.method() == "PATCH" {
            change(app, &request).await
        } else if request.raw_http_path().ends_with("/export") {
            export::export(app, &request).await
        } else {
            show(app, &request).await
        })
    })
}

async fn show(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let authenticated = flow::authenticate(app, bearer(request).ok_or(Error::InvalidAccessToken)?).await?;
    answer::json(StatusCode::OK, &Me::try_from(authenticated.user())?)
}

async fn change(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let input = complete(body::json(request)?)?;
    let user = flow::update_profile(app, bearer(request).ok_or(Error::InvalidAccessToken)?, &input).await?;
    answer::json(StatusCode::OK, &Me::try_from(&user)?)
}
