//! Bodies: small, UTF-8, of a media type that the action takes, and without fields that it does not know.

use freehold_domain::Error;
use freehold_domain::email::Email;
use freehold_domain::error::{FieldCode, FieldError};
use freehold_domain::name::DisplayName;
use lambda_http::http::header::CONTENT_TYPE;
use lambda_http::{Body, Request};
use serde::de::DeserializeOwned;

const MAX_BYTES: usize = 16 * 1024;
/// How many unknown fields an answer names: it is not to be longer than what it answers.
const MAX_NAMED: usize = 16;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Reads a JSON object. Unknown fields are refused, so that nobody sets what an action does not take.
///
/// # Errors
/// [`Error::BodyTooLarge`], [`Error::UnsupportedMediaType`], [`Error::InvalidJson`], and [`Error::InvalidFields`] for fields
/// that the action does not know.
pub fn json<T: DeserializeOwned>(request: &Request) -> Result<T, Error> {
    let bytes = within_bounds(request)?;
    if media_type(request).as_deref() != Some(JSON) {
        return Err(Error::UnsupportedMediaType);
    }
    // The deserializer does not look into fields that it passes over: what is no text is refused as a whole.
    let text = std::str::from_utf8(bytes).map_err(|_| Error::InvalidJson)?;
    // It also takes an array for a struct, field by field.
    if !text.trim_start().starts_with('{') {
        return Err(Error::InvalidJson);
    }
    let mut unknown = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_ignored::deserialize(&mut deserializer, |path| {
        if unknown.len() < MAX_NAMED {
            let detail = "The action takes no such field.";
            unknown.push(FieldError::new(&path.to_string(), FieldCode::UnknownField, detail));
        }
    });
    let value = value.map_err(|_| Error::InvalidJson)?;
    deserializer.end().map_err(|_| Error::InvalidJson)?;
    if unknown.is_empty() { Ok(value) } else { Err(Error::InvalidFields(unknown)) }
}

/// Reads a JSON object, or nothing at all, as an action does whose token may come in a cookie.
///
/// # Errors
/// Those of [`json`].
pub fn json_or_nothing<T: DeserializeOwned + Default>(request: &Request) -> Result<T, Error> {
    if within_bounds(request)?.is_empty() { Ok(T::default()) } else { json(request) }
}

/// Whether the body is what a form on a page of ours sends.
#[must_use]
pub fn is_form(request: &Request) -> bool {
    media_type(request).as_deref() == Some(FORM)
}

/// The value of a field of a form; nothing, where the form does not have it exactly once, or not in UTF-8.
///
/// # Errors
/// [`Error::BodyTooLarge`].
pub fn form_field(request: &Request, name: &str) -> Result<Option<String>, Error> {
    let mut values = form_urlencoded::parse(within_bounds(request)?).filter(|(key, _)| key == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    // What is not UTF-8 is decoded to this character, and many passwords to the same one.
    Ok(value.filter(|value| values.next().is_none() && !value.contains(char::REPLACEMENT_CHARACTER)))
}

/// The name in the field `name`.
///
/// # Errors
/// What is wrong with the field.
pub fn name(name: &str) -> Result<DisplayName, FieldError> {
    let detail = "A name has 1 to 64 printable characters.";
    DisplayName::parse(name).ok_or_else(|| FieldError::new("name", FieldCode::InvalidName, detail))
}

/// The address in a field, which mail can be sent to.
///
/// # Errors
/// What is wrong with the field.
pub fn email(field: &'static str, email: Option<&str>) -> Result<Email, FieldError> {
    let detail = "This is not a mail address that can be sent to.";
    Email::parse(email.unwrap_or_default()).ok_or_else(|| FieldError::new(field, FieldCode::InvalidEmail, detail))
}

/// The address in the field `email`, where an action takes nothing else.
///
/// # Errors
/// [`Error::InvalidFields`].
pub fn sendable(address: Option<&str>) -> Result<Email, Error> {
    email("email", address).map_err(|refused| Error::InvalidFields(vec![refused]))
}

/// The text in the field `current_password`. Whether any account can have such a password is for the caller to ask once every
/// field is there: it is refused like one that the account does not have.
///
/// # Errors
/// What is wrong with the field.
pub fn current_password(password: Option<String>) -> Result<String, FieldError> {
    let missing = "This field is missing.";
    password.ok_or_else(|| FieldError::new("current_password", FieldCode::InvalidPassword, missing))
}

fn within_bounds(request: &Request) -> Result<&[u8], Error> {
    let bytes: &[u8] = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        Body::Empty | _ => &[],
    };
    if bytes.len() > MAX_BYTES { Err(Error::BodyTooLarge) } else { Ok(bytes) }
}

/// The media type in lower case; nothing, where there is none, or its text is in another encoding than UTF-8.
fn media_type(request: &Request) -> Option<String> {
    let value = request.headers().get(CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next()?.to_owned();
    let is_utf_8 = parts
        .all(|parameter| parameter.strip_prefix("charset=").is_none_or(|charset| charset.trim_matches('"') == "utf-8"));
    is_utf_8.then_some(media_type)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Wire {
        email: Option<String>,
    }

    fn request(content_type: &str, body: impl Into<Body>) -> Request {
        lambda_http::http::Request::builder().header(CONTENT_TYPE, content_type).body(body.into()).unwrap()
    }

    fn read(body: impl Into<Body>) -> Result<Wire, Error> {
        json(&request("application/json", body))
    }

    #[test]
    fn an_object_is_read_as_text_and_as_bytes() {
        let wire = Wire { email: Some("a".to_owned()) };
        assert_eq!(read(r#"{"email":"a"}"#), Ok(wire));
        assert_eq!(read(b"{}".to_vec()), Ok(Wire::default()));
    }

    #[test]
    fn what_is_no_object_of_the_action_is_invalid_json() {
        let nested = format!("{}{}", "[".repeat(8_000), "]".repeat(8_000));
        let truncated_utf_8 = b"{\"email\":\"\xc3\"}".to_vec();
        for wrong in [
            "",
            "{",
            "[]",
            "[\"a\"]",
            "null",
            "\"a\"",
            "{} {}",
            r#"{"email":5}"#,
            r#"{"email":"a","email":"b"}"#,
            &nested,
        ] {
            assert_eq!(read(wrong), Err(Error::InvalidJson), "{}", &wrong[..wrong.len().min(20)]);
        }
        assert_eq!(read(truncated_utf_8), Err(Error::InvalidJson));
        assert_eq!(read(b"{\"unknown\":\"\xff\"}".to_vec()), Err(Error::InvalidJson));
    }

    #[test]
    fn every_unknown_field_is_named() {
        let Err(Error::InvalidFields(fields)) = read(r#"{"roles":["admin"],"email_verified":true}"#) else {
            panic!("unknown fields were taken")
        };
        let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(names, ["roles", "email_verified"]);
    }

    #[test]
    fn other_media_types_and_encodings_are_refused() {
        for right in ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""] {
            assert!(json::<Wire>(&request(right, "{}")).is_ok(), "{right}");
        }
        for wrong in ["", "text/plain", "application/json; charset=latin1", "application/jsonp", "multipart/form-data"]
        {
            assert_eq!(json::<Wire>(&request(wrong, "{}")), Err(Error::UnsupportedMediaType), "{wrong}");
        }
    }

    #[test]
    fn more_than_16_kib_are_refused_whatever_they_are() {
        assert_eq!(read(" ".repeat(MAX_BYTES + 1)), Err(Error::BodyTooLarge));
        assert!(read(format!("{{}}{}", " ".repeat(MAX_BYTES - 2))).is_ok());
    }

    #[test]
    fn nothing_is_as_good_as_an_empty_object_where_the_body_may_be_absent() {
        let absent = lambda_http::http::Request::new(Body::Empty);
        assert_eq!(json_or_nothing::<Wire>(&absent), Ok(Wire::default()));
    }

    #[test]
    fn a_field_that_a_form_has_twice_is_not_read() {
        let form = request(FORM, "user=a&token=b&token=c");
        assert_eq!(form_field(&form, "user"), Ok(Some("a".to_owned())));
        assert_eq!(form_field(&form, "token"), Ok(None));
    }

    #[test]
    fn a_field_of_a_form_that_is_not_utf_8_is_not_read() {
        let form = request(FORM, "right=p%C3%A4ss&wrong=p%E4ss");
        assert_eq!(form_field(&form, "right"), Ok(Some("päss".to_owned())));
        assert_eq!(form_field(&form, "wrong"), Ok(None));
    }
}
