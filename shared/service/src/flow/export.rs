//! What is stored of a person's account.

use freehold_domain::Error;
use freehold_domain::challenge::Challenge;
use freehold_domain::session::Session;
use freehold_domain::user::User;
use futures::future::{BoxFuture, try_join};

use super::authenticate;
use crate::App;
use crate::store::{FailedGuesses, Stored};

/// What is stored of a person, without what is a secret.
pub struct Export {
    /// The account.
    pub user: User,
    /// Sessions, also those that were ended all at once and have not expired.
    pub sessions: Vec<Session>,
    /// Mails that wait for an answer.
    pub challenges: Vec<Challenge>,
    /// How many guesses in a row at the password or a code failed.
    pub guesses: Option<FailedGuesses>,
}

/// What is stored of the account of an access token, but for what counts the mails to an address and the mails that wait.
///
/// # Errors
/// [`Error::InvalidAccessToken`].
pub fn export<'a>(app: &'a App, bearer: &'a str) -> BoxFuture<'a, Result<Export, Error>> {
    Box::pin(async move {
        let authenticated = authenticate(app, bearer).await?;
        let user = authenticated.user();
        let now = app.clock.now();
        let stored = app.store.everything_of(user.id, now);
        let (stored, guesses) = try_join(stored, app.store.failed_guesses(user.id, now)).await?;
        let Stored { sessions, challenges } = stored;
        Ok(Export { user: user.clone(), sessions, challenges, guesses })
    })
}
