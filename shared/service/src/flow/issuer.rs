//! A user as an issuer of tokens.

use freehold_domain::user::User;
use freehold_domain::{Error, UserId};

use crate::App;

/// The user whose public key verifies their tokens.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn issuer(app: &App, user: UserId) -> Result<User, Error> {
    app.store.user(user).await?.ok_or(Error::NotFound)
}
