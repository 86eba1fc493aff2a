//! Taking a change of address back, by the mail to the address until then.

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::language::Language;
use freehold_domain::mail::Notification;
use freehold_domain::password::ChosenPassword;
use freehold_domain::password_policy::Person;
use freehold_domain::user::{Status, User};
use futures::future::{BoxFuture, try_join};

use super::MAX_LOOKS_BESIDE_A_THIEF;
use super::challenge::{Link, linked_challenge};
use super::guessing::guessed_right;
use super::new_password::{accepted, new_credentials, notice};
use crate::App;
use crate::store::{EmailChangeUndone, GuessedAt};

/// Gives an account back to the address that it had, with another password and a new key pair: whoever changed the address
/// knew the old ones. Every session ends, and a deletion that was asked for is off.
///
/// # Errors
/// [`Error::InvalidAnswer`]; [`Error::InvalidFields`], where the password breaks a rule.
pub fn undo_email_change<'a>(
    app: &'a App,
    link: &'a Link,
    chosen: ChosenPassword,
    language: Option<Language>,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let (challenge, settings) =
            try_join(linked_challenge(app, Purpose::UndoEmailChange, link), app.settings()).await?;
        let user = app.store.user(challenge.user).await?.ok_or(Error::InvalidAnswer)?;
        let person = Person { email: Some(&challenge.email), name: user.name.as_ref() };
        let password = accepted(app, &settings, chosen, person).await?;
        let new = new_credentials(app, challenge.user, &password).await?;
        for _ in 0..MAX_LOOKS_BESIDE_A_THIEF {
            let user = app.store.user(challenge.user).await?.filter(|user| user.status == Status::Verified);
            let user = user.ok_or(Error::InvalidAnswer)?.next_generation();
            let user = User { public_key: new.public_key.clone(), ..user };
            let restored = User { email: challenge.email.clone(), ..user.clone() };
            let undone = EmailChangeUndone {
                challenge: challenge.clone(),
                credentials: new.since(user.generation),
                mails: [
                    notice(app, &restored, Notification::PasswordChanged, language),
                    notice(app, &user, Notification::EmailChangeUndone, language),
                ],
                user,
            };
            if app.store.undo_email_change(&undone, app.clock.now()).await? {
                guessed_right(app, &GuessedAt::User(challenge.user)).await;
                return Ok(());
            }
        }
        Err(Error::unavailable("an account changed each time that its address was to be changed back"))
    })
}
