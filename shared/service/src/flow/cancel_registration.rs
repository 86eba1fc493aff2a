//! "This was not me".

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use futures::future::BoxFuture;

use super::challenge::{Link, linked_challenge};
use crate::App;

/// Deletes an account that somebody made with an address that is not theirs, while it is unverified.
///
/// # Errors
/// [`Error::InvalidAnswer`].
pub fn cancel_registration<'a>(app: &'a App, link: &'a Link) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = linked_challenge(app, Purpose::VerifyEmail, link).await?;
        app.store.cancel(&challenge, app.clock.now()).await
    })
}
