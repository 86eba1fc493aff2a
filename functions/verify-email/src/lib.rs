//! `GET /verify-email`: the page behind a mailed link. `POST /verify-email`: verifies the address.

use std::collections::BTreeMap;

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::trigger::Metadata;
use freehold_http::page::{Form, Page};
use freehold_http::{Body, Request, Response, StatusCode, answer, body, challenge_answer, page};
use freehold_service::flow::challenge::{Answer, linked_challenge};
use freehold_service::flow::verify_email::may_be_cancelled;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Deserialize;

const PURPOSE: Purpose = Purpose::VerifyEmail;
const IN_USE: &str =
    "The account is in use already. If that was not you, close this page: the address stays unconfirmed.";

#[derive(Deserialize)]
struct Wire {
    user_id: Option<String>,
    token: Option<String>,
    email: Option<String>,
    code: Option<String>,
    client_metadata: Option<BTreeMap<String, String>>,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        if request.method() == "GET" {
            page::answer_of(show(app, &request).await)
        } else if body::is_form(&request) {
            page::answer_of(verify_form(app, &request).await)
        } else {
            answer::of(verify(app, &request).await)
        }
    })
}

/// The page asks for a click and does nothing by itself: programs that scan mail open every link.
async fn show(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_query(request, PURPOSE)?;
    let challenge = linked_challenge(app, PURPOSE, &link).await?;
    let buttons = [("Yes, I signed up", "/verify-email"), ("No, this was not me", "/register/cancel")];
    let may_be_cancelled = may_be_cancelled(app, &challenge).await?;
    let offered = if may_be_cancelled { &buttons[..] } else { &buttons[..1] };
    let sentence = format!(
        "Somebody signed up with {} and chose a password. Confirm it only if that was you.",
        challenge.email.as_str()
    );
    let page = Page {
        title: "Did you sign up?",
        sentences: if may_be_cancelled { &[&sentence] } else { &[&sentence, IN_USE] },
        form: Some(Form {
            fields: &[("user", &link.user.to_string()), ("token", &link.token.expose())],
            new_password: None,
            buttons: offered,
        }),
    };
    page.answer(StatusCode::OK)
}

async fn verify_form(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_form(request, PURPOSE)?;
    flow::verify_email(app, &Answer::Link(link), None).await?;
    let sentences = &["The address is yours. You can sign in now."];
    Page { title: "Thank you", sentences, form: None }.answer(StatusCode::OK)
}

async fn verify(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { user_id, token, email, code, client_metadata } = body::json(request)?;
    let answer = challenge_answer::of_fields(PURPOSE, (user_id, token), (email, code))?;
    let client_metadata = client_metadata.map(Metadata::new);
    flow::verify_email(app, &answer, client_metadata.as_ref()).await?;
    answer::message(StatusCode::OK, "The address is verified.")
}
