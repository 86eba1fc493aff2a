//! Making an account for somebody whom the owner's function knows from elsewhere.

use std::sync::Arc;

use freehold_domain::email::Email;
use freehold_domain::name::DisplayName;
use freehold_domain::password::Password;
use freehold_domain::settings::Settings;
use freehold_domain::trigger::{Metadata, Trigger};
use freehold_domain::user::{Claim, Status, User};
use freehold_domain::{Error, UserId};

use super::new_password::{NewCredentials, credentials_without_password, new_credentials};
use crate::App;
use crate::store::{Credentials, Registration};
use crate::triggers::{Migrated, migrate_at_forgot_password, migrate_at_sign_in};

/// Attributes that come along and are kept elsewhere, or nowhere: telephone numbers are nothing that people sign in with here.
const LEFT_OUT: [&str; 5] = ["sub", "username", "phone_number", "phone_number_verified", "updated_at"];

/// The account of somebody who signs in with a password that is right elsewhere. The policy for new passwords does not ask
/// about this one, which is not new.
pub(super) async fn migrated_at_sign_in(
    app: &App,
    settings: &Settings,
    email: &Email,
    password: &Arc<Password>,
    holder: Option<Claim>,
    validation_data: Option<&Metadata>,
) -> Result<Option<(User, Credentials)>, Error> {
    if !may_come_from_elsewhere(app, holder) {
        return Ok(None);
    }
    let Some(migrated) = migrate_at_sign_in(app, email, password, validation_data).await? else { return Ok(None) };
    let id = UserId::new(app.clock.now());
    let new = new_credentials(app, id, password).await?;
    match make(app, settings, email, (id, migrated, new), holder).await {
        // Somebody else was first, with the same password or another: it is compared the next time.
        Err(Error::EmailTaken) => Err(Error::unavailable("an account was made while it was migrated")),
        made => made.map(Some),
    }
}

/// The account of somebody who forgot the password that they have elsewhere: it has none until they set one.
pub(super) async fn migrated_at_forgot_password(
    app: &App,
    email: &Email,
    holder: Option<Claim>,
    client_metadata: Option<&Metadata>,
) -> Result<Option<User>, Error> {
    if !may_come_from_elsewhere(app, holder) {
        return Ok(None);
    }
    let Some(mut migrated) = migrate_at_forgot_password(app, email, client_metadata).await? else { return Ok(None) };
    if migrated.status != Status::Verified {
        // Without a password only a mail leads in, and whoever reads it has shown that the address is theirs.
        migrated.status = Status::ResetRequired;
    }
    let id = UserId::new(app.clock.now());
    let new = credentials_without_password(app, id).await?;
    match make(app, &app.settings().await?, email, (id, migrated, new), holder).await {
        Ok((user, _)) => Ok(Some(user)),
        Err(Error::TriggerFailed(cause)) => {
            // An answer of its own would tell a stranger that somebody has this address elsewhere.
            tracing::error!(cause = cause.words(), "somebody cannot be migrated");
            Ok(None)
        }
        // Another request was first, and sends the mail.
        Err(Error::EmailTaken) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The account that somebody with an address means. Where accounts come from elsewhere, one that was abandoned before its address
/// was verified is none: a stranger who signed up with the address would keep its owner out.
pub(super) fn known_account(app: &App, holder: Option<Claim>) -> Option<UserId> {
    if may_come_from_elsewhere(app, holder) { None } else { holder.and_then(|holder| holder.account()) }
}

/// Whether accounts come from elsewhere, and nobody here has the address.
fn may_come_from_elsewhere(app: &App, holder: Option<Claim>) -> bool {
    app.has_trigger(Trigger::UserMigration) && holder.is_none_or(|holder| holder.is_over(app.clock.now()))
}

async fn make(
    app: &App,
    settings: &Settings,
    email: &Email,
    (id, migrated, new): (UserId, Migrated, NewCredentials),
    holder: Option<Claim>,
) -> Result<(User, Credentials), Error> {
    let Migrated { email: known_as, mut attributes, status } = migrated;
    let email = known_as.unwrap_or_else(|| email.clone());
    let failed = |words| Error::trigger_failed(Trigger::UserMigration, words);
    attributes.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    let name = attributes.remove("name").map(|name| DisplayName::parse(&name));
    let name = name.map(|name| name.ok_or_else(|| failed("it brings a name that nobody can have here"))).transpose()?;
    let attributes = settings.attributes.read_texts(attributes);
    let attributes = attributes.ok_or_else(|| failed("it brings attributes that the pool's schema does not allow"))?;
    let user = User { status, ..User::new(id, email, name, attributes, new.public_key.clone()) };
    let credentials = new.since(user.generation);
    let registration = Registration { user, credentials, challenge_mail: None, replaces: holder };
    app.store.register(&registration, app.clock.now()).await?;
    Ok((registration.user, registration.credentials))
}
