//! Staying after all.

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use futures::future::BoxFuture;

use super::challenge::{Link, linked_challenge};
use crate::App;
use crate::store::Deletion;

/// Takes the deletion of an account back, by the mail that announced it. Its sessions stay ended.
///
/// # Errors
/// [`Error::InvalidAnswer`].
pub fn keep_account<'a>(app: &'a App, link: &'a Link) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = linked_challenge(app, Purpose::KeepAccount, link).await?;
        let user = app.store.user(challenge.user).await?.ok_or(Error::InvalidAnswer)?;
        let at = user.deletion_at.ok_or(Error::InvalidAnswer)?;
        if app.store.keep_account(&challenge, Deletion { user: user.id, at }, app.clock.now()).await? {
            Ok(())
        } else {
            Err(Error::unavailable("an account changed while it was to be kept"))
        }
    })
}
