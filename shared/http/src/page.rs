//! The few pages that a person sees: a title, some sentences, and perhaps a form. They need no script and load nothing.

use freehold_domain::Error;
use lambda_http::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::{Body, Response};
use minijinja::{Environment, context};

use crate::problem;
use crate::response::response;

const TEMPLATE: &str = include_str!("page.html");
// Nothing is loaded, framed or sent elsewhere, whatever a page were made to say.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page.
pub struct Page<'a> {
    /// What it is about.
    pub title: &'a str,
    /// What it says, a paragraph each.
    pub sentences: &'a [&'a str],
    /// What a person can do there.
    pub form: Option<Form<'a>>,
}

/// A form, with nothing to fill in but perhaps a password.
pub struct Form<'a> {
    /// Names and values that are sent along.
    pub fields: &'a [(&'a str, &'a str)],
    /// The name and the label of a password that is chosen here.
    pub new_password: Option<(&'a str, &'a str)>,
    /// Labels and where each sends the form, the expected one first.
    pub buttons: &'a [(&'a str, &'a str)],
}

impl Page<'_> {
    /// The page as an answer. Its address carries a secret, so it tells no other page where its reader came from.
    ///
    /// # Errors
    /// [`Error::Internal`], where the template is broken.
    pub fn answer(&self, status: StatusCode) -> Result<Response<Body>, Error> {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(one, other)| vec![(*one).to_owned(), (*other).to_owned()]).collect::<Vec<_>>()
        };
        let context = context! {
            title => self.title,
            sentences => self.sentences.iter().map(|sentence| (*sentence).to_owned()).collect::<Vec<_>>(),
            fields => self.form.as_ref().map(|form| pairs(form.fields)),
            new_password => self.form.as_ref().and_then(|form| form.new_password).map(|field| pairs(&[field])),
            buttons => self.form.as_ref().map(|form| pairs(form.buttons)),
        };
        let html = Environment::new()
            .render_named_str("page.html", TEMPLATE, context)
            .map_err(|_| Error::internal("the template of a page is broken"))?;
        let mut response = response(status, "text/html; charset=utf-8", html);
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Ok(response)
    }
}

/// The answer of an action to a person at a browser: what a link can be refused for is a page too.
#[must_use]
pub fn answer_of(result: Result<Response<Body>, Error>) -> Response<Body> {
    let invalid_link = Page {
        title: "This link is not valid",
        sentences: &["It was used already, it has expired, or a newer mail has replaced it."],
        form: None,
    };
    crate::answer::of(match result {
        Err(Error::InvalidAnswer) => invalid_link.answer(StatusCode::BAD_REQUEST),
        Err(
            refusal @ (Error::EmailTaken
            | Error::EmailChangedRecently
            | Error::DeletionPending
            | Error::TriggerRefused(..)
            | Error::TriggerFailed(_)),
        ) => {
            problem::log(&refusal);
            let (status, title, detail) = problem::words(&refusal);
            Page { title, sentences: &[&detail], form: None }.answer(status)
        }
        result => result,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_is_told_is_escaped() {
        let form = Form { fields: &[("token", "\"><script>")], new_password: None, buttons: &[("<Go>", "/go")] };
        let page = Page { title: "<title>", sentences: &["<b>a & b</b>"], form: Some(form) };
        let response = page.answer(StatusCode::OK).unwrap();
        let Body::Text(html) = response.body() else { panic!("a page is text") };
        assert!(!html.contains("<b>") && !html.contains("<script>") && !html.contains("<Go>"), "{html}");
        assert!(html.contains("&lt;b&gt;a &amp; b") && html.contains("formaction=\"&#x2f;go\""), "{html}");
    }
}
