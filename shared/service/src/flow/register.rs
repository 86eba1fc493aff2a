//! Signing up.

use freehold_domain::attributes::{Attributes, Changes, Occasion};
use freehold_domain::challenge::Purpose;
use freehold_domain::email::Email;
use freehold_domain::language::Language;
use freehold_domain::name::DisplayName;
use freehold_domain::password::ChosenPassword;
use freehold_domain::password_policy::Person;
use freehold_domain::user::User;
use freehold_domain::{Error, UserId};
use futures::future::{BoxFuture, try_join};

use super::challenge::challenge_to;
use super::new_password::{accepted, new_credentials};
use crate::App;
use crate::store::Registration;

/// Who signs up.
pub struct Input {
    /// The address, which becomes theirs once they show that it is.
    pub email: Email,
    /// The password that they chose.
    pub password: ChosenPassword,
    /// What they want to be called.
    pub name: Option<DisplayName>,
    /// What they say of themselves.
    pub attributes: Changes,
    /// The language that they prefer.
    pub language: Option<Language>,
}

/// Makes an account that nobody can sign in to until its address is verified, and the mail that asks for that.
///
/// # Errors
/// [`Error::InvalidFields`], where the password breaks a rule, or an attribute is not as the pool has it; [`Error::EmailTaken`].
pub fn register(app: &App, input: Input) -> BoxFuture<'_, Result<UserId, Error>> {
    Box::pin(async move {
        let Input { email, password, name, attributes, language } = input;
        let now = app.clock.now();
        let (settings, holder) = try_join(app.settings(), app.store.claim(&email)).await?;
        if holder.is_some_and(|holder| !holder.is_over(now)) {
            return Err(Error::EmailTaken);
        }
        let person = Person { email: Some(&email), name: name.as_ref() };
        let attributes = settings.attributes.apply(attributes, &Attributes::default(), Occasion::SigningUp);
        let attributes = attributes.map_err(Error::InvalidFields)?;
        let password = accepted(app, &settings, password, person).await?;
        let id = UserId::new(now);
        let new = new_credentials(app, id, &password).await?;
        let user = User::new(id, email, name, attributes, new.public_key.clone());
        let credentials = new.since(user.generation);
        let (challenge, mail) = challenge_to(app, Purpose::VerifyEmail, &user, language)?;
        app.store.register(&Registration { user, credentials, challenge, mail, replaces: holder }, now).await?;
        Ok(id)
    })
}
