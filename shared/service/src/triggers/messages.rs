use std::collections::BTreeMap;

use aws_sdk_kms::error::ProvideErrorMetadata as _;
use aws_sdk_kms::types::DataKeySpec;
use aws_sdk_lambda::types::InvocationType;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use freehold_crypto::code::Code;
use freehold_crypto::encryption_sdk_message::{self, DataKey};
use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::mail::Mail;
use freehold_domain::trigger::{Metadata, Trigger};
use freehold_domain::user::User;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Call, Subject, with_client_metadata};
use crate::App;

const CODE_PARAMETER: &str = "{####}";
const LINK_PARAMETER: &str = "{##Click Here##}";
/// Cognito's bounds.
const MAX_SUBJECT_CHARACTERS: usize = 140;
const MAX_MESSAGE_CHARACTERS: usize = 20_000;

/// What a function wrote, with placeholders for code and link. What it did not write is as it would be without it.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CustomMessage {
    pub(crate) email_subject: Option<String>,
    pub(crate) email_message: Option<String>,
}

/// The source of the events of a mail. Mails that Cognito has not are none of the triggers' business.
fn source_of(mail: &Mail, purpose: Purpose) -> Option<&'static str> {
    match purpose {
        Purpose::VerifyEmail if mail.is_repeated => Some("ResendCode"),
        Purpose::VerifyEmail => Some("SignUp"),
        Purpose::ResetPassword => Some("ForgotPassword"),
        Purpose::ChangeEmail => Some("UpdateUserAttribute"),
        Purpose::UndoEmailChange | Purpose::KeepAccount => None,
    }
}

/// Asks for the words of a mail.
pub(crate) async fn custom_message(
    app: &App,
    mail: &Mail,
    purpose: Purpose,
    user: &User,
    client_metadata: Option<&Metadata>,
) -> Result<CustomMessage, Error> {
    let (Some(call), Some(source)) = (app.trigger(Trigger::CustomMessage)?, source_of(mail, purpose)) else {
        return Ok(CustomMessage::default());
    };
    let request = json!({
        "codeParameter": CODE_PARAMETER,
        "linkParameter": LINK_PARAMETER,
        "usernameParameter": null,
    });
    let request = with_client_metadata(request, client_metadata);
    let response = json!({ "smsMessage": null, "emailMessage": null, "emailSubject": null });
    let written: CustomMessage = call.invoke(source, &Subject::reached_at(user, &mail.to), request, response).await?;
    let is_too_long =
        |text: &Option<String>, most: usize| text.as_ref().is_some_and(|text| text.chars().count() > most);
    if is_too_long(&written.email_subject, MAX_SUBJECT_CHARACTERS)
        || is_too_long(&written.email_message, MAX_MESSAGE_CHARACTERS)
    {
        return Err(call.failed("its mail is too long"));
    }
    let has_line_break = |subject: &String| subject.chars().any(char::is_control);
    if written.email_subject.as_ref().is_some_and(has_line_break) {
        return Err(call.failed("its subject is not one line"));
    }
    Ok(written)
}

/// Has a function of the owner's send a mail, in the place of SES. As in Cognito nobody waits for it: Lambda keeps the event and
/// calls the function until it succeeds, three times in all. The code reaches it as a message of the AWS Encryption SDK,
/// under a data key of the pool's key, so that no log of events holds it.
///
/// Whether the mail is one that the function sends.
pub(crate) async fn hand_to_custom_sender(
    app: &App,
    mail: &Mail,
    (purpose, code): (Purpose, &Code),
    user: &User,
    client_metadata: Option<&Metadata>,
) -> Result<bool, Error> {
    let (Some(call), Some(source)) = (app.trigger(Trigger::CustomEmailSender)?, source_of(mail, purpose)) else {
        return Ok(false);
    };
    // Cognito hands metadata to this trigger for these two alone.
    let client_metadata = client_metadata.filter(|_| matches!(source, "SignUp" | "ForgotPassword"));
    let request = json!({
        "type": "customEmailSenderRequestV1",
        "code": encrypt(app, &call, code).await?,
        "clientMetadata": client_metadata.map(Metadata::expose),
    });
    let event = call.event(source, &Subject::reached_at(user, &mail.to), &request);
    call.send(&event, InvocationType::Event).await.map(|_| true)
}

async fn encrypt(app: &App, call: &Call<'_>, code: &Code) -> Result<String, Error> {
    let key = app.config.custom_sender_key.as_ref().ok_or_else(|| call.failed("the pool has no key for it"))?;
    // What Cognito binds its messages to.
    let context = BTreeMap::from([("userpool-id".to_owned(), app.config.pool.to_string())]);
    let made = app
        .kms()?
        .generate_data_key()
        .key_id(key)
        .key_spec(DataKeySpec::Aes256)
        .set_encryption_context(Some(context.clone().into_iter().collect()))
        .send()
        .await;
    let failed = |code: &str| Error::unavailable(format!("GenerateDataKey: {code}"));
    let made = made.map_err(|error| failed(error.code().unwrap_or("no answer")))?;
    let (Some(plaintext), Some(wrapped), Some(key_arn)) = (made.plaintext, made.ciphertext_blob, made.key_id) else {
        return Err(failed("a part is missing"));
    };
    let plaintext = Zeroizing::new(plaintext.into_inner());
    let data_key =
        DataKey::from_kms(&plaintext, wrapped.into_inner(), key_arn).ok_or_else(|| failed("another length"))?;
    let sealed = encryption_sdk_message::seal(code.expose().as_bytes(), &data_key, &context);
    sealed.map(|message| STANDARD.encode(message)).map_err(|_| Error::internal("a code could not be encrypted"))
}
