//! The Lambda authorizer of an HTTP API (payload 2.0, simple response): the check of `/me`, for other APIs.

use freehold_domain::Error;
use freehold_domain::user::Role;
use freehold_http::credentials::bearer_of;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde_json::{Value, json};

/// Answers an event.
pub fn handle(app: &App, event: Value) -> BoxFuture<'_, Result<Value, Error>> {
    Box::pin(authorize(app, event))
}

async fn authorize(app: &App, event: Value) -> Result<Value, Error> {
    // Of a header that came twice the gateway makes one value with a comma, which is no token.
    let token = event.pointer("/headers/authorization").and_then(Value::as_str).and_then(bearer_of);
    let authenticated = match token {
        Some(token) => flow::authenticate(app, token).await,
        None => Err(Error::InvalidAccessToken),
    };
    match authenticated {
        Ok(authenticated) => {
            let roles: Vec<&str> = authenticated.user().roles.iter().map(Role::as_str).collect();
            let sub = authenticated.user().id.to_string();
            let session = authenticated.session().to_string();
            Ok(json!({"isAuthorized": true, "context": {"sub": sub, "roles": roles, "session": session}}))
        }
        Err(Error::InvalidAccessToken) => Ok(json!({"isAuthorized": false, "context": {}})),
        Err(error) => Err(error),
    }
}
