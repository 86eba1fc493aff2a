//! What a mailed link carries, however it comes: in the query of the link, in the form of its page, or as JSON.

use freehold_domain::Error;
use freehold_service::flow::verify_email::Input;
use lambda_http::{Request, RequestExt as _};
use serde::Deserialize;

use crate::body;

#[derive(Deserialize)]
struct Wire {
    user_id: Option<String>,
    token: Option<String>,
}

/// Reads the link itself.
///
/// # Errors
/// [`Error::InvalidVerificationToken`].
pub fn in_query(request: &Request) -> Result<Input, Error> {
    let query = request.query_string_parameters_ref();
    let parameter = |name| query.and_then(|query| query.first(name)).unwrap_or_default();
    Input::parse(parameter("user"), parameter("token"))
}

/// Reads the form of the page behind the link.
///
/// # Errors
/// [`Error::BodyTooLarge`] and [`Error::InvalidVerificationToken`].
pub fn in_form(request: &Request) -> Result<Input, Error> {
    let (user, token) = (body::form_field(request, "user")?, body::form_field(request, "token")?);
    Input::parse(&user.unwrap_or_default(), &token.unwrap_or_default())
}

/// Reads what a program sends.
///
/// # Errors
/// Those of [`body::json`] and [`Error::InvalidVerificationToken`].
pub fn in_json(request: &Request) -> Result<Input, Error> {
    let Wire { user_id, token } = body::json(request)?;
    Input::parse(&user_id.unwrap_or_default(), &token.unwrap_or_default())
}
