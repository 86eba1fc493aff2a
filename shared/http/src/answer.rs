//! Answers.

use freehold_domain::appearance::WebAddress;
use freehold_domain::{Error, Timestamp};
use lambda_http::http::header::{CACHE_CONTROL, LOCATION};
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::problem;
use crate::response::response;

/// The answer of an action, a refusal among them.
#[must_use]
pub fn of(result: Result<Response<Body>, Error>) -> Response<Body> {
    result.unwrap_or_else(|error| problem::of(&error))
}

/// A JSON answer that no cache keeps.
///
/// # Errors
/// [`Error::Internal`], where the value cannot be written.
pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Error> {
    let body = serde_json::to_string(value).map_err(|_| Error::internal("an answer could not be written"))?;
    Ok(response(status, "application/json", body))
}

/// The JSON answer of most actions that only say that they were done.
///
/// # Errors
/// Those of [`json`].
pub fn message(status: StatusCode, message: &'static str) -> Result<Response<Body>, Error> {
    #[derive(Serialize)]
    struct Wire {
        message: &'static str,
    }
    json(status, &Wire { message })
}

/// Sends a browser on to another page, for this time.
///
/// # Errors
/// [`Error::Internal`], where the address cannot stand in a header.
pub fn redirect(to: &WebAddress) -> Result<Response<Body>, Error> {
    let mut response = response(StatusCode::FOUND, "text/plain", String::new());
    let location = HeaderValue::from_str(to.as_str()).map_err(|_| Error::internal("an address is no header"))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Lets caches keep an answer for so long.
#[must_use]
pub fn cacheable(mut response: Response<Body>, max_age_seconds: u32) -> Response<Body> {
    let value = HeaderValue::try_from(format!("public, max-age={max_age_seconds}"));
    response.headers_mut().insert(CACHE_CONTROL, value.unwrap_or(HeaderValue::from_static("no-store")));
    response
}

/// A moment as RFC 3339 writes it, in UTC.
///
/// # Errors
/// [`Error::Internal`], for a moment past the year 9999.
pub fn rfc3339(moment: Timestamp) -> Result<String, Error> {
    let nanos = i128::from(moment.as_millis()) * 1_000_000;
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    moment.and_then(|moment| moment.format(&Rfc3339).ok()).ok_or_else(|| Error::internal("a moment is out of bounds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339_says() {
        let moment = Timestamp::from_millis(1_767_225_600_120);
        assert_eq!(rfc3339(moment).as_deref(), Ok("2026-01-01T00:00:00.12Z"));
        assert!(rfc3339(Timestamp::from_millis(u64::MAX)).is_err());
    }
}
