use freehold_domain::attributes::Attributes;
use freehold_domain::email::Email;
use freehold_domain::name::DisplayName;
use freehold_domain::trigger::{Metadata, Trigger};
use freehold_domain::user::{Status, User};
use freehold_domain::{Error, UserId};
use serde::Deserialize;
use serde_json::json;

use super::{Nothing, Subject, with_client_metadata};
use crate::App;

/// Who would sign up.
pub(crate) struct Newcomer<'a> {
    /// The id that the account would have.
    pub(crate) id: UserId,
    /// Its address.
    pub(crate) email: &'a Email,
    /// What they want to be called.
    pub(crate) name: Option<&'a DisplayName>,
    /// What they say of themselves.
    pub(crate) attributes: &'a Attributes,
    /// What the client sent for this trigger alone.
    pub(crate) validation_data: Option<&'a Metadata>,
    /// What the client sent for every trigger.
    pub(crate) client_metadata: Option<&'a Metadata>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Verdict {
    auto_confirm_user: Option<bool>,
    auto_verify_email: Option<bool>,
}

/// Asks whether somebody may sign up, and how far the account has come then. Where the function confirms nobody, the account
/// waits for its mail, whatever it says of the address: confirming an account is verifying its address here.
pub(crate) async fn pre_sign_up(app: &App, newcomer: Newcomer<'_>) -> Result<Status, Error> {
    let Some(call) = app.trigger(Trigger::PreSignUp)? else { return Ok(Status::Unverified) };
    let Newcomer { id, email, name, attributes, validation_data, client_metadata } = newcomer;
    let subject = Subject::signing_up(id, email, name, attributes);
    let request = json!({ "validationData": super::validation_data(validation_data) });
    let request = with_client_metadata(request, client_metadata);
    let response = json!({ "autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false });
    let verdict: Verdict = call.invoke("SignUp", &subject, request, response).await?;
    let (is_confirmed, is_verified) =
        (verdict.auto_confirm_user.unwrap_or_default(), verdict.auto_verify_email.unwrap_or_default());
    Ok(match (is_confirmed, is_verified) {
        (true, true) => Status::Verified,
        (true, false) => Status::Confirmed,
        (false, _) => Status::Unverified,
    })
}

/// What was confirmed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Confirmed {
    /// An account.
    SignUp,
    /// Another password, by a mail.
    ForgotPassword,
}

/// Tells of something that is done. Where the function fails it stays done.
pub(crate) async fn post_confirmation(
    app: &App,
    confirmed: Confirmed,
    user: &User,
    client_metadata: Option<&Metadata>,
) -> Result<(), Error> {
    let Some(call) = app.trigger(Trigger::PostConfirmation)? else { return Ok(()) };
    let source = match confirmed {
        Confirmed::SignUp => "ConfirmSignUp",
        Confirmed::ForgotPassword => "ConfirmForgotPassword",
    };
    let request = with_client_metadata(json!({}), client_metadata);
    call.invoke::<Nothing>(source, &Subject::of(user), request, json!({})).await.map(drop)
}
