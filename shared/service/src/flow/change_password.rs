//! Choosing another password by whoever knows the old one.

use freehold_domain::Error;
use freehold_domain::appearance::WebAddress;
use freehold_domain::language::Language;
use freehold_domain::mail::Notification;
use freehold_domain::password::{ChosenPassword, Password};
use freehold_domain::password_policy::Person;
use freehold_domain::user::User;
use futures::future::{BoxFuture, try_join};

use super::authenticate;
use super::current_password::credentials_by_password;
use super::issue_tokens::access_token;
use super::new_password::{accepted, new_credentials, notice};
use crate::App;
use crate::store::NewPassword;
use crate::triggers::{TokenOccasion, pre_token_generation};

/// What somebody who is signed in sends.
pub struct Input {
    /// The password until now.
    pub current_password: Password,
    /// The password from now on.
    pub new_password: ChosenPassword,
    /// The language that they prefer.
    pub language: Option<Language>,
}

/// Puts another password in the place of the user's, and a new key pair with it. Every other session ends, and a mail says
/// so. What is returned is an access token of the session that stays, signed with the new key.
///
/// # Errors
/// [`Error::InvalidAccessToken`]; [`Error::RecentLoginRequired`]; [`Error::InvalidCredentials`], where the current password is
/// another; [`Error::InvalidFields`], where the new one breaks a rule; [`Error::TooManyAttempts`]; [`Error::TriggerRefused`] and
/// [`Error::TriggerFailed`], before it is changed.
pub fn change_password<'a>(app: &'a App, bearer: &'a str, input: Input) -> BoxFuture<'a, Result<String, Error>> {
    Box::pin(async move {
        let now = app.clock.now();
        let (authenticated, settings) = try_join(authenticate(app, bearer), app.settings()).await?;
        authenticated.require_recent_login(now)?;
        let (user, session) = (authenticated.user(), authenticated.session());

        let password = accepted(app, &settings, input.new_password, Person::of(user)).await?;

        let stored = credentials_by_password(app, user.id, input.current_password).await?;
        let new = new_credentials(app, user.id, &password).await?;
        let user = User { public_key: new.public_key.clone(), ..user.next_generation() };
        let credentials = new.since(user.generation);
        let customization = pre_token_generation(app, TokenOccasion::Refresh, &user, None).await?;
        let session_of = (session, authenticated.factors());
        let token = access_token(app, &user, &credentials, session_of, customization, app.clock.now()).await?;
        let mail = notice(app, &user, Notification::PasswordChanged, input.language);
        let new = NewPassword { user, session, replaces: stored.password_hash, credentials, mail };
        if app.store.change_password(&new).await? {
            Ok(token)
        } else {
            Err(Error::unavailable("an account changed while its password was changed"))
        }
    })
}

/// Where a person changes a password: a page of the owner's front end.
///
/// # Errors
/// [`Error::NotFound`], where the pool names none.
pub fn change_password_page(app: &App) -> BoxFuture<'_, Result<WebAddress, Error>> {
    Box::pin(async move { app.settings().await?.change_password_url.ok_or(Error::NotFound) })
}
