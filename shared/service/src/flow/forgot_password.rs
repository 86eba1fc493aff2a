//! Asking for a way back in.

use freehold_domain::Error;
use freehold_domain::challenge::OnDemand;
use freehold_domain::email::Email;
use freehold_domain::language::Language;
use freehold_domain::user::Status;
use futures::future::BoxFuture;

use super::challenge::send_on_demand;
use crate::App;

/// Sends an address a mail by which its owner chooses another password, if a verified account has it.
///
/// # Errors
/// None but those of a table that does not answer.
pub fn forgot_password<'a>(
    app: &'a App,
    email: &'a Email,
    language: Option<Language>,
) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(send_on_demand(app, OnDemand::ResetPassword, email, language, |user| user.status == Status::Verified))
}
