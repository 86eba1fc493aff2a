//! What a request shows of who sent it.

use lambda_http::Request;
use lambda_http::http::header::AUTHORIZATION;

/// The access token of `Authorization: Bearer` (RFC 6750, section 2.1); nothing, where the header is absent, is there
/// twice, or has another scheme.
#[must_use]
pub fn bearer(request: &Request) -> Option<&str> {
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() { None } else { bearer_of(value) }
}

/// The access token of the value of an `Authorization` header.
#[must_use]
pub fn bearer_of(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        assert_eq!(bearer_of("Bearer a.b.c"), Some("a.b.c"));
        assert_eq!(bearer_of("bearer  a.b.c"), Some("a.b.c"));
        for wrong in ["", "Bearer", "Bearer ", "Basic YTpi", "a.b.c", "Bearera.b.c"] {
            assert_eq!(bearer_of(wrong), None, "{wrong}");
        }
    }
}
