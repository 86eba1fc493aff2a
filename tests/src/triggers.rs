use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// What a function does with an event.
pub enum Reply {
    /// It returns the event with this as its response.
    Response(Value),
    /// It returns something else.
    Returns(Value),
    /// It throws an error with this message.
    Throws(&'static str),
    /// It ends, as Lambda tells of it.
    Crashes(Value),
    /// Lambda itself refuses the call.
    Refused(u16, &'static str),
    /// It returns the event with this as its response, once it is told to.
    ResponseAfter(Arc<Notify>, Value),
    /// It never answers.
    Hangs,
}

type Function = Arc<dyn Fn(&Value) -> Reply + Send + Sync>;

/// Functions that are called by Lambda's Invoke API, as the triggers of a pool. What they are sent is kept.
#[derive(Clone, Default)]
pub struct Triggers {
    url: String,
    functions: Arc<Mutex<BTreeMap<String, Function>>>,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Triggers {
    /// Serves functions, none of which does anything yet: each returns the event as it came.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("it has an address"));
        let triggers = Self { url, ..Self::default() };
        let router =
            Router::new().route("/2015-03-31/functions/{name}/invocations", post(invoke)).with_state(triggers.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        triggers
    }

    /// Where the functions are.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The variable by which a pool knows them, by the names of their triggers.
    #[must_use]
    pub fn variable<const N: usize>(names: [&str; N]) -> String {
        json!(names.map(|name| (name, name)).into_iter().collect::<BTreeMap<_, _>>()).to_string()
    }

    /// Has the function of a trigger do something.
    pub fn on(&self, name: &str, function: impl Fn(&Value) -> Reply + Send + Sync + 'static) {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::new(function));
    }

    /// Has the function of a trigger always return the event with this as its response.
    pub fn answer(&self, name: &str, response: Value) {
        self.on(name, move |_| Reply::Response(response.clone()));
    }

    /// Every event that was sent, the oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The sources of the events that were sent, the oldest first.
    #[must_use]
    pub fn sources(&self) -> Vec<String> {
        self.events().iter().map(|event| event["triggerSource"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The newest event of a source.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn event(&self, source: &str) -> Value {
        let found = self.events().into_iter().rev().find(|event| event["triggerSource"] == source);
        found.unwrap_or_else(|| panic!("no event of {source}, but {:?}", self.sources()))
    }

    /// Forgets what was sent.
    pub fn forget(&self) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

async fn invoke(
    State(triggers): State<Triggers>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut event: Value = serde_json::from_slice(&body).unwrap_or_default();
    triggers.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    if headers.get("x-amz-invocation-type").is_some_and(|kind| kind == "Event") {
        return StatusCode::ACCEPTED.into_response();
    }
    let function = triggers.functions.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
    let error = |payload: Value| ([("x-amz-function-error", "Unhandled")], payload.to_string()).into_response();
    match function.map(|function| function(&event)) {
        None => event.to_string().into_response(),
        Some(Reply::Response(response)) => {
            event["response"] = response;
            event.to_string().into_response()
        }
        Some(Reply::Returns(value)) => value.to_string().into_response(),
        Some(Reply::Throws(message)) => error(json!({"errorType": "Error", "errorMessage": message, "trace": []})),
        Some(Reply::Crashes(payload)) => error(payload),
        Some(Reply::Refused(status, kind)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [("x-amzn-errortype", kind)], json!({"Message": "refused"}).to_string()).into_response()
        }
        Some(Reply::ResponseAfter(told, response)) => {
            told.notified().await;
            event["response"] = response;
            event.to_string().into_response()
        }
        Some(Reply::Hangs) => std::future::pending().await,
    }
}
