//! `DELETE /me`: has the account deleted. `GET` and `POST /account/keep`: keeps it after all.

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::password::Password;
use freehold_http::credentials::bearer;
use freehold_http::page::{Form, Page};
use freehold_http::{Body, Request, Response, StatusCode, answer, body, challenge_answer, language, page};
use freehold_service::flow::challenge::linked_challenge;
use freehold_service::flow::delete_account::Input;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

const PURPOSE: Purpose = Purpose::KeepAccount;

#[derive(Deserialize)]
struct Wire {
    current_password: Option<String>,
}

#[derive(Deserialize)]
struct WireLink {
    user_id: Option<String>,
    token: Option<String>,
}

#[derive(Serialize)]
struct Deleted {
    message: &'static str,
    deletion_at: String,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        if request.method() == "DELETE" {
            answer::of(delete(app, &request).await)
        } else if request.method() == "GET" {
            page::answer_of(show(app, &request).await)
        } else if body::is_form(&request) {
            page::answer_of(keep_form(app, &request).await)
        } else {
            answer::of(keep(app, &request).await)
        }
    })
}

fn complete(Wire { current_password }: Wire) -> Result<Password, Error> {
    let current = body::current_password(current_password).map_err(|refused| Error::InvalidFields(vec![refused]))?;
    // A password that no account can have is refused like one that the account does not have.
    Password::attempt(&current).ok_or(Error::InvalidCredentials)
}

async fn delete(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let input = Input { current_password: complete(body::json(request)?)?, language: language(request) };
    let bearer = bearer(request).ok_or(Error::InvalidAccessToken)?;
    let deletion_at = answer::rfc3339(flow::delete_account(app, bearer, input).await?)?;
    let message = "Every session has ended. A mail says until when the account can be kept, if it can.";
    answer::json(StatusCode::ACCEPTED, &Deleted { message, deletion_at })
}

/// The page asks for a click and does nothing by itself: programs that scan mail open every link.
async fn show(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_query(request, PURPOSE)?;
    let challenge = linked_challenge(app, PURPOSE, &link).await?;
    let sentence = format!("The account of {} is to be deleted. You can keep it.", challenge.email.as_str());
    let page = Page {
        title: "Keep your account?",
        sentences: &[&sentence],
        form: Some(Form {
            fields: &[("user", &link.user.to_string()), ("token", &link.token.expose())],
            new_password: None,
            buttons: &[("Keep my account", "/account/keep")],
        }),
    };
    page.answer(StatusCode::OK)
}

async fn keep_form(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_form(request, PURPOSE)?;
    flow::keep_account(app, &link).await?;
    let sentences = &["Your account stays. If you did not ask for its deletion yourself, choose another password now."];
    Page { title: "Thank you", sentences, form: None }.answer(StatusCode::OK)
}

async fn keep(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let WireLink { user_id, token } = body::json(request)?;
    flow::keep_account(app, &challenge_answer::of_link(PURPOSE, user_id, token)?).await?;
    answer::message(StatusCode::OK, "The account stays.")
}
