//! Refusals and failures on this wire: `application/problem+json` (RFC 9457).

use std::borrow::Cow;

use freehold_domain::Error;
use lambda_http::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::response::response;

#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: Cow<'a, str>,
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemField<'a>>,
}

#[derive(Serialize)]
struct ProblemField<'a> {
    field: &'a str,
    code: &'static str,
    detail: &'a str,
}

/// The answer to a refusal or a failure. What went wrong inside is logged here, and goes no further.
#[must_use]
pub fn of(error: &Error) -> Response<Body> {
    let code = error.code();
    log(error);
    let (status, title, detail) = words(error);
    let problem = Problem {
        r#type: format!("urn:freehold:problem:{code}"),
        title,
        status: status.as_u16(),
        detail,
        code,
        errors: fields(error),
    };
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let mut response = response(status, "application/problem+json", body);
    let headers = response.headers_mut();
    if *error == Error::InvalidAccessToken {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer error="invalid_token""#));
    }
    if let Some(seconds) = retry_after(error) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Writes down that a request was refused or failed.
pub(crate) fn log(error: &Error) {
    let code = error.code();
    if let Some(cause) = error.cause() {
        tracing::error!(code, cause, "a request failed");
    } else {
        tracing::info!(code, "a request was refused");
    }
}

/// The status, the title and a sentence for the person in front of the client. This match is the whole of what an error
/// means on this wire.
pub(crate) fn words(error: &Error) -> (StatusCode, &'static str, Cow<'static, str>) {
    let (status, title, detail) = match error {
        // Word for word what Cognito says.
        Error::TriggerRefused(trigger, message) => {
            let detail = format!("{trigger} failed with error {message}.");
            return (StatusCode::BAD_REQUEST, "Refused by a trigger", detail.into());
        }
        Error::TriggerFailed(_) => {
            (StatusCode::BAD_GATEWAY, "Trigger failed", "A function of the pool's owner does not answer as it must.")
        }
        Error::InvalidJson => {
            (StatusCode::BAD_REQUEST, "Invalid JSON", "The body is not the JSON object that this action takes.")
        }
        Error::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Body too large", "A body has at most 16 KiB."),
        Error::UnsupportedMediaType => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", "Send application/json in UTF-8.")
        }
        Error::CrossSite => (StatusCode::FORBIDDEN, "Cross-site request", "A page of this site may not send this."),
        Error::InvalidFields(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "Invalid fields", "Some fields are not as they must be: see errors.")
        }
        Error::EmailTaken => (StatusCode::CONFLICT, "Address taken", "An account with this address exists."),
        Error::InvalidAnswer => (
            StatusCode::BAD_REQUEST,
            "Invalid token",
            "The link or the code is not valid: it was used, has expired or was replaced.",
        ),
        Error::InvalidCredentials => {
            (StatusCode::UNAUTHORIZED, "Invalid credentials", "The address or the password is wrong.")
        }
        Error::EmailNotVerified => {
            (StatusCode::FORBIDDEN, "Address not verified", "Open the link in the mail that was sent to the address.")
        }
        Error::PasswordResetRequired => (
            StatusCode::FORBIDDEN,
            "Password reset required",
            "The password must be set anew: ask for a mail by which to do it.",
        ),
        Error::InvalidSession => {
            (StatusCode::UNAUTHORIZED, "Invalid session", "This sign-in is over, or took too long: begin again.")
        }
        Error::InvalidRefreshToken => {
            (StatusCode::UNAUTHORIZED, "Invalid refresh token", "The session has ended: sign in again.")
        }
        Error::InvalidAccessToken => {
            (StatusCode::UNAUTHORIZED, "Invalid token", "The access token is missing, has expired or was revoked.")
        }
        Error::RecentLoginRequired => (
            StatusCode::FORBIDDEN,
            "Recent sign-in required",
            "Sign in again: this needs a sign-in of the last 10 minutes.",
        ),
        Error::TooManyAttempts(_) => (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many attempts",
            "It was tried too often: wait, or, for a password, use a mailed link.",
        ),
        Error::EmailChangedRecently => (
            StatusCode::CONFLICT,
            "Address changed recently",
            "The address was changed in the last 7 days: until then only the old one's owner can change it back.",
        ),
        Error::DeletionPending => (
            StatusCode::CONFLICT,
            "Deletion pending",
            "The account is to be deleted: keep it first, by the link in the mail that said so.",
        ),
        Error::NotFound => (StatusCode::NOT_FOUND, "Not found", "There is no such thing."),
        Error::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "Unavailable", "Something does not answer for now: try again.")
        }
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Internal error", "Something is wrong on our side."),
    };
    (status, title, detail.into())
}

/// The seconds after which trying again may help, rounded up.
fn retry_after(error: &Error) -> Option<u64> {
    if let Error::TooManyAttempts(pause) = error {
        return Some(pause.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX).max(1));
    }
    matches!(error, Error::Unavailable(_)).then_some(1)
}

fn fields(error: &Error) -> Vec<ProblemField<'_>> {
    let Error::InvalidFields(fields) = error else { return Vec::new() };
    fields
        .iter()
        .map(|error| ProblemField { field: &error.field, code: error.code.as_str(), detail: &error.detail })
        .collect()
}
