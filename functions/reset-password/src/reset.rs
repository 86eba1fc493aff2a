use std::collections::BTreeMap;

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, caller, challenge_answer};
use freehold_service::flow::challenge::{Answer, Caller};
use freehold_service::{App, flow};
use serde::Deserialize;

use crate::password_form::{PasswordForm, read};

const PURPOSE: Purpose = Purpose::ResetPassword;

pub(crate) const FORM: PasswordForm = PasswordForm {
    purpose: PURPOSE,
    title: "Choose another password",
    sentence: |email| format!("It is for the account of {}. Every session of it will end.", email.as_str()),
    button: ("Change it", "/password/reset"),
    set: |app, link, chosen, language| {
        Box::pin(async move {
            let caller = Caller { language, client_metadata: None };
            flow::reset_password(app, &Answer::Link(link.clone()), chosen, &caller).await
        })
    },
    done: "Your password is changed, and every session has ended. Sign in with the new one.",
};

#[derive(Deserialize)]
struct Wire {
    user_id: Option<String>,
    token: Option<String>,
    email: Option<String>,
    code: Option<String>,
    new_password: Option<String>,
    client_metadata: Option<BTreeMap<String, String>>,
}

pub(crate) async fn reset(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { user_id, token, email, code, new_password, client_metadata } = body::json(request)?;
    let chosen = read(new_password.as_deref())?;
    let answer = challenge_answer::of_fields(PURPOSE, (user_id, token), (email, code))?;
    flow::reset_password(app, &answer, chosen, &caller(request, client_metadata)).await?;
    answer::message(StatusCode::OK, "The password is changed.")
}
