//! `GET /{pool}/users/{user_id}/.well-known/...`: a user as an issuer of tokens.

use freehold_domain::user::User;
use freehold_domain::{Error, UserId};
use freehold_http::{Body, Request, RequestExt as _, Response, StatusCode, answer};
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Serialize;

/// How long verifiers may keep an answer: as long as a replaced key may still be believed elsewhere.
const MAX_AGE_SECONDS: u32 = 300;

/// The metadata of an issuer (OpenID Connect Discovery 1.0, section 3), as far as a verifier of tokens needs it: there is
/// nobody to ask for tokens but `/login`.
#[derive(Serialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
    response_types_supported: [&'static str; 0],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
}

/// A key set (RFC 7517, section 5).
#[derive(Serialize)]
struct KeySet<'a> {
    keys: [Key<'a>; 1],
}

#[derive(Serialize)]
struct Key<'a> {
    kty: &'static str,
    r#use: &'static str,
    alg: &'static str,
    kid: &'a str,
    n: &'a str,
    e: &'a str,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move { answer::of(issuer(app, &request).await) })
}

async fn issuer(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let parameters = request.path_parameters_ref();
    let parameter = |name| parameters.and_then(|parameters| parameters.first(name)).unwrap_or_default();
    if parameter("pool") != app.config.pool.as_str() {
        return Err(Error::NotFound);
    }
    let user = flow::issuer(app, UserId::parse(parameter("user_id")).ok_or(Error::NotFound)?).await?;
    let path = request.raw_http_path();
    if path.ends_with("/openid-configuration") { metadata(app, &user) } else { key_set(&user) }
}

fn metadata(app: &App, user: &User) -> Result<Response<Body>, Error> {
    let issuer = app.config.issuers.of(user.id);
    let metadata = Metadata {
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        issuer,
        response_types_supported: [],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ["RS256"],
    };
    Ok(answer::cacheable(answer::json(StatusCode::OK, &metadata)?, MAX_AGE_SECONDS))
}

fn key_set(user: &User) -> Result<Response<Body>, Error> {
    let key = &user.public_key;
    let (kid, n, e) = (key.thumbprint(), key.modulus(), key.exponent());
    let key_set = KeySet { keys: [Key { kty: "RSA", r#use: "sig", alg: "RS256", kid, n, e }] };
    Ok(answer::cacheable(answer::json(StatusCode::OK, &key_set)?, MAX_AGE_SECONDS))
}
