use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::Value;

/// What a token says, which nobody has verified here.
///
/// # Panics
/// Where it is no token.
#[must_use]
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).expect("a token has three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("its claims are base64url");
    serde_json::from_slice(&payload).expect("its claims are JSON")
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON; null, where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A field of the body, as text; empty, where there is none.
    #[must_use]
    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_default().to_owned()
    }

    /// A header, as text; empty, where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// What the session's cookie was set to: its value and its `Max-Age`. Nothing, where it was not set.
    #[must_use]
    pub fn session_cookie(&self) -> Option<(String, u64)> {
        let cookie = self.headers.get(SET_COOKIE)?.to_str().ok()?;
        let (value, attributes) = cookie.strip_prefix("__Host-refresh_token=")?.split_once("; ")?;
        let max_age = attributes.rsplit_once("Max-Age=")?.1.parse().ok()?;
        Some((value.to_owned(), max_age))
    }

    /// Asserts a status and a code, and that the answer has the shape of a problem.
    ///
    /// # Panics
    /// Where it is another answer.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.text("code").as_str()), (status, code), "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
    }

    /// Asserts a status.
    ///
    /// # Panics
    /// Where it is another.
    #[track_caller]
    pub fn assert_status(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
    }
}
