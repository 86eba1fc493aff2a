//! A function that another program serves, such as `cargo lambda watch` or the runtime interface emulator.

use std::error::Error as _;
use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderMap, header};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::{Map, Value};

use super::{Answer, ERROR_TYPE, FUNCTION_ERROR};

/// The longest that a function may run in Lambda.
const LONGEST: Duration = Duration::from_mins(15);

/// A client for all functions that other programs serve. They stand on this machine, where no proxy would find them.
pub(super) fn client() -> reqwest::Result<Client> {
    Client::builder().redirect(Policy::none()).no_proxy().timeout(LONGEST).build()
}

/// A function that another program serves by the Invoke API.
#[derive(Clone)]
pub(super) struct Remote {
    client: Client,
    url: Url,
}

impl Remote {
    pub(super) fn new(client: Client, url: Url) -> Self {
        Self { client, url }
    }

    /// Passes an event on; an error says why nobody answered it.
    pub(super) async fn invoke(&self, payload: Bytes) -> Result<Answer, String> {
        let request = self.client.post(self.url.clone()).header(header::CONTENT_TYPE, "application/json").body(payload);
        let response = request.send().await.map_err(|error| reason(&error))?;
        let status = response.status();
        let mut headers = HeaderMap::new();
        for name in [FUNCTION_ERROR, ERROR_TYPE] {
            if let Some(value) = response.headers().get(name) {
                headers.insert(name, value.clone());
            }
        }
        let payload = response.bytes().await.map_err(|error| reason(&error))?;
        // `cargo lambda watch` answers the error of a function with status 500, the runtime interface emulator with
        // 200, and neither with the header by which Lambda tells it.
        if headers.is_empty() && is_function_error(&payload) {
            return Ok(Answer::failed(payload));
        }
        Ok(Answer { status, headers, payload })
    }
}

/// Whether a body is an error as Lambda's runtimes report it, rather than the event that a trigger returns.
fn is_function_error(payload: &[u8]) -> bool {
    let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(payload) else { return false };
    let has = |name: &str| fields.contains_key(name);
    has("errorType") && has("errorMessage") && !has("response") && !has("triggerSource")
}

/// The error and what it comes from, which alone says that nobody listens there.
fn reason(error: &reqwest::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_from_an_event() {
        assert!(is_function_error(br#"{"errorType":"Error","errorMessage":"no","trace":[]}"#));
        for answer in [
            r#"{"errorMessage":"no"}"#,
            r#"{"errorType":"Error","errorMessage":"no","response":{}}"#,
            r#"{"errorType":"Error","errorMessage":"no","triggerSource":"PreSignUp_SignUp"}"#,
            r#"["errorType","errorMessage"]"#,
            "null",
            "",
        ] {
            assert!(!is_function_error(answer.as_bytes()), "{answer}");
        }
    }
}
