//! Choosing another password by a mail, without knowing the old one.

use std::sync::Arc;

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::mail::Notification;
use freehold_domain::password::Password;
use futures::future::{BoxFuture, try_join};

use super::challenge::{Answer, answered_challenge};
use super::new_password::{new_password, notice};
use crate::App;
use crate::store::Reset;

/// Puts another password in the place of the account's, and a new key pair with it. Every session ends, and a mail says so.
/// It signs nobody in: whoever has a second factor still needs it.
///
/// # Errors
/// [`Error::InvalidAnswer`].
pub fn reset_password<'a>(app: &'a App, answer: &'a Answer, password: Password) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let challenge = answered_challenge(app, Purpose::ResetPassword, answer).await?;
        let password = Arc::new(password);
        let made = new_password(app, challenge.user, &password);
        let (user, (credentials, public_key)) = try_join(app.store.user(challenge.user), made).await?;
        let user = user.ok_or(Error::InvalidAnswer)?;
        let mail = notice(app, &user, Notification::PasswordChanged);
        app.store.reset_password(&Reset { challenge, credentials, public_key, mail }, app.clock.now()).await
    })
}
