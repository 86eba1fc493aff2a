//! Choosing another password by a mail, without knowing the old one.

use std::sync::Arc;

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::mail::Notification;
use freehold_domain::password::Password;
use freehold_domain::user::User;
use futures::future::BoxFuture;

use super::challenge::{Answer, answered_challenge};
use super::guessing::guessed_right;
use super::new_password::{new_password, notice};
use crate::App;
use crate::store::{GuessedAt, Reset};

/// Puts another password in the place of the account's, and a new key pair with it. Every session ends, and a mail says so.
/// It signs nobody in: whoever has a second factor still needs it.
///
/// # Errors
/// [`Error::InvalidAnswer`].
pub fn reset_password<'a>(app: &'a App, answer: &'a Answer, password: Password) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = answered_challenge(app, Purpose::ResetPassword, answer).await?;
        let user = app.store.user(challenge.user).await?.filter(|user| user.email == challenge.email);
        let user = user.ok_or(Error::InvalidAnswer)?.next_generation();
        let (credentials, public_key) = new_password(app, user.id, user.generation, &Arc::new(password)).await?;
        let user = User { public_key, ..user };
        let mail = notice(app, &user, Notification::PasswordChanged);
        let guessed_at = GuessedAt::User(user.id);
        app.store.reset_password(&Reset { challenge, user, credentials, mail }, app.clock.now()).await?;
        // Strangers who guess make pauses, and the owner of the mailbox gets in all the same.
        guessed_right(app, &guessed_at).await;
        Ok(())
    })
}
