//! The two pages that `local` adds: what is served, and the mailbox.

use std::fmt::Write as _;

use freehold_domain::language::Language;
use freehold_service::mail::Letter;

use crate::mailbox::Mail;
use crate::routes::Routes;

const STYLE: &str =
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
article { border-top: 1px solid #bbb; margin-top: 2rem }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit }
iframe { width: 100%; height: 30rem; border: 1px solid #bbb }";

/// What this instance serves. Under `cargo lambda watch` it serves no route itself.
pub(crate) fn index(routes: Option<&Routes>) -> String {
    let mut body = "<p><a href=\"/_local/mail\">The mail that was sent</a>, and \
                    <a href=\"/_local/mail/preview\">what there is to be sent</a></p>\n<ul>\n"
        .to_owned();
    for route in routes.into_iter().flat_map(Routes::iter) {
        let _ = writeln!(body, "<li><code>{}</code>: {}</li>", escaped(route.key()), escaped(route.function()));
    }
    page("Freehold, locally", &(body + "</ul>"))
}

/// All mail, for a person. Mail can hold what strangers typed, so its HTML runs in a sandbox that may only open tabs.
pub(crate) fn mailbox(mails: &[Mail]) -> String {
    let mut body = String::new();
    if mails.is_empty() {
        body.push_str("<p>No mail has been sent yet. Reload this page once something was.</p>");
    }
    for Mail { from, to, subject, text, html, sent_at } in mails {
        body.push_str(&letter(subject, &format!("From {from} to {to}, {sent_at}"), text, html));
    }
    page("Sent mail", &body)
}

/// Every mail that the pool sends, in every language.
pub(crate) fn preview(letters: &[(Language, Letter)]) -> String {
    let body: String = letters
        .iter()
        .map(|(language, sent)| {
            letter(&sent.subject, language.tag(), sent.text.as_deref().unwrap_or_default(), &sent.html)
        })
        .collect();
    page("What there is to be sent", &body)
}

fn letter(subject: &str, about: &str, text: &str, html: &str) -> String {
    let (subject, about, text) = (escaped(subject), escaped(about), linked(text));
    let mut article = format!("<article>\n<h2>{subject}</h2>\n<p>{about}</p>\n<pre>{text}</pre>\n");
    if !html.is_empty() {
        let html = escaped(&format!("<base target=\"_blank\">{html}"));
        let sandbox = "allow-popups allow-popups-to-escape-sandbox";
        let _ = writeln!(article, "<iframe title=\"{subject}\" sandbox=\"{sandbox}\" srcdoc=\"{html}\"></iframe>");
    }
    article + "</article>\n"
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{STYLE}\n</style>\n<h1>{title}</h1>\n{body}\n</html>\n"
    )
}

/// Text in which web addresses, and nothing else, are links.
fn linked(text: &str) -> String {
    let mut linked = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let address = word.trim_end().trim_end_matches(['.', ',', ')', '>']);
        let (shown, rest) = (escaped(address), escaped(&word[address.len()..]));
        let _ = if address.starts_with("https://") || address.starts_with("http://") {
            write!(linked, "<a href=\"{shown}\" target=\"_blank\" rel=\"noreferrer\">{shown}</a>{rest}")
        } else {
            write!(linked, "{shown}{rest}")
        };
    }
    linked
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(text: &str, html: &str) -> Mail {
        Mail {
            from: "<i>@example.com".into(),
            to: "<b>@example.com".into(),
            subject: "\"><script>alert(1)</script>".into(),
            text: text.into(),
            html: html.into(),
            sent_at: "2026-01-01T00:00:00Z".into(),
        }
    }

    #[test]
    fn nothing_in_a_mail_becomes_markup_of_the_page() {
        let page = mailbox(&[mail("<img src=x onerror=alert(1)>", "\"></iframe><script>alert(1)</script>")]);
        for markup in ["<script", "<img", "<b>", "\"></iframe><"] {
            assert!(!page.contains(markup), "{markup} in {page}");
        }
    }

    #[test]
    fn the_html_body_is_sandboxed() {
        let page = mailbox(&[mail("", "<p>hello</p>")]);
        assert!(page.contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\" srcdoc=\"&lt;base"), "{page}");
    }

    #[test]
    fn web_addresses_become_links_and_nothing_else_does() {
        assert_eq!(
            linked("Open http://localhost/v#token=a&b.\njavascript:alert(1)"),
            "Open <a href=\"http://localhost/v#token=a&amp;b\" target=\"_blank\" rel=\"noreferrer\">\
             http://localhost/v#token=a&amp;b</a>.\njavascript:alert(1)"
        );
    }
}
