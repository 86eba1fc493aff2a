//! Signing up.

use freehold_domain::attributes::{Attributes, Changes, Occasion};
use freehold_domain::challenge::Purpose;
use freehold_domain::email::Email;
use freehold_domain::name::DisplayName;
use freehold_domain::password::ChosenPassword;
use freehold_domain::password_policy::Person;
use freehold_domain::trigger::Metadata;
use freehold_domain::user::{Status, User};
use freehold_domain::{Error, UserId};
use futures::future::{BoxFuture, try_join};

use super::challenge::{Caller, challenge_to, with_metadata};
use super::new_password::{accepted, new_credentials};
use crate::App;
use crate::store::Registration;
use crate::triggers::{Confirmed, Newcomer, post_confirmation, pre_sign_up};

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
    /// What the request says of who sent it.
    pub caller: Caller,
    /// What the client hands to the function alone that decides who may sign up.
    pub validation_data: Option<Metadata>,
}

/// Who signed up.
pub struct Registered {
    /// The account.
    pub id: UserId,
    /// Whether it can be signed in to already.
    pub is_confirmed: bool,
}

/// Makes an account that nobody can sign in to until its address is verified, and the mail that asks for that; or one that a
/// function of the owner's confirms at once.
///
/// # Errors
/// [`Error::InvalidFields`], where the password breaks a rule, or an attribute is not as the pool has it; [`Error::EmailTaken`];
/// [`Error::TriggerRefused`] and [`Error::TriggerFailed`], before the account is made, or after it was confirmed.
pub fn register(app: &App, input: Input) -> BoxFuture<'_, Result<Registered, Error>> {
    Box::pin(async move {
        let Input { email, password, name, attributes, caller, validation_data } = input;
        let client_metadata = caller.client_metadata.as_ref();
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
        // Whoever is refused costs no hash.
        let newcomer = Newcomer {
            id,
            email: &email,
            name: name.as_ref(),
            attributes: &attributes,
            validation_data: validation_data.as_ref(),
            client_metadata,
        };
        let status = pre_sign_up(app, newcomer).await?;
        let new = new_credentials(app, id, &password).await?;
        let user = User { status, ..User::new(id, email, name, attributes, new.public_key.clone()) };
        let credentials = new.since(user.generation);
        let is_confirmed = status != Status::Unverified;
        let challenge_mail = if is_confirmed {
            None
        } else {
            let (challenge, mail) = challenge_to(app, Purpose::VerifyEmail, &user, caller.language)?;
            Some((challenge, with_metadata(app, mail, client_metadata)?))
        };
        let registration = Registration { user, credentials, challenge_mail, replaces: holder };
        app.store.register(&registration, now).await?;
        if is_confirmed {
            post_confirmation(app, Confirmed::SignUp, &registration.user, client_metadata).await?;
        }
        Ok(Registered { id, is_confirmed })
    })
}
