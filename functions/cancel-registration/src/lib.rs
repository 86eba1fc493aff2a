//! `POST /register/cancel`: "this was not me", the other button of the page behind a mailed link.

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_http::page::Page;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, challenge_answer, page};
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
        if body::is_form(&request) {
            page::answer_of(cancel_form(app, &request).await)
        } else {
            answer::of(cancel(app, &request).await)
        }
    })
}

async fn cancel_form(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    flow::cancel_registration(app, &challenge_answer::in_form(request, Purpose::VerifyEmail)?).await?;
    let sentences = &["The account is deleted. Nobody can sign in with your address."];
    Page { title: "Done", sentences, form: None }.answer(StatusCode::OK)
}

async fn cancel(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { user_id, token } = body::json(request)?;
    flow::cancel_registration(app, &challenge_answer::of_link(Purpose::VerifyEmail, user_id, token)?).await?;
    answer::message(StatusCode::OK, "The account is deleted.")
}
