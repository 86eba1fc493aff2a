//! "This was not me".

use freehold_domain::Error;

use super::verify_email::{Input, answered_challenge};
use crate::App;

/// Deletes an account that somebody made with an address that is not theirs, while it is unverified.
///
/// # Errors
/// [`Error::InvalidVerificationToken`].
pub async fn cancel_registration(app: &App, input: &Input) -> Result<(), Error> {
    let challenge = answered_challenge(app, input).await?;
    app.store.cancel(&challenge, app.clock.now()).await
}
