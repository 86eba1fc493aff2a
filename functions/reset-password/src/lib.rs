//! What sets another password by a mailed link. `GET` and `POST /password/reset`: for whoever forgot the old one. `GET` and
//! `POST /email/undo`: for whoever lost the account to another address, and gets it back with it.

mod reset;
mod undo;

use freehold_http::{Body, Request, RequestExt as _, Response, answer, body, page};
use freehold_service::App;
use futures::future::BoxFuture;

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        let is_undo = request.raw_http_path().ends_with("/email/undo");
        match (is_undo, request.method() == "GET", body::is_form(&request)) {
            (false, true, _) => page::answer_of(reset::show(app, &request).await),
            (false, false, true) => page::answer_of(reset::reset_form(app, &request).await),
            (false, false, false) => answer::of(reset::reset(app, &request).await),
            (true, true, _) => page::answer_of(undo::show(app, &request).await),
            (true, false, true) => page::answer_of(undo::undo_form(app, &request).await),
            (true, false, false) => answer::of(undo::undo(app, &request).await),
        }
    })
}
