//! Knowing the password of the account that one is signed in to.

use std::sync::Arc;

use freehold_crypto::password::Verdict;
use freehold_domain::password::Password;
use freehold_domain::{Error, UserId};
use futures::future::try_join;

use super::guessing::guessed_right;
use crate::App;
use crate::store::{Credentials, GuessedAt};

/// The credentials of a user, for whoever knows the password. A guess counts like one at a sign-in.
pub(super) async fn credentials_by_password(app: &App, user: UserId, password: Password) -> Result<Credentials, Error> {
    let guessed_at = GuessedAt::User(user);
    let counted = Box::pin(app.store.count_guess_at(&guessed_at, app.clock.now()));
    let (stored, ()) = try_join(app.store.credentials(user), counted).await?;
    let stored = stored.ok_or(Error::InvalidAccessToken)?;
    if app.hasher()?.verify(&Arc::new(password), stored.password_hash.clone()).await? == Verdict::Wrong {
        return Err(Error::InvalidCredentials);
    }
    guessed_right(app, &guessed_at).await;
    Ok(stored)
}
