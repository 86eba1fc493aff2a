use freehold_crypto::code::Code;
use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_http::credentials::bearer;
use freehold_http::page::{Form, Page};
use freehold_http::{Body, Request, Response, StatusCode, answer, body, challenge_answer, language};
use freehold_service::flow::challenge::{Link, linked_challenge};
use freehold_service::flow::confirm_email::Confirmation;
use freehold_service::{App, flow};
use serde::Deserialize;

const PURPOSE: Purpose = Purpose::ChangeEmail;

#[derive(Deserialize)]
struct Wire {
    user_id: Option<String>,
    token: Option<String>,
    code: Option<String>,
}

/// The page asks for a click and does nothing by itself: programs that scan mail open every link.
pub(crate) async fn show(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_query(request, PURPOSE)?;
    let challenge = linked_challenge(app, PURPOSE, &link).await?;
    let sentence =
        format!("An account is to use {} from now on. Confirm it only if it is yours.", challenge.email.as_str());
    let page = Page {
        title: "Is this your new address?",
        sentences: &[&sentence],
        form: Some(Form {
            fields: &[("user", &link.user.to_string()), ("token", &link.token.expose())],
            new_password: None,
            buttons: &[("Yes, use this address", "/email/confirm")],
        }),
    };
    page.answer(StatusCode::OK)
}

pub(crate) async fn confirm_form(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_form(request, PURPOSE)?;
    flow::confirm_email(app, &Confirmation::Link(link), language(request)).await?;
    let sentences = &["Your account has this address now. Sign in with it from now on."];
    Page { title: "Thank you", sentences, form: None }.answer(StatusCode::OK)
}

pub(crate) async fn confirm(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let confirmation = match body::json(request)? {
        Wire { user_id: Some(user), token: Some(token), code: None } => {
            Confirmation::Link(Link::parse(PURPOSE, &user, &token)?)
        }
        Wire { user_id: None, token: None, code: Some(code) } => {
            let bearer = bearer(request).ok_or(Error::InvalidAccessToken)?;
            Confirmation::Code { bearer, code: Code::parse(&code).ok_or(Error::InvalidAnswer)? }
        }
        Wire { .. } => return Err(Error::InvalidAnswer),
    };
    flow::confirm_email(app, &confirmation, language(request)).await?;
    answer::message(StatusCode::OK, "The account has the new address.")
}
