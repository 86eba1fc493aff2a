//! The CORS answers of an HTTP API, for the origins that are configured.

use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName, ORIGIN,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::template::CorsConfiguration;

/// The template's settings and the configured origins, of which there is at least one.
#[derive(Debug)]
pub(crate) struct Cors {
    settings: CorsConfiguration,
    origins: Vec<String>,
}

impl Cors {
    /// The settings for `ALLOWED_ORIGINS`; like the template's condition, none where that is empty.
    pub(crate) fn new(settings: CorsConfiguration, allowed_origins: &str) -> Option<Self> {
        let origins: Vec<_> =
            allowed_origins.split(',').filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
        (!origins.is_empty()).then_some(Self { settings, origins })
    }

    /// The answer to a preflight, which the gateway gives without asking a function.
    pub(crate) fn preflight(&self, request: &HeaderMap) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        if let Some(origin) = self.allowed(request) {
            let max_age = self.settings.max_age.to_string();
            self.admit(&mut response, origin);
            set(&mut response, ACCESS_CONTROL_ALLOW_METHODS, &self.settings.allow_methods.join(","));
            set(&mut response, ACCESS_CONTROL_ALLOW_HEADERS, &self.settings.allow_headers.join(","));
            set(&mut response, ACCESS_CONTROL_MAX_AGE, &max_age);
        }
        response
    }

    /// Puts the gateway's headers in the place of whatever CORS headers a function wrote.
    pub(crate) fn apply(&self, request: &HeaderMap, response: &mut Response) {
        let written = response.headers().keys().filter(|name| name.as_str().starts_with("access-control-"));
        for name in written.cloned().collect::<Vec<_>>() {
            response.headers_mut().remove(name);
        }
        if let Some(origin) = self.allowed(request) {
            self.admit(response, origin);
            set(response, ACCESS_CONTROL_EXPOSE_HEADERS, &self.settings.expose_headers.join(","));
        }
    }

    fn allowed<'a>(&self, request: &'a HeaderMap) -> Option<&'a str> {
        let origin = request.get(ORIGIN)?.to_str().ok()?;
        self.origins.iter().any(|allowed| allowed == origin).then_some(origin)
    }

    fn admit(&self, response: &mut Response, origin: &str) {
        set(response, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.settings.allow_credentials {
            set(response, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
    }
}

/// Sets a header, unless it would be empty.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        let settings = CorsConfiguration {
            allow_credentials: true,
            allow_methods: vec!["GET".into(), "POST".into()],
            allow_headers: vec!["content-type".into()],
            expose_headers: vec![],
            max_age: 600,
        };
        Cors::new(settings, "https://app.example.com,https://other.example.com").unwrap()
    }

    fn from(origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))])
    }

    #[test]
    fn a_preflight_is_answered_for_configured_origins_alone() {
        let response = cors().preflight(&from("https://other.example.com"));
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "https://other.example.com");
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        for origin in ["https://evil.example.com", "null", "https://app.example.com.evil.example"] {
            let refused = cors().preflight(&from(origin));
            assert_eq!((refused.status().as_u16(), refused.headers().len()), (204, 0), "{origin}");
        }
    }

    #[test]
    fn a_functions_own_cors_headers_never_pass() {
        let mut response = (StatusCode::OK, [(ACCESS_CONTROL_ALLOW_ORIGIN, "*")]).into_response();
        cors().apply(&from("https://evil.example.com"), &mut response);
        assert!(!response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}
