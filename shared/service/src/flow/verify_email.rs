//! Showing that an address is one's own.

use freehold_domain::Error;
use freehold_domain::challenge::{Challenge, Purpose};
use freehold_domain::trigger::{Metadata, Trigger};
use freehold_domain::user::{Status, User};
use futures::future::BoxFuture;

use super::challenge::{Answer, answered_challenge};
use super::guessing::guessed_right;
use crate::App;
use crate::store::GuessedAt;
use crate::triggers::{Confirmed, post_confirmation};

/// Whether the reader of the mail may still say that it was not them: not of an account that is in use already, since a function
/// of the owner's vouched for its user.
///
/// # Errors
/// None but those of a table that does not answer.
pub fn may_be_cancelled<'a>(app: &'a App, challenge: &'a Challenge) -> BoxFuture<'a, Result<bool, Error>> {
    Box::pin(async move {
        let user = app.store.user(challenge.user).await?;
        Ok(user.is_some_and(|user| user.status == Status::Unverified))
    })
}

/// Verifies the account's address, once.
///
/// # Errors
/// [`Error::InvalidAnswer`]; [`Error::TriggerRefused`] and [`Error::TriggerFailed`], after it was verified.
pub fn verify_email<'a>(
    app: &'a App,
    answer: &'a Answer,
    client_metadata: Option<&'a Metadata>,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = answered_challenge(app, Purpose::VerifyEmail, answer).await?;
        let user =
            if app.has_trigger(Trigger::PostConfirmation) { app.store.user(challenge.user).await? } else { None };
        app.store.verify(&challenge, app.clock.now()).await?;
        guessed_right(app, &GuessedAt::User(challenge.user)).await;
        match user {
            // One that is confirmed already was told of when it was.
            Some(user) if user.status == Status::Unverified => {
                let verified = User { status: Status::Verified, ..user };
                post_confirmation(app, Confirmed::SignUp, &verified, client_metadata).await
            }
            Some(_) | None => Ok(()),
        }
    })
}
