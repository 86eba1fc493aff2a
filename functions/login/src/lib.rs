//! `POST /login`: signs in. `POST /login/challenge`: goes on, where a sign-in takes more than one step.

mod challenge;
mod sign_in;

use freehold_http::{Body, Request, RequestExt as _, Response, answer};
use freehold_service::App;
use futures::future::BoxFuture;

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        if request.raw_http_path().ends_with("/login/challenge") {
            answer::of(challenge::challenge(app, &request).await)
        } else {
            answer::of(sign_in::sign_in(app, &request).await)
        }
    })
}
