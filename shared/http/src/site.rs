//! Which web pages may sign in, refresh and sign out.

use freehold_domain::Error;
use freehold_service::Config;
use lambda_http::Request;
use lambda_http::http::header::{HeaderName, ORIGIN};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses the requests that a page of another site makes a browser send. A browser says which page it was; a program that
/// is none says nothing, and has no cookies of somebody else to send.
///
/// # Errors
/// [`Error::CrossSite`].
pub fn check(request: &Request, config: &Config) -> Result<(), Error> {
    let mut origins = request.headers().get_all(ORIGIN).iter().peekable();
    let is_allowed = if origins.peek().is_some() {
        let allowed = || std::iter::once(&config.public_url).chain(&config.allowed_origins);
        origins.all(|origin| allowed().any(|allowed| origin.as_bytes() == allowed.as_str().as_bytes()))
    } else {
        let sites = request.headers().get_all(SEC_FETCH_SITE);
        sites.iter().all(|site| site == "same-origin" || site == "none")
    };
    if is_allowed { Ok(()) } else { Err(Error::CrossSite) }
}

/// Refuses a browser's request for a refresh token that scripts can read: there the cookie is the place for it.
///
/// # Errors
/// [`Error::CrossSite`].
pub fn refuse_browsers(request: &Request) -> Result<(), Error> {
    let says_so = |name: &HeaderName| *name == ORIGIN || name.as_str().starts_with("sec-fetch-");
    if request.headers().keys().any(says_so) { Err(Error::CrossSite) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use lambda_http::Body;

    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut request = lambda_http::http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::Empty).unwrap()
    }

    fn is_allowed(headers: &[(&str, &str)]) -> bool {
        let config = Config::from_lookup(|name| {
            let value = match name {
                "POOL_ID" => "eu-west-1_A",
                "TABLE_NAME" => "freehold",
                "PUBLIC_URL" => "https://auth.example",
                "ALLOWED_ORIGINS" => "https://app.example,https://www.app.example",
                _ => return None,
            };
            Some(value.to_owned())
        });
        check(&request(headers), &config.unwrap()).is_ok()
    }

    #[test]
    fn own_and_configured_origins_are_allowed_and_programs_too() {
        assert!(is_allowed(&[]));
        for origin in ["https://auth.example", "https://app.example", "https://www.app.example"] {
            assert!(is_allowed(&[("origin", origin), ("sec-fetch-site", "cross-site")]), "{origin}");
        }
        assert!(is_allowed(&[("sec-fetch-site", "same-origin")]) && is_allowed(&[("sec-fetch-site", "none")]));
    }

    #[test]
    fn other_origins_and_sites_are_refused() {
        for origin in [
            "null",
            "",
            "https://evil.example",
            "http://auth.example",
            "https://auth.example.evil",
            "https://AUTH.example",
        ] {
            assert!(!is_allowed(&[("origin", origin), ("sec-fetch-site", "same-origin")]), "{origin}");
        }
        assert!(!is_allowed(&[("origin", "https://auth.example"), ("origin", "https://evil.example")]));
        for site in ["cross-site", "same-site", ""] {
            assert!(!is_allowed(&[("sec-fetch-site", site)]), "{site}");
        }
    }

    #[test]
    fn a_browser_is_known_by_what_it_says() {
        assert!(refuse_browsers(&request(&[("user-agent", "Mozilla/5.0")])).is_ok());
        for header in ["origin", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"] {
            assert!(refuse_browsers(&request(&[(header, "a")])).is_err(), "{header}");
        }
    }
}
