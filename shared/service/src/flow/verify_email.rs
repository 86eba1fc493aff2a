//! Showing that an address is one's own.

use freehold_domain::verification::{Challenge, VerificationToken};
use freehold_domain::{Error, UserId};
use futures::future::BoxFuture;

use crate::App;

/// What a mailed link carries.
pub struct Input {
    /// The account.
    pub user: UserId,
    /// The token that was mailed.
    pub token: VerificationToken,
}

impl Input {
    /// Reads what a link or a form carries. What is no token of ours is refused like one that is no longer valid.
    ///
    /// # Errors
    /// [`Error::InvalidVerificationToken`].
    pub fn parse(user: &str, token: &str) -> Result<Self, Error> {
        let user = UserId::parse(user).ok_or(Error::InvalidVerificationToken)?;
        let token = VerificationToken::parse(token).ok_or(Error::InvalidVerificationToken)?;
        Ok(Self { user, token })
    }
}

/// Verifies the account's address, once.
///
/// # Errors
/// [`Error::InvalidVerificationToken`].
pub fn verify_email<'a>(app: &'a App, input: &'a Input) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = answered_challenge(app, input).await?;
        app.store.verify(&challenge, app.clock.now()).await
    })
}

/// What a link would do: nothing is consumed by looking, since programs that scan mail follow every link.
///
/// # Errors
/// [`Error::InvalidVerificationToken`].
pub fn answered_challenge<'a>(app: &'a App, input: &'a Input) -> BoxFuture<'a, Result<Challenge, Error>> {
    Box::pin(async move {
        let challenge = app.store.challenge(input.user).await?;
        challenge
            .filter(|challenge| challenge.is_answered_by(&input.token, app.clock.now()))
            .ok_or(Error::InvalidVerificationToken)
    })
}
