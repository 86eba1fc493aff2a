//! Signing in.

use std::sync::Arc;

use freehold_crypto::password::Verdict;
use freehold_domain::email::Email;
use freehold_domain::password::Password;
use freehold_domain::refresh_token::RefreshToken;
use freehold_domain::session::{Device, Session};
use freehold_domain::user::{Status, User};
use freehold_domain::{Error, SessionId, UserId};
use futures::future::{BoxFuture, join, try_join, try_join3};

use super::SessionToken;
use super::guessing::guessed_right;
use super::issue_tokens::access_token;
use crate::App;
use crate::store::{Credentials, GuessedAt};

/// Who signs in, and where.
pub struct Input {
    /// The address.
    pub email: Email,
    /// The password.
    pub password: Password,
    /// Where from.
    pub device: Device,
}

/// What a sign-in gives.
pub struct SignedIn {
    /// The access token.
    pub access_token: String,
    /// The refresh token of the new session.
    pub session_token: SessionToken,
}

/// Begins a session for whoever knows the password of an account.
///
/// # Errors
/// [`Error::InvalidCredentials`], the same and at the same cost whether nobody has the address or the password is wrong;
/// [`Error::EmailNotVerified`], after the right password alone; [`Error::TooManyAttempts`], for unknown addresses too.
pub fn login(app: &App, input: Input) -> BoxFuture<'_, Result<SignedIn, Error>> {
    Box::pin(async move {
        let now = app.clock.now();
        let (settings, claim) = try_join(app.settings(), app.store.claim(&input.email)).await?;

        // Nobody has an id that is made here and now: an unknown address reads and counts as much as a known one.
        let account = claim.and_then(|claim| claim.account());
        let id = account.unwrap_or_else(|| UserId::new(now));
        let guessed_at = account.map_or_else(|| GuessedAt::Nobody(input.email), GuessedAt::User);
        let counted = Box::pin(app.store.count_guess_at(&guessed_at, now));
        let (user, credentials, ()) = try_join3(app.store.user(id), app.store.credentials(id), counted).await?;
        let account = user.zip(credentials);
        let (user, credentials) = check_password(app, account, input.password).await?;
        if credentials.generation != user.generation {
            // The password was changed between these reads, or the sessions were ended.
            return Err(Error::unavailable("an account changed while somebody signed in"));
        }
        if user.status == Status::Unverified {
            guessed_right(app, &guessed_at).await;
            return Err(Error::EmailNotVerified);
        }

        let token = RefreshToken::generate(user.id, SessionId::new(now));
        let session = Session::begin(credentials.generation, &token, input.device, &settings);
        // Whatever may fail does so before the session is written: a sign-in that is not answered leaves none behind.
        let access_token = access_token(app, &user, &credentials, session.id, now).await?;
        let session_token = SessionToken::new(app, &token, session.expires_at, now)?;
        let (begun, ()) = join(app.store.begin_session(&session), guessed_right(app, &guessed_at)).await;
        begun?;
        Ok(SignedIn { access_token, session_token })
    })
}

/// The account, if the password is its own. A hash that is weaker than a new one would be is replaced.
async fn check_password(
    app: &App,
    account: Option<(User, Credentials)>,
    password: Password,
) -> Result<(User, Credentials), Error> {
    let (hasher, password) = (app.hasher()?, Arc::new(password));
    let Some((user, credentials)) = account else {
        hasher.hash(&password).await?;
        return Err(Error::InvalidCredentials);
    };
    let stored = &credentials.password_hash;
    match hasher.verify(&password, stored.clone()).await? {
        Verdict::Wrong => return Err(Error::InvalidCredentials),
        Verdict::Right { outdated: false } => {}
        Verdict::Right { outdated: true } => {
            let stronger = hasher.hash(&password).await?;
            app.store.strengthen(user.id, stored, &stronger).await?;
        }
    }
    Ok((user, credentials))
}
