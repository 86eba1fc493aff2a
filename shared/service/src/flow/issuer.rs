//! A user as an issuer of tokens.

use freehold_domain::user::User;
use freehold_domain::{Error, UserId};
use futures::future::BoxFuture;

use crate::App;

/// The user whose public key verifies their tokens.
///
/// # Errors
/// [`Error::NotFound`].
pub fn issuer(app: &App, user: UserId) -> BoxFuture<'_, Result<User, Error>> {
    Box::pin(async move { app.store.user(user).await?.ok_or(Error::NotFound) })
}
