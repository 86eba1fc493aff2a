//! Where one is signed in, and ending that.

use freehold_domain::session::Session;
use freehold_domain::{Error, SessionId};
use futures::future::BoxFuture;

use super::MAX_LOOKS;
use super::authenticate;
use crate::App;

/// The sessions of a user.
pub struct Sessions {
    /// Those that have not ended, newest first, at most 100.
    pub all: Vec<Session>,
    /// The one that asks.
    pub current: SessionId,
}

/// Where the user of an access token is signed in.
///
/// # Errors
/// [`Error::InvalidAccessToken`].
pub fn sessions<'a>(app: &'a App, bearer: &'a str) -> BoxFuture<'a, Result<Sessions, Error>> {
    Box::pin(async move {
        let authenticated = authenticate(app, bearer).await?;
        let all = app.store.sessions(authenticated.user(), app.clock.now()).await?;
        Ok(Sessions { all, current: authenticated.session() })
    })
}

/// Ends one session of the user, which may be the one that asks.
///
/// # Errors
/// [`Error::InvalidAccessToken`]; [`Error::NotFound`], where the user has no such session.
pub fn end_session<'a>(app: &'a App, bearer: &'a str, session: SessionId) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let authenticated = authenticate(app, bearer).await?;
        let user = authenticated.user();
        let found = app.store.session(user.id, session, app.clock.now()).await?;
        if !found.is_some_and(|session| session.is_of(user)) {
            return Err(Error::NotFound);
        }
        app.store.end_session(user.id, session).await
    })
}

/// Ends every session of the user but the one that asks.
///
/// # Errors
/// [`Error::InvalidAccessToken`].
pub fn end_other_sessions<'a>(app: &'a App, bearer: &'a str) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        for _ in 0..MAX_LOOKS {
            let authenticated = authenticate(app, bearer).await?;
            let (user, session) = (authenticated.user().next_generation(), authenticated.session());
            if app.store.end_other_sessions(&user, session).await? {
                return Ok(());
            }
        }
        Err(Error::unavailable("an account changed each time that its sessions were ended"))
    })
}
