//! Asking for another address.

use std::time::Duration;

use freehold_domain::challenge::Purpose;
use freehold_domain::email::Email;
use freehold_domain::error::{FieldCode, FieldError};
use freehold_domain::password::Password;
use freehold_domain::{Error, Timestamp, UserId};
use futures::future::{BoxFuture, try_join};

use super::authenticate;
use super::challenge::{Caller, challenge_by_mail, with_metadata};
use super::current_password::credentials_by_password;
use crate::App;

/// What somebody who is signed in sends.
pub struct Input {
    /// The address from when it is confirmed.
    pub new_email: Email,
    /// The password.
    pub current_password: Password,
    /// What the request says of who sent it.
    pub caller: Caller,
}

/// Sends a mail to another address, which asks whether it is the user's. Until that is confirmed nothing changes.
///
/// # Errors
/// [`Error::InvalidAccessToken`]; [`Error::RecentLoginRequired`]; [`Error::InvalidCredentials`]; [`Error::TooManyAttempts`];
/// [`Error::InvalidFields`], where it is the address already; [`Error::EmailTaken`]; [`Error::EmailChangedRecently`];
/// [`Error::DeletionPending`]; [`Error::EmailNotVerified`].
pub fn change_email<'a>(app: &'a App, bearer: &'a str, input: Input) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let now = app.clock.now();
        let Input { new_email, current_password, caller } = input;
        let authenticated = authenticate(app, bearer).await?;
        authenticated.require_recent_login(now)?;
        let user = authenticated.user();
        if user.deletion_at.is_some() {
            return Err(Error::DeletionPending);
        }
        if !user.status.is_email_verified() {
            // The mail that undoes the change would go to somebody who never showed that the account is theirs.
            return Err(Error::EmailNotVerified);
        }
        if new_email.canonical() == user.email.canonical() {
            let detail = "It is the address of the account already.";
            return Err(Error::InvalidFields(vec![FieldError::new("new_email", FieldCode::InvalidEmail, detail)]));
        }
        credentials_by_password(app, user.id, current_password).await?;
        let (can_be_undone, holder) = try_join(is_undo_pending(app, user.id, now), app.store.claim(&new_email)).await?;
        if can_be_undone {
            return Err(Error::EmailChangedRecently);
        }
        if holder.is_some_and(|holder| !holder.is_over(now)) {
            return Err(Error::EmailTaken);
        }
        // Neither does one account write to many strangers, nor many accounts to one.
        for address in [&user.email, &new_email] {
            if !app.store.count_mail(Purpose::ChangeEmail, address, now).await? {
                return Err(Error::TooManyAttempts(Duration::from_hours(1)));
            }
        }
        // The name stays out: whose the new address is, is not known yet.
        let language = user.language(caller.language);
        let (challenge, mail) = challenge_by_mail(app, Purpose::ChangeEmail, user.id, new_email, None, language)?;
        let mail = with_metadata(app, mail, caller.client_metadata.as_ref())?;
        if app.store.ask_for_email(user, &challenge, &mail).await? {
            Ok(())
        } else {
            Err(Error::unavailable("an account changed while another address was asked for"))
        }
    })
}

async fn is_undo_pending(app: &App, user: UserId, now: Timestamp) -> Result<bool, Error> {
    let undo = app.store.challenge(Purpose::UndoEmailChange, user).await?;
    Ok(undo.is_some_and(|undo| undo.expires_at > now))
}
