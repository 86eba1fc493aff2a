use freehold_domain::language::Language;
use lambda_http::Request;
use lambda_http::http::header::ACCEPT_LANGUAGE;

/// The language that a request prefers, among those that mail is written in.
#[must_use]
pub fn language(request: &Request) -> Option<Language> {
    Language::preferred(request.headers().get(ACCEPT_LANGUAGE)?.to_str().ok()?)
}
