//! Choosing another password by a mail, without knowing the old one.

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::mail::Notification;
use freehold_domain::password::ChosenPassword;
use freehold_domain::password_policy::Person;
use freehold_domain::user::{Status, User};
use futures::future::BoxFuture;

use super::MAX_LOOKS_BESIDE_A_THIEF;
use super::challenge::{Answer, Caller, answered_challenge};
use super::guessing::guessed_right;
use super::new_password::{accepted, new_credentials, notice};
use crate::App;
use crate::store::GuessedAt;
use crate::triggers::{Confirmed, post_confirmation};

/// Puts another password in the place of the account's, and a new key pair with it. Every session ends, and a mail says so.
/// It signs nobody in: whoever has a second factor still needs it.
///
/// # Errors
/// [`Error::InvalidAnswer`]; [`Error::InvalidFields`], where the password breaks a rule; [`Error::TriggerRefused`] and
/// [`Error::TriggerFailed`], after it was set.
pub fn reset_password<'a>(
    app: &'a App,
    answer: &'a Answer,
    chosen: ChosenPassword,
    caller: &'a Caller,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let settings = app.settings().await?;
        // A weak password costs no guess at the code. Whose it is to be, and whether it was in a leak, is asked afterwards,
        // and does cost one.
        if let Answer::Code { email, .. } = answer {
            let person = Person { email: Some(email), name: None };
            let checked = settings.passwords.check(&chosen, person, settings.appearance.product.as_ref());
            checked.map_err(|error| Error::InvalidFields(vec![error]))?;
        }
        let challenge = answered_challenge(app, Purpose::ResetPassword, answer).await?;
        let user = app.store.user(challenge.user).await?.filter(|user| user.email == challenge.email);
        let user = user.ok_or(Error::InvalidAnswer)?;
        let accepted = accepted(app, &settings, chosen, Person::of(&user)).await;
        if accepted.is_err() {
            // Whoever answered rightly makes nobody pause.
            guessed_right(app, &GuessedAt::User(user.id)).await;
        }
        let password = accepted?;
        // What takes long comes first: whoever ends sessions without pause gets in between reads and writes seldom.
        let new = new_credentials(app, challenge.user, &password).await?;
        for _ in 0..MAX_LOOKS_BESIDE_A_THIEF {
            let user = app.store.user(challenge.user).await?.filter(|user| user.email == challenge.email);
            let user = user.ok_or(Error::InvalidAnswer)?.next_generation();
            let user = User { public_key: new.public_key.clone(), ..user };
            let (credentials, now) = (new.since(user.generation), app.clock.now());
            let mail = notice(app, &user, Notification::PasswordChanged, caller.language);
            if app.store.reset_password(&challenge, &user, &credentials, &mail, now).await? {
                // Strangers who guess make pauses, which the owner of the mailbox ends.
                guessed_right(app, &GuessedAt::User(user.id)).await;
                let (user, metadata) = (User { status: Status::Verified, ..user }, caller.client_metadata.as_ref());
                return post_confirmation(app, Confirmed::ForgotPassword, &user, metadata).await;
            }
        }
        Err(Error::unavailable("an account changed each time that its password was reset"))
    })
}
