//! `POST /register/cancel`: "this was not me", the other button of the page behind a mailed link.

use freehold_domain::Error;
use freehold_http::page::Page;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, mailed_link, page};
use freehold_service::{App, flow};
use futures::future::BoxFuture;

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
    flow::cancel_registration(app, &mailed_link::in_form(request)?).await?;
    let sentences = &["The account is deleted. Nobody can sign in with your address."];
    Page { title: "Done", sentences, form: None }.answer(StatusCode::OK)
}

async fn cancel(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    flow::cancel_registration(app, &mailed_link::in_json(request)?).await?;
    answer::message(StatusCode::OK, "The account is deleted.")
}
