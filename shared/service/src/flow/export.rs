//! All that is stored of a person.

use freehold_domain::challenge::Challenge;
use freehold_domain::session::Session;
use freehold_domain::user::User;
use freehold_domain::{Error, Timestamp};
use futures::future::{BoxFuture, try_join};

use super::authenticate;
use crate::App;
use crate::store::Stored;

/// What is stored of a person, without what is a secret.
pub struct Export {
    /// The account.
    pub user: User,
    /// Sessions, those that have ended and are not deleted yet among them.
    pub sessions: Vec<Session>,
    /// Mails that wait for an answer.
    pub challenges: Vec<Challenge>,
    /// How many guesses in a row at the password or a code failed, and when the last did.
    pub guesses: Option<(u32, Timestamp)>,
}

/// Everything that is stored of the user of an access token.
///
/// # Errors
/// [`Error::InvalidAccessToken`].
pub fn export<'a>(app: &'a App, bearer: &'a str) -> BoxFuture<'a, Result<Export, Error>> {
    Box::pin(async move {
        let authenticated = authenticate(app, bearer).await?;
        let user = authenticated.user();
        let (stored, guesses) = try_join(app.store.everything_of(user.id), app.store.failed_guesses(user.id)).await?;
        let Stored { sessions, challenges } = stored;
        Ok(Export { user: user.clone(), sessions, challenges, guesses })
    })
}
