use std::collections::BTreeMap;

use freehold_domain::UserId;
use freehold_domain::attributes::{Attributes, Value};
use freehold_domain::email::Email;
use freehold_domain::name::DisplayName;
use freehold_domain::user::{Status, User};

/// Whom an event is about.
pub(crate) struct Subject {
    user_name: String,
    /// Nothing, where the event has none at all.
    attributes: Option<BTreeMap<String, String>>,
    is_known: bool,
}

impl Subject {
    /// A user. As in a pool of Cognito's where people sign in with their address, the user name is the id.
    pub(crate) fn of(user: &User) -> Self {
        let mut subject = Self::signing_up(user.id, &user.email, user.name.as_ref(), &user.attributes);
        let status = match user.status {
            Status::Unverified => "UNCONFIRMED",
            Status::Confirmed | Status::Verified => "CONFIRMED",
            Status::ResetRequired => "RESET_REQUIRED",
        };
        let further = [
            ("sub", user.id.to_string()),
            ("email_verified", user.status.is_email_verified().to_string()),
            ("cognito:user_status", status.to_owned()),
        ];
        subject.attributes.get_or_insert_default().extend(further.map(|(name, value)| (name.to_owned(), value)));
        subject
    }

    /// A user, by the address that a mail goes to. Where that is another than the account's it is not verified: a function that
    /// sent the mail to the account's own would let its user claim anybody's address.
    pub(super) fn reached_at(user: &User, email: &Email) -> Self {
        let mut subject = Self::of(user);
        if *email != user.email {
            let address = [("email", email.as_str().to_owned()), ("email_verified", false.to_string())];
            let address = address.map(|(name, value)| (name.to_owned(), value));
            subject.attributes.get_or_insert_default().extend(address);
        }
        subject
    }

    /// Somebody who is no user yet: an account without what only an account has.
    pub(crate) fn signing_up(id: UserId, email: &Email, name: Option<&DisplayName>, attributes: &Attributes) -> Self {
        let text = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
        };
        let own = attributes.iter().map(|(name, value)| (name.to_owned(), text(value)));
        let mut attributes: BTreeMap<String, String> = own.collect();
        attributes.insert("email".to_owned(), email.as_str().to_owned());
        attributes.extend(name.map(|name| ("name".to_owned(), name.as_str().to_owned())));
        Self { user_name: id.to_string(), attributes: Some(attributes), is_known: true }
    }

    /// An address that no account has.
    pub(crate) fn unknown(email: &Email) -> Self {
        Self { user_name: email.as_str().to_owned(), attributes: Some(BTreeMap::new()), is_known: false }
    }

    /// Somebody of whom nothing is known yet, by what they typed.
    pub(super) fn migrating(email: &Email) -> Self {
        Self { user_name: email.as_str().to_owned(), attributes: None, is_known: false }
    }

    pub(super) fn user_name(&self) -> &str {
        &self.user_name
    }

    pub(super) fn attributes(&self) -> Option<&BTreeMap<String, String>> {
        self.attributes.as_ref()
    }

    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }
}
