//! Showing that an address is one's own.

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use futures::future::BoxFuture;

use super::challenge::{Answer, answered_challenge};
use super::guessing::guessed_right;
use crate::App;
use crate::store::GuessedAt;

/// Verifies the account's address, once.
///
/// # Errors
/// [`Error::InvalidAnswer`].
pub fn verify_email<'a>(app: &'a App, answer: &'a Answer) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = answered_challenge(app, Purpose::VerifyEmail, answer).await?;
        app.store.verify(&challenge, app.clock.now()).await?;
        guessed_right(app, &GuessedAt::User(challenge.user)).await;
        Ok(())
    })
}
