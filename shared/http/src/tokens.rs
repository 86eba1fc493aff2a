//! The answer of a sign-in and of a refresh.

use freehold_domain::error::{FieldCode, FieldError};
use freehold_domain::{Error, access_token};
use freehold_service::flow::SessionToken;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::{answer, session_cookie};

/// Where a refresh token goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenIn {
    /// Into a cookie that scripts cannot read.
    Cookie,
    /// Into the answer, for clients that have no cookies.
    Body,
}

impl TokenIn {
    /// Reads the field `token_in`. What a page does not say goes into a cookie, and a page may say nothing else.
    ///
    /// # Errors
    /// What is wrong with the field.
    pub fn read(token_in: Option<&str>) -> Result<Self, FieldError> {
        match token_in {
            None | Some("cookie") => Ok(Self::Cookie),
            Some("body") => Ok(Self::Body),
            Some(_) => Err(FieldError::new("token_in", FieldCode::InvalidTokenIn, "It is \"cookie\" or \"body\".")),
        }
    }
}

#[derive(Serialize)]
struct Tokens<'a> {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

/// The answer that hands out tokens.
///
/// # Errors
/// [`Error::Internal`], where it cannot be written.
pub fn answer(
    access_token: String,
    session_token: Option<&SessionToken>,
    token_in: TokenIn,
) -> Result<Response<Body>, Error> {
    let in_body = session_token.filter(|_| token_in == TokenIn::Body);
    let tokens = Tokens {
        access_token,
        token_type: "Bearer",
        expires_in: access_token::LIFETIME.as_secs(),
        refresh_token: in_body.map(|token| token.text.as_str()),
    };
    let response = answer::json(StatusCode::OK, &tokens)?;
    match session_token.filter(|_| token_in == TokenIn::Cookie) {
        Some(token) => session_cookie::set(response, token),
        None => Ok(response),
    }
}
