//! "This was not me".

use freehold_domain::Error;
use futures::future::BoxFuture;

use super::verify_email::{Input, answered_challenge};
use crate::App;

/// Deletes an account that somebody made with an address that is not theirs, while it is unverified.
///
/// # Errors
/// [`Error::InvalidVerificationToken`].
pub fn cancel_registration<'a>(app: &'a App, input: &'a Input) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = answered_challenge(app, input).await?;
        app.store.cancel(&challenge, app.clock.now()).await
    })
}
