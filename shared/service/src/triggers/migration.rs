use std::collections::BTreeMap;

use freehold_domain::Error;
use freehold_domain::email::Email;
use freehold_domain::password::Password;
use freehold_domain::trigger::{Metadata, Trigger};
use freehold_domain::user::Status;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, Subject, with_client_metadata};
use crate::App;

/// Somebody whom the owner's function knows, and the pool not yet.
pub(crate) struct Migrated {
    /// Their address as it is known there; nothing, where the function does not say. Mail goes to this spelling, and not to that
    /// of whoever asks: a few hosts take them for different mailboxes.
    pub(crate) email: Option<Email>,
    /// What else is known of them, by the names of Cognito's attributes.
    pub(crate) attributes: BTreeMap<String, String>,
    /// How far the account has come.
    pub(crate) status: Status,
}

/// The answer. What it says of messages is passed over: the pool writes nobody when it makes an account here.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Response {
    user_attributes: Option<BTreeMap<String, String>>,
    final_user_status: Option<String>,
}

/// Asks whether somebody whom the pool does not know has this password elsewhere. The answer is no where the function refuses:
/// what it says to that would tell strangers who was migrated already.
pub(crate) async fn migrate_at_sign_in(
    app: &App,
    email: &Email,
    password: &Password,
    validation_data: Option<&Metadata>,
) -> Result<Option<Migrated>, Error> {
    let Some(call) = app.trigger(Trigger::UserMigration)? else { return Ok(None) };
    let request = json!({ "password": password.expose(), "validationData": super::validation_data(validation_data) });
    migrated(&call, "Authentication", email, request).await?.map_err(|words| call.failed(words))
}

/// Asks whether somebody whom the pool does not know has an account elsewhere.
pub(crate) async fn migrate_at_forgot_password(
    app: &App,
    email: &Email,
    client_metadata: Option<&Metadata>,
) -> Result<Option<Migrated>, Error> {
    let Some(call) = app.trigger(Trigger::UserMigration)? else { return Ok(None) };
    let request = with_client_metadata(json!({ "validationData": null }), client_metadata);
    match migrated(&call, "ForgotPassword", email, request).await? {
        Ok(migrated) => Ok(migrated),
        Err(cause) => {
            // An answer of its own would tell a stranger that somebody has this address elsewhere.
            tracing::error!(cause, "somebody cannot be migrated");
            Ok(None)
        }
    }
}

/// Whom the function brings, or why they cannot be taken over.
async fn migrated(
    call: &Call<'_>,
    source: &str,
    email: &Email,
    request: Value,
) -> Result<Result<Option<Migrated>, &'static str>, Error> {
    let response = json!({
        "userAttributes": null,
        "forceAliasCreation": null,
        "enableSMSMFA": null,
        "finalUserStatus": null,
        "messageAction": null,
        "desiredDeliveryMediums": null,
    });
    match call.invoke(source, &Subject::migrating(email), request, response).await {
        Ok(answer) => Ok(read(answer, email)),
        Err(Error::TriggerRefused(..)) => Ok(Ok(None)),
        Err(error) => Err(error),
    }
}

fn read(answer: Response, email: &Email) -> Result<Option<Migrated>, &'static str> {
    const ANOTHER: &str = "it brings somebody with another address";
    // The event as it was: the function knows nobody.
    let Some(mut attributes) = answer.user_attributes else { return Ok(None) };
    let said = attributes.remove("email").map(|said| Email::parse(&said).ok_or(ANOTHER)).transpose()?;
    if said.as_ref().is_some_and(|said| said.canonical() != email.canonical()) {
        return Err(ANOTHER);
    }
    let is_verified = attributes.remove("email_verified").is_some_and(|said| said.eq_ignore_ascii_case("true"));
    let status = match (answer.final_user_status.as_deref(), is_verified) {
        (Some("CONFIRMED"), true) => Status::Verified,
        (Some("CONFIRMED"), false) => Status::Confirmed,
        // Whoever then sets a password by a mail shows by it that the address is theirs.
        (Some("RESET_REQUIRED") | None, _) => Status::ResetRequired,
        (Some(_), _) => return Err("it brings somebody with a status that nobody can have here"),
    };
    Ok(Some(Migrated { email: said, attributes, status }))
}
