//! What answers a mail, however it comes: in the query of its link, in the form of the page behind it, or as JSON.

use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_service::flow::challenge::{Answer, Link};
use lambda_http::{Request, RequestExt as _};

use crate::body;

/// Reads the link itself.
///
/// # Errors
/// [`Error::InvalidAnswer`].
pub fn in_query(request: &Request, purpose: Purpose) -> Result<Link, Error> {
    let query = request.query_string_parameters_ref();
    let parameter = |name| query.and_then(|query| query.first(name)).unwrap_or_default();
    Link::parse(purpose, parameter("user"), parameter("token"))
}

/// Reads the form of the page behind the link.
///
/// # Errors
/// [`Error::BodyTooLarge`] and [`Error::InvalidAnswer`].
pub fn in_form(request: &Request, purpose: Purpose) -> Result<Link, Error> {
    of_link(purpose, body::form_field(request, "user")?, body::form_field(request, "token")?)
}

/// Reads a link's account and token. One that is absent is refused like one that is not valid.
///
/// # Errors
/// [`Error::InvalidAnswer`].
pub fn of_link(purpose: Purpose, user: Option<String>, token: Option<String>) -> Result<Link, Error> {
    Link::parse(purpose, &user.unwrap_or_default(), &token.unwrap_or_default())
}

/// Reads what a program sends: a link's account and token, or an address and the code that was mailed to it.
///
/// # Errors
/// [`Error::InvalidAnswer`], where it is neither of the two, or both.
pub fn of_fields(
    purpose: Purpose,
    (user, token): (Option<String>, Option<String>),
    (email, code): (Option<String>, Option<String>),
) -> Result<Answer, Error> {
    match (user, token, email, code) {
        (Some(user), Some(token), None, None) => Link::parse(purpose, &user, &token).map(Answer::Link),
        (None, None, Some(email), Some(code)) => Answer::parse_code(&email, &code),
        _ => Err(Error::InvalidAnswer),
    }
}
