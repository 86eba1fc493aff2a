//! `GET /password/reset`: the page behind a mailed link. `POST /password/reset`: sets another password.

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::error::{FieldCode, FieldError};
use freehold_domain::password::Password;
use freehold_http::page::{Form, Page};
use freehold_http::{Body, Request, Response, StatusCode, answer, body, challenge_answer, language, page};
use freehold_service::flow::challenge::{Answer, Link, linked_challenge};
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Deserialize;

const PURPOSE: Purpose = Purpose::ResetPassword;
const FIELD: &str = "new_password";

#[derive(Deserialize)]
struct Wire {
    user_id: Option<String>,
    token: Option<String>,
    email: Option<String>,
    code: Option<String>,
    new_password: Option<String>,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        if request.method() == "GET" {
            page::answer_of(show(app, &request).await)
        } else if body::is_form(&request) {
            page::answer_of(reset_form(app, &request).await)
        } else {
            answer::of(reset(app, &request).await)
        }
    })
}

/// The page asks for a password and does nothing by itself: programs that scan mail open every link.
async fn show(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_query(request, PURPOSE)?;
    ask(app, &link, None).await
}

async fn reset_form(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_form(request, PURPOSE)?;
    match Password::choose(&body::form_field(request, FIELD)?.unwrap_or_default()) {
        Err(rule) => ask(app, &link, Some(rule)).await,
        Ok(password) => {
            flow::reset_password(app, &Answer::Link(link), password, language(request)).await?;
            let sentences = &["Your password is changed, and every session has ended. Sign in with the new one."];
            Page { title: "Thank you", sentences, form: None }.answer(StatusCode::OK)
        }
    }
}

/// Asks for a password, again where the one before broke a rule.
async fn ask(app: &App, link: &Link, broken_rule: Option<&str>) -> Result<Response<Body>, Error> {
    let challenge = linked_challenge(app, PURPOSE, link).await?;
    let account = format!("It is for the account of {}. Every session of it will end.", challenge.email.as_str());
    let sentences: Vec<&str> = broken_rule.into_iter().chain([account.as_str()]).collect();
    let (user, token) = (link.user.to_string(), link.token.expose());
    let page = Page {
        title: "Choose another password",
        sentences: &sentences,
        form: Some(Form {
            fields: &[("user", &user), ("token", &token)],
            new_password: Some((FIELD, "New password")),
            buttons: &[("Change it", "/password/reset")],
        }),
    };
    page.answer(if broken_rule.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK })
}

async fn reset(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { user_id, token, email, code, new_password } = body::json(request)?;
    let password = new_password
        .as_deref()
        .map_or(Err("This field is missing."), Password::choose)
        .map_err(|detail| Error::InvalidFields(vec![FieldError::new(FIELD, FieldCode::InvalidPassword, detail)]))?;
    let answer = challenge_answer::of_fields(PURPOSE, (user_id, token), (email, code))?;
    flow::reset_password(app, &answer, password, language(request)).await?;
    answer::message(StatusCode::OK, "The password is changed.")
}
