//! Lambda's Runtime API, as one process of a function sees it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use freehold_service::Clock;
use http::{StatusCode, header};
use tokio::sync::{Mutex, mpsc};

use super::{Answer, MAX_PAYLOAD_BYTES};

/// What a function may take in Lambda at most. Nothing here ends it then: a developer may be at a breakpoint.
const LONGEST_MILLIS: u64 = 15 * 60 * 1000;

/// An event for the process.
pub(super) struct Event {
    pub(super) id: String,
    pub(super) payload: Bytes,
}

/// What the process says.
pub(super) enum Said {
    /// The answer to an event, which may be an error.
    Answered { id: String, answer: Answer },
    /// It cannot start; the answer tells why.
    NotReady(Answer),
}

/// What the connections of the process share.
#[derive(Clone)]
struct Door {
    arn: String,
    events: Arc<Mutex<mpsc::UnboundedReceiver<Event>>>,
    said: mpsc::UnboundedSender<Said>,
}

/// Gives out events, and passes on what is said.
pub(super) fn router(arn: String, events: mpsc::UnboundedReceiver<Event>, said: mpsc::UnboundedSender<Said>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(not_ready))
        .layer(DefaultBodyLimit::max(MAX_PAYLOAD_BYTES))
        .with_state(Door { arn, events: Arc::new(Mutex::new(events)), said })
}

async fn next(State(door): State<Door>) -> Response {
    let event = door.events.lock().await.recv().await;
    // The process is being ended, or what it left behind still asks; this answer tells a runtime to exit.
    let Some(Event { id, payload }) = event else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    // The function compares it with its own clock, which is the system's whatever the time in the pool is.
    let deadline = Clock::system().now().as_millis() + LONGEST_MILLIS;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", door.arn),
    ];
    (headers, payload).into_response()
}

async fn response(State(door): State<Door>, Path(id): Path<String>, payload: Bytes) -> Response {
    door.say(Said::Answered { id, answer: Answer::returned(payload) })
}

async fn error(State(door): State<Door>, Path(id): Path<String>, payload: Bytes) -> Response {
    door.say(Said::Answered { id, answer: Answer::failed(payload) })
}

async fn not_ready(State(door): State<Door>, payload: Bytes) -> Response {
    door.say(Said::NotReady(Answer::failed(payload)))
}

impl Door {
    fn say(&self, said: Said) -> Response {
        // An error means that the process is being ended.
        let _ = self.said.send(said);
        (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], r#"{"status":"OK"}"#).into_response()
    }
}
