//! What sets another password by a mailed link. `GET` and `POST /password/reset`: for whoever forgot the old one. `GET` and
//! `POST /email/undo`: for whoever lost the account to another address, and gets it back with it.

mod password_form;
mod reset;
mod undo;

use freehold_http::{Body, Request, RequestExt as _, Response, answer, body, page};
use freehold_service::App;
use futures::future::BoxFuture;

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        let is_undo = request.raw_http_path().ends_with("/email/undo");
        let form = if is_undo { &undo::FORM } else { &reset::FORM };
        if request.method() == "GET" {
            page::answer_of(form.show(app, &request).await)
        } else if body::is_form(&request) {
            page::answer_of(form.answer(app, &request).await)
        } else if is_undo {
            answer::of(undo::undo(app, &request).await)
        } else {
            answer::of(reset::reset(app, &request).await)
        }
    })
}
