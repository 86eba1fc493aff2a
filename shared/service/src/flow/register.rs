//! Signing up.

use std::sync::Arc;

use freehold_domain::challenge::Purpose;
use freehold_domain::email::Email;
use freehold_domain::language::Language;
use freehold_domain::name::DisplayName;
use freehold_domain::password::Password;
use freehold_domain::user::{Role, Status, User};
use freehold_domain::{Error, UserId};
use futures::future::BoxFuture;

use super::challenge::challenge_by_mail;
use super::new_password::new_password;
use crate::App;
use crate::store::Registration;

/// Who signs up.
pub struct Input {
    /// The address, which becomes theirs once they show that it is.
    pub email: Email,
    /// The password that they chose.
    pub password: Password,
    /// What they want to be called.
    pub name: Option<DisplayName>,
    /// The language that they prefer.
    pub language: Option<Language>,
}

/// Makes an account that nobody can sign in to until its address is verified, and the mail that asks for that.
///
/// # Errors
/// [`Error::EmailTaken`].
pub fn register(app: &App, input: Input) -> BoxFuture<'_, Result<UserId, Error>> {
    Box::pin(async move {
        let Input { email, password, name, language } = input;
        let now = app.clock.now();
        let holder = app.store.claim(&email).await?;
        if holder.is_some_and(|holder| !holder.is_abandoned(now)) {
            return Err(Error::EmailTaken);
        }
        let id = UserId::new(now);
        let (credentials, public_key) = new_password(app, id, &Arc::new(password)).await?;
        let (challenge, mail) =
            challenge_by_mail(app, Purpose::VerifyEmail, id, email.clone(), name.clone(), language)?;
        let user =
            User { id, email, status: Status::Unverified, name, roles: vec![Role::user()], public_key, generation: 0 };
        let replaces = holder.map(|abandoned| abandoned.user);
        app.store.register(&Registration { user, credentials, challenge, mail, replaces }, now).await?;
        Ok(id)
    })
}
