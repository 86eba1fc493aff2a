//! `POST /me/email`: asks for another address. `GET` and `POST /email/confirm`: moves the account there.

mod ask;
mod confirm;

use freehold_http::{Body, Request, RequestExt as _, Response, answer, body, page};
use freehold_service::App;
use futures::future::BoxFuture;

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        if request.raw_http_path().ends_with("/me/email") {
            answer::of(ask::ask(app, &request).await)
        } else if request.method() == "GET" {
            page::answer_of(confirm::show(app, &request).await)
        } else if body::is_form(&request) {
            page::answer_of(confirm::confirm_form(app, &request).await)
        } else {
            answer::of(confirm::confirm(app, &request).await)
        }
    })
}
