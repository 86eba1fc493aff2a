//! Choosing another password by whoever knows the old one.

use std::sync::Arc;

use freehold_crypto::password::Verdict;
use freehold_domain::Error;
use freehold_domain::language::Language;
use freehold_domain::mail::Notification;
use freehold_domain::password::Password;
use freehold_domain::user::User;
use futures::future::{BoxFuture, try_join};

use super::authenticate;
use super::guessing::guessed_right;
use super::issue_tokens::access_token;
use super::new_password::{new_password, notice};
use crate::App;
use crate::store::{Credentials, GuessedAt, NewPassword};

/// What somebody who is signed in sends.
pub struct Input {
    /// The password until now.
    pub current_password: Password,
    /// The password from now on.
    pub new_password: Password,
    /// The language that they prefer.
    pub language: Option<Language>,
}

/// Puts another password in the place of the user's, and a new key pair with it. Every other session ends, and a mail says
/// so. What is returned is an access token of the session that stays, signed with the new key.
///
/// # Errors
/// [`Error::InvalidAccessToken`]; [`Error::RecentLoginRequired`]; [`Error::InvalidCredentials`], where the current password is
/// another; [`Error::TooManyAttempts`].
pub fn change_password<'a>(app: &'a App, bearer: &'a str, input: Input) -> BoxFuture<'a, Result<String, Error>> {
    Box::pin(async move {
        let now = app.clock.now();
        let authenticated = authenticate(app, bearer).await?;
        authenticated.require_recent_login(now)?;
        let (user, session) = (authenticated.user(), authenticated.session());

        let guessed_at = GuessedAt::User(user.id);
        let (stored, ()) = try_join(app.store.credentials(user.id), app.store.count_guess_at(&guessed_at, now)).await?;
        let stored = stored.ok_or(Error::InvalidAccessToken)?;
        let current = Arc::new(input.current_password);
        if app.hasher()?.verify(&current, stored.password_hash.clone()).await? == Verdict::Wrong {
            return Err(Error::InvalidCredentials);
        }
        guessed_right(app, &guessed_at).await;
        let (credentials, public_key) = new_password(app, user.id, &Arc::new(input.new_password)).await?;
        let user = User { public_key, ..user.next_generation() };
        let credentials = Credentials { generation: user.generation, ..credentials };
        let token = access_token(app, &user, &credentials, session, now).await?;
        let mail = notice(app, &user, Notification::PasswordChanged, input.language);
        let new = NewPassword { user, session, replaces: stored.password_hash, credentials, mail };
        if app.store.change_password(&new).await? {
            Ok(token)
        } else {
            Err(Error::unavailable("an account changed while its password was changed"))
        }
    })
}
