//! `GET /verify-email`: the page behind a mailed link. `POST /verify-email`: verifies the address.

use freehold_domain::Error;
use freehold_http::page::{Form, Page};
use freehold_http::{Body, Request, RequestExt as _, Response, StatusCode, answer, body, page};
use freehold_service::flow::verify_email::{Input, answered_challenge};
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Deserialize;

#[derive(Deserialize)]
struct Wire {
    user_id: Option<String>,
    token: Option<String>,
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
    let query = request.query_string_parameters_ref();
    let parameter = |name| query.and_then(|query| query.first(name));
    let (user, token) = (parameter("user").unwrap_or_default(), parameter("token").unwrap_or_default());
    let challenge = answered_challenge(app, &Input::parse(user, token)?).await?;
    let sentence = format!(
        "Somebody signed up with {} and chose a password. Confirm it only if that was you.",
        challenge.email.as_str()
    );
    let page = Page {
        title: "Did you sign up?",
        sentences: &[&sentence],
        form: Some(Form {
            fields: &[("user", user), ("token", token)],
            buttons: &[("Yes, I signed up", "/verify-email"), ("No, this was not me", "/register/cancel")],
        }),
    };
    page.answer(StatusCode::OK)
}

async fn verify_form(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let (user, token) = (body::form_field(request, "user")?, body::form_field(request, "token")?);
    flow::verify_email(app, &Input::parse(&user.unwrap_or_default(), &token.unwrap_or_default())?).await?;
    let sentences = &["The address is yours. You can sign in now."];
    Page { title: "Thank you", sentences, form: None }.answer(StatusCode::OK)
}

async fn verify(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { user_id, token } = body::json(request)?;
    flow::verify_email(app, &Input::parse(&user_id.unwrap_or_default(), &token.unwrap_or_default())?).await?;
    answer::message(StatusCode::OK, "The address is verified.")
}
