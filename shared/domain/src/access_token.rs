//! What an access token says.

use std::time::Duration;

use freehold_crypto::jwt::AccessTokenClaims;
use uuid::Uuid;

use crate::public_url::Issuers;
use crate::session::Factor;
use crate::user::{Role, User};
use crate::{PoolId, SessionId, Timestamp};

/// How long an access token lives.
pub const LIFETIME: Duration = Duration::from_mins(15);

/// The claims of an access token for a user's session, made at `now`.
#[must_use]
pub fn claims(
    user: &User,
    (session, factors): (SessionId, &[Factor]),
    issuers: &Issuers,
    pool: &PoolId,
    audience: &str,
    now: Timestamp,
) -> AccessTokenClaims {
    AccessTokenClaims {
        iss: issuers.of(user.id),
        sub: user.id.to_string(),
        aud: audience.to_owned(),
        client_id: pool.to_string(),
        iat: now.as_seconds(),
        exp: (now + LIFETIME).as_seconds(),
        jti: Uuid::new_v4().to_string(),
        sid: session.to_string(),
        auth_time: session.created_at().as_seconds(),
        amr: factors.iter().map(|factor| factor.as_str().to_owned()).collect(),
        roles: Some(user.roles.iter().map(Role::as_str).map(str::to_owned).collect()),
        scope: None,
        added: serde_json::Map::new(),
    }
}
