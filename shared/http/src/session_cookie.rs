//! The cookie that carries a refresh token.
//!
//! `__Host-` binds it to this host and to https; scripts do not see it, and other sites do not send it.

use freehold_domain::Error;
use freehold_service::flow::SessionToken;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::{COOKIE, SET_COOKIE};
use lambda_http::{Body, Request, Response};

const NAME: &str = "__Host-refresh_token";

/// The refresh token of a request's cookie.
#[must_use]
pub fn read(request: &Request) -> Option<&str> {
    let headers = request.headers().get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = headers.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    cookies.find(|(name, _)| *name == NAME).map(|(_, value)| value)
}

/// Hands out a refresh token with an answer, for the remaining life of its session.
///
/// # Errors
/// [`Error::Internal`], which the alphabet of tokens rules out.
pub fn set(mut response: Response<Body>, token: &SessionToken) -> Result<Response<Body>, Error> {
    let (text, max_age) = (&token.text, token.lifetime.as_secs());
    let cookie = format!("{NAME}={text}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={max_age}");
    let mut cookie =
        HeaderValue::try_from(cookie).map_err(|_| Error::internal("a refresh token does not fit into a cookie"))?;
    cookie.set_sensitive(true);
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Takes the refresh token back with an answer.
#[must_use]
pub fn clear(mut response: Response<Body>) -> Response<Body> {
    let cookie = "__Host-refresh_token=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";
    response.headers_mut().insert(SET_COOKIE, HeaderValue::from_static(cookie));
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let of = |cookie: &str| lambda_http::http::Request::builder().header(COOKIE, cookie).body(Body::Empty).unwrap();
        assert_eq!(read(&of("a=b; __Host-refresh_token=fh_rt_x; c=d")), Some("fh_rt_x"));
        assert_eq!(read(&of("refresh_token=fh_rt_x; x__Host-refresh_token=y")), None);
    }

    #[test]
    fn the_cookie_is_as_closed_as_a_cookie_can_be() {
        let token = SessionToken { text: "fh_rt_x".to_owned(), lifetime: Duration::from_mins(1) };
        let expected = "__Host-refresh_token=fh_rt_x; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=60";
        let cookie = |response: Response<Body>| response.headers()[SET_COOKIE].to_str().unwrap().to_owned();
        assert_eq!(cookie(set(Response::default(), &token).unwrap()), expected);
        assert_eq!(cookie(clear(Response::default())), expected.replace("fh_rt_x", "").replace("60", "0"));
    }
}
