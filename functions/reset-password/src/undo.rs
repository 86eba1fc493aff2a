use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, challenge_answer, language};
use freehold_service::{App, flow};
use serde::Deserialize;

use crate::password_form::{PasswordForm, read};

const PURPOSE: Purpose = Purpose::UndoEmailChange;

pub(crate) const FORM: PasswordForm = PasswordForm {
    purpose: PURPOSE,
    title: "Undo the change of address",
    sentence: |email| {
        let email = email.as_str();
        format!(
            "The account gets its address {email} back. Choose another password for it: every session of it will end."
        )
    },
    button: ("Undo the change", "/email/undo"),
    set: flow::undo_email_change,
    done: "Your account has its address back. Sign in with the new password.",
};

#[derive(Deserialize)]
struct Wire {
    user_id: Option<String>,
    token: Option<String>,
    new_password: Option<String>,
}

pub(crate) async fn undo(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { user_id, token, new_password } = body::json(request)?;
    let chosen = read(new_password.as_deref())?;
    let link = challenge_answer::of_link(PURPOSE, user_id, token)?;
    flow::undo_email_change(app, &link, chosen, language(request)).await?;
    answer::message(StatusCode::OK, "The account has its address back, and the new password.")
}
