//! Showing that another address is one's own, which moves the account there.

use freehold_crypto::code::Code;
use freehold_domain::Error;
use freehold_domain::challenge::{Challenge, Purpose};
use freehold_domain::language::Language;
use freehold_domain::user::Status;
use futures::future::{BoxFuture, try_join};

use super::MAX_LOOKS;
use super::authenticate;
use super::challenge::{Link, challenge_to, linked_challenge};
use super::guessing::guessed_right;
use crate::App;
use crate::store::{EmailChange, GuessedAt};

/// How somebody answers the mail.
pub enum Confirmation<'a> {
    /// With its link.
    Link(Link),
    /// With the code beside the link, signed in to the account.
    Code {
        /// The access token.
        bearer: &'a str,
        /// The code.
        code: Code,
    },
}

/// Gives an account the address that a mail was sent to. The old one is told, with a link that takes the change back.
///
/// # Errors
/// [`Error::InvalidAnswer`]; [`Error::InvalidAccessToken`] and [`Error::TooManyAttempts`] with a code; [`Error::EmailTaken`],
/// where somebody else has shown meanwhile that it is theirs; [`Error::EmailChangedRecently`]; [`Error::DeletionPending`], since
/// whoever took an account over would else be the one who is asked whether to keep it.
pub fn confirm_email<'a>(
    app: &'a App,
    confirmation: &'a Confirmation<'a>,
    language: Option<Language>,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = confirmed_challenge(app, confirmation).await?;
        for _ in 0..MAX_LOOKS {
            let now = app.clock.now();
            let (user, holder) = try_join(app.store.user(challenge.user), app.store.claim(&challenge.email)).await?;
            let user = user.filter(|user| user.status == Status::Verified).ok_or(Error::InvalidAnswer)?;
            if user.deletion_at.is_some() {
                return Err(Error::DeletionPending);
            }
            if holder.is_some_and(|holder| !holder.is_over(now)) {
                return Err(Error::EmailTaken);
            }
            let (undo, mail) = challenge_to(app, Purpose::UndoEmailChange, &user, language)?;
            let change = EmailChange { challenge: challenge.clone(), user, replaces: holder, undo, mail };
            if app.store.confirm_email(&change, now).await? {
                guessed_right(app, &GuessedAt::User(challenge.user)).await;
                return Ok(());
            }
        }
        Err(Error::unavailable("an account changed each time that its address was to be changed"))
    })
}

/// A guess at the code is counted before it is compared, against the code and against the account.
async fn confirmed_challenge(app: &App, confirmation: &Confirmation<'_>) -> Result<Challenge, Error> {
    match confirmation {
        Confirmation::Link(link) => linked_challenge(app, Purpose::ChangeEmail, link).await,
        Confirmation::Code { bearer, code } => {
            let user = authenticate(app, bearer).await?.user().id;
            let now = app.clock.now();
            app.store.count_guess_at(&GuessedAt::User(user), now).await?;
            let challenge = app.store.challenge_for_guess(Purpose::ChangeEmail, user, now).await?;
            let challenge = challenge.ok_or(Error::InvalidAnswer)?;
            let is_answer = app.secrets()?.is_answer(code, &challenge, &app.config.pool, now).await?;
            if is_answer { Ok(challenge) } else { Err(Error::InvalidAnswer) }
        }
    }
}
