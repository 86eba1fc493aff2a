//! What a sign-in and a refresh hand out.

use std::time::Duration;

use freehold_crypto::jwt::Signer;
use freehold_crypto::key_pair::PrivateKeyPem;
use freehold_domain::envelope::SealedFor;
use freehold_domain::refresh_token::RefreshToken;
use freehold_domain::session::Factor;
use freehold_domain::token_customization::TokenCustomization;
use freehold_domain::user::User;
use freehold_domain::{Error, SessionId, Timestamp, access_token};

use crate::App;
use crate::store::Credentials;

/// A refresh token to hand out, and how long its session lives unless it is refreshed.
pub struct SessionToken {
    /// The token, as its owner gets it.
    pub text: String,
    /// The session's remaining life.
    pub lifetime: Duration,
}

impl SessionToken {
    pub(super) fn new(app: &App, token: &RefreshToken, expires_at: Timestamp, now: Timestamp) -> Result<Self, Error> {
        let text = app.secrets()?.expose(&app.config.pool, token);
        Ok(Self { text, lifetime: expires_at.since(now) })
    }
}

/// An access token for a user's session, as the owner's function wants it, signed with the user's own key.
pub(super) async fn access_token(
    app: &App,
    user: &User,
    credentials: &Credentials,
    session: (SessionId, &[Factor]),
    customization: TokenCustomization,
    now: Timestamp,
) -> Result<String, Error> {
    let config = &app.config;
    let item = SealedFor::PrivateKey(user.id);
    let private_key = app.secrets()?.open(&config.pool, item, &credentials.sealed_private_key).await?;
    let claims = access_token::claims(user, session, &config.issuers, &config.pool, &config.audience, now);
    let claims = customization.apply(claims);
    let signer = PrivateKeyPem::from_opened(&private_key).and_then(|key| Signer::new(&key, &user.public_key));
    let signer = signer.map_err(|error| Error::internal(error.to_string()))?;
    signer.sign(&claims).map_err(|error| Error::internal(error.to_string()))
}
