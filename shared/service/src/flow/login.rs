//! Signing in with a password.

use std::sync::Arc;

use freehold_domain::email::Email;
use freehold_domain::password::Password;
use freehold_domain::session::{Device, Factor};
use freehold_domain::trigger::Metadata;
use freehold_domain::{Error, UserId};
use futures::future::{BoxFuture, try_join};

use super::migrate::{known_account, migrated_at_sign_in};
use super::sign_in::{Proven, SignedIn, check_password, sign_in};
use crate::App;
use crate::store::GuessedAt;
use crate::triggers::{Subject, pre_authentication};

/// Who signs in, and where.
pub struct Input {
    /// The address.
    pub email: Email,
    /// The password.
    pub password: Password,
    /// Where from.
    pub device: Device,
    /// What the client hands to the functions that are asked before it is let in. As in Cognito it goes no further.
    pub validation_data: Option<Metadata>,
}

/// Begins a session for whoever knows the password of an account.
///
/// # Errors
/// [`Error::InvalidCredentials`], the same and at the same cost whether nobody has the address or the password is wrong;
/// [`Error::EmailNotVerified`] and [`Error::PasswordResetRequired`], after the right password alone;
/// [`Error::TooManyAttempts`], for unknown addresses too; [`Error::TriggerRefused`]; [`Error::TriggerFailed`].
pub fn login(app: &App, input: Input) -> BoxFuture<'_, Result<SignedIn, Error>> {
    Box::pin(async move {
        let Input { email, password, device, validation_data } = input;
        let (now, password) = (app.clock.now(), Arc::new(password));
        let validation_data = validation_data.as_ref();
        let (settings, claim) = try_join(app.settings(), app.store.claim(&email)).await?;

        // Nobody has an id that is made here and now: an unknown address reads and counts as much as a known one.
        let account = known_account(app, claim);
        let id = account.unwrap_or_else(|| UserId::new(now));
        let guessed_at = account.map_or_else(|| GuessedAt::Nobody(email.clone()), GuessedAt::User);
        let counted = Box::pin(app.store.count_guess_at(&guessed_at, now));
        let (account, ()) = try_join(app.store.account(id), counted).await?;

        let subject = account.as_ref().map_or_else(|| Subject::unknown(&email), |(user, _)| Subject::of(user));
        pre_authentication(app, &subject, validation_data).await?;
        let migrated = match &account {
            Some(_) => None,
            None => Box::pin(migrated_at_sign_in(app, &settings, &email, &password, claim, validation_data)).await?,
        };
        let (user, credentials) = match migrated {
            // The function that knew them has compared the password.
            Some(migrated) => migrated,
            None => check_password(app, account, &password).await?,
        };
        let factors = vec![Factor::Password];
        Box::pin(sign_in(app, &settings, Proven { user, credentials, factors, device, client_metadata: None })).await
    })
}
