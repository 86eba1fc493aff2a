//! Choosing another password by a mail, without knowing the old one.

use std::sync::Arc;

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::language::Language;
use freehold_domain::mail::Notification;
use freehold_domain::password::Password;
use freehold_domain::user::User;
use futures::future::BoxFuture;

use super::challenge::{Answer, answered_challenge};
use super::guessing::guessed_right;
use super::new_password::{new_password, notice};
use crate::App;
use crate::store::{GuessedAt, Reset};

/// How often a reset looks again at an account that changed while it looked: so often that a thief who ends sessions without
/// pause, and so changes it, does not win each time.
const MAX_LOOKS: usize = 20;

/// Puts another password in the place of the account's, and a new key pair with it. Every session ends, and a mail says so.
/// It signs nobody in: whoever has a second factor still needs it.
///
/// # Errors
/// [`Error::InvalidAnswer`].
pub fn reset_password<'a>(
    app: &'a App,
    answer: &'a Answer,
    password: Password,
    language: Option<Language>,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = answered_challenge(app, Purpose::ResetPassword, answer).await?;
        // What takes long comes first: whoever ends sessions without pause gets in between reads and writes seldom.
        let (credentials, public_key) = new_password(app, challenge.user, &Arc::new(password)).await?;
        let mut reset = Reset { challenge, credentials, public_key };
        for _ in 0..MAX_LOOKS {
            let user = app.store.user(reset.challenge.user).await?.filter(|user| user.email == reset.challenge.email);
            let user =
                User { public_key: reset.public_key.clone(), ..user.ok_or(Error::InvalidAnswer)?.next_generation() };
            reset.credentials.generation = user.generation;
            let mail = notice(app, &user, Notification::PasswordChanged, language);
            if app.store.reset_password(&reset, &user, &mail, app.clock.now()).await? {
                // Strangers who guess make pauses, which the owner of the mailbox ends.
                guessed_right(app, &GuessedAt::User(user.id)).await;
                return Ok(());
            }
        }
        Err(Error::unavailable("an account changed each time that its password was reset"))
    })
}
