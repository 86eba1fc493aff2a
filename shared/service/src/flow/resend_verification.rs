//! Asking for another mail.

use freehold_domain::Error;
use freehold_domain::challenge::OnDemand;
use freehold_domain::email::Email;
use freehold_domain::user::Status;
use futures::future::BoxFuture;

use super::challenge::{Caller, send_on_demand};
use crate::App;

/// Sends another mail to an address that waits to be verified.
///
/// # Errors
/// None but those of a table that does not answer.
pub fn resend_verification<'a>(app: &'a App, email: &'a Email, caller: &'a Caller) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(send_on_demand(app, OnDemand::VerifyEmail, email, caller, Status::may_be_verified))
}
