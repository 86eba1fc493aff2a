//! Leaving.

use freehold_domain::challenge::{Challenge, Purpose};
use freehold_domain::language::Language;
use freehold_domain::mail::Mail;
use freehold_domain::password::Password;
use freehold_domain::{Error, Timestamp};
use futures::future::{BoxFuture, try_join};

use super::authenticate;
use super::challenge::challenge_to;
use super::current_password::credentials_by_password;
use super::erase_accounts::erase;
use crate::App;
use crate::store::Deletion;

/// What somebody who is signed in sends.
pub struct Input {
    /// The password.
    pub current_password: Password,
    /// The language that they prefer.
    pub language: Option<Language>,
}

/// Has the account of an access token deleted once the pool's days of grace are over, or at once where it has none; but not
/// before a change of its address can no longer be undone. Every session ends, and a mail says until when the account can be
/// kept. What is returned is when it goes.
///
/// # Errors
/// [`Error::InvalidAccessToken`]; [`Error::RecentLoginRequired`]; [`Error::InvalidCredentials`]; [`Error::TooManyAttempts`].
pub fn delete_account<'a>(app: &'a App, bearer: &'a str, input: Input) -> BoxFuture<'a, Result<Timestamp, Error>> {
    Box::pin(async move {
        let now = app.clock.now();
        let (authenticated, settings) = try_join(authenticate(app, bearer), app.settings()).await?;
        authenticated.require_recent_login(now)?;
        let user = authenticated.user().next_generation();
        let proven = Box::pin(credentials_by_password(app, user.id, input.current_password));
        let (_, undo) = try_join(proven, app.store.challenge(Purpose::UndoEmailChange, user.id)).await?;
        // Whoever took the account over and gave it another address cannot have it deleted before that can no longer be undone.
        let at = undo.map_or(now, |undo| undo.expires_at).max(now + settings.deletion_grace);
        let question = if at == now {
            None
        } else {
            let (challenge, mail) = challenge_to(app, Purpose::KeepAccount, &user, input.language)?;
            Some((Challenge { expires_at: at, ..challenge }, Mail { expires_at: at, ..mail }))
        };
        if !app.store.plan_deletion(&user, at, question).await? {
            return Err(Error::unavailable("an account changed while it was to be deleted"));
        }
        // What is left of it when this fails goes with the next look at what is due.
        if at == now
            && let Err(error) = erase(app, Deletion { user: user.id, at }).await
        {
            let (code, cause) = (error.code(), error.cause());
            tracing::error!(user = %user.id, code, cause, "an account waits to be deleted");
        }
        Ok(at)
    })
}
