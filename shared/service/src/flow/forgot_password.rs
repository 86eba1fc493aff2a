//! Asking for a way back in.

use freehold_domain::Error;
use freehold_domain::challenge::OnDemand;
use freehold_domain::email::Email;
use freehold_domain::user::Status;
use futures::future::BoxFuture;

use super::challenge::{Caller, send_on_demand};
use crate::App;

/// Sends an address a mail by which its owner chooses another password, if a verified account has it. Somebody whom the pool
/// does not know, and the owner's function does, gets an account here and now.
///
/// # Errors
/// [`Error::TriggerFailed`], and those of a table that does not answer.
pub fn forgot_password<'a>(app: &'a App, email: &'a Email, caller: &'a Caller) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(send_on_demand(app, OnDemand::ResetPassword, email, caller, Status::may_be_reset))
}
