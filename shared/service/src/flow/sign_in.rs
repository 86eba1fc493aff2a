//! What every way of signing in ends with.

use std::sync::Arc;

use freehold_crypto::password::Verdict;
use freehold_domain::password::Password;
use freehold_domain::refresh_token::RefreshToken;
use freehold_domain::session::{Device, Factor, Session};
use freehold_domain::settings::Settings;
use freehold_domain::token_customization::TokenCustomization;
use freehold_domain::trigger::Metadata;
use freehold_domain::user::{Status, User};
use freehold_domain::{Error, SessionId};
use futures::future::join;

use super::SessionToken;
use super::guessing::guessed_right;
use super::issue_tokens::access_token;
use crate::App;
use crate::store::{Credentials, GuessedAt};
use crate::triggers::{TokenOccasion, post_authentication, pre_token_generation};

/// What a sign-in gives.
pub struct SignedIn {
    /// The access token.
    pub access_token: String,
    /// The refresh token of the new session.
    pub session_token: SessionToken,
}

/// Somebody who has shown who they are.
pub(super) struct Proven {
    /// Who it is.
    pub(super) user: User,
    /// Their secrets.
    pub(super) credentials: Credentials,
    /// By what they showed it.
    pub(super) factors: Vec<Factor>,
    /// Where.
    pub(super) device: Device,
    /// What their client hands to the triggers that follow.
    pub(super) client_metadata: Option<Metadata>,
}

/// Begins a session.
pub(super) async fn sign_in(app: &App, settings: &Settings, proven: Proven) -> Result<SignedIn, Error> {
    let Proven { user, credentials, factors, device, client_metadata } = proven;
    let guessed_at = GuessedAt::User(user.id);
    if credentials.generation != user.generation {
        // The password was changed while the account was read, or the sessions were ended.
        return Err(Error::unavailable("an account changed while somebody signed in"));
    }
    let customization = match let_in(app, &user, client_metadata.as_ref()).await {
        Ok(customization) => customization,
        Err(refused) => {
            // Whoever has shown who they are makes nobody pause, whatever is said to it.
            guessed_right(app, &guessed_at).await;
            return Err(refused);
        }
    };
    // The functions may have taken seconds.
    let now = app.clock.now();
    let token = RefreshToken::generate(user.id, SessionId::new(now));
    let session = Session::begin(credentials.generation, factors, &token, device, settings);
    // Whatever may fail does so before the session is written: a sign-in that is not answered leaves none behind.
    let access_token =
        access_token(app, &user, &credentials, (session.id, &session.factors), customization, now).await?;
    let session_token = SessionToken::new(app, &token, session.expires_at, now)?;
    let (begun, ()) = join(app.store.begin_session(&session), guessed_right(app, &guessed_at)).await;
    begun?;
    Ok(SignedIn { access_token, session_token })
}

/// Whether the account is one to sign in to, and what its owner's functions say.
async fn let_in(app: &App, user: &User, client_metadata: Option<&Metadata>) -> Result<TokenCustomization, Error> {
    match user.status {
        Status::Unverified => return Err(Error::EmailNotVerified),
        Status::ResetRequired => return Err(Error::PasswordResetRequired),
        Status::Confirmed | Status::Verified => {}
    }
    post_authentication(app, user, client_metadata).await?;
    pre_token_generation(app, TokenOccasion::SignIn, user, client_metadata).await
}

/// The account, if the password is its own. A hash that is weaker than a new one would be is replaced. Where there is no
/// account it costs as much.
pub(super) async fn check_password(
    app: &App,
    account: Option<(User, Credentials)>,
    password: &Arc<Password>,
) -> Result<(User, Credentials), Error> {
    let hasher = app.hasher()?;
    let Some((user, credentials)) = account else {
        hasher.hash(password).await?;
        return Err(Error::InvalidCredentials);
    };
    let stored = &credentials.password_hash;
    match hasher.verify(password, stored.clone()).await? {
        Verdict::Wrong => return Err(Error::InvalidCredentials),
        Verdict::Right { outdated: false } => {}
        Verdict::Right { outdated: true } => {
            let stronger = hasher.hash(password).await?;
            app.store.strengthen(user.id, stored, &stronger).await?;
        }
    }
    Ok((user, credentials))
}
