//! What a mail says, and handing it to SES.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::error::ProvideErrorMetadata as _;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use freehold_domain::Error;
use freehold_domain::email::Email;
use freehold_domain::mail::{Kind, Mail};
use freehold_domain::name::DisplayName;
use freehold_domain::public_url::Origin;
use minijinja::{Environment, context};

use crate::{Config, StartError};

/// With the outbox's backoff the tenth attempt comes after four hours.
const MAX_REJECTIONS: u32 = 10;

const VERIFY_EMAIL_TEXT: &str = include_str!("mail/verify-email.txt");
const VERIFY_EMAIL_HTML: &str = include_str!("mail/verify-email.html");

/// A client of SES that tries once, for at most 5 seconds: the outbox is what tries again.
#[must_use]
pub fn ses_client(sdk: &SdkConfig) -> aws_sdk_sesv2::Client {
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(5)).build();
    let config =
        aws_sdk_sesv2::config::Builder::from(sdk).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    aws_sdk_sesv2::Client::from_conf(config.build())
}

/// A mail, written out.
pub struct Letter {
    subject: &'static str,
    text: String,
    html: String,
}

impl Letter {
    /// Writes a mail out. Its link is built from where the pool stands on the web, and what people chose is escaped.
    ///
    /// # Errors
    /// [`Error::Internal`], where a template is broken.
    pub fn write(mail: &Mail, token: &str, public_url: &Origin) -> Result<Self, Error> {
        let (subject, text, html) = match mail.kind {
            Kind::VerifyEmail => ("Did you sign up?", VERIFY_EMAIL_TEXT, VERIFY_EMAIL_HTML),
        };
        let link = format!("{}/verify-email?user={}&token={token}", public_url.as_str(), mail.user);
        let name = mail.name.as_ref().and_then(DisplayName::for_greeting);
        let context = context! { name, link, address => mail.to.as_str() };
        // The names decide the escaping: what ends in .html is escaped for HTML.
        let render = |name, template| Environment::new().render_named_str(name, template, &context);
        let broken = |_| Error::internal("a template of a mail is broken");
        let text = render("mail.txt", text).map_err(broken)?;
        let html = render("mail.html", html).map_err(broken)?;
        Ok(Self { subject, text, html })
    }
}

/// Why SES did not take a mail. It holds the code of SES, never its message, which can name the recipient.
pub(crate) enum SendError {
    /// It may take it later.
    NotNow(String),
    /// It will never take it.
    Never(String),
}

/// SES, and SQS for the mail that SES refuses for good.
pub(crate) struct Mailer {
    ses: aws_sdk_sesv2::Client,
    sqs: aws_sdk_sqs::Client,
    from: String,
    dead_letter_queue_url: Option<String>,
}

impl Mailer {
    pub(crate) fn new(
        ses: aws_sdk_sesv2::Client,
        sqs: aws_sdk_sqs::Client,
        config: &Config,
    ) -> Result<Self, StartError> {
        let from = config.mail_from.clone().ok_or_else(|| StartError::new("MAIL_FROM is not set"))?;
        Ok(Self { ses, sqs, from, dead_letter_queue_url: config.dead_letter_queue_url.clone() })
    }

    /// Hands a letter over, for the `attempts`th time.
    ///
    /// SES refuses a message for what it says, but also while the sender, or in the sandbox the recipient, is not verified,
    /// or a configuration set is missing. Only the text of the refusal tells these apart, which is no contract, so it is final
    /// after some hours alone.
    pub(crate) async fn send(&self, to: &Email, letter: &Letter, attempts: u32) -> Result<(), SendError> {
        let content = |data: &str| Content::builder().data(data).charset("UTF-8").build();
        let not_built = |_| SendError::NotNow("a part of the mail is missing".to_owned());
        let body = Body::builder()
            .text(content(&letter.text).map_err(not_built)?)
            .html(content(&letter.html).map_err(not_built)?)
            .build();
        let message = Message::builder().subject(content(letter.subject).map_err(not_built)?).body(body).build();
        let sent = self
            .ses
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await;
        let Err(error) = sent else { return Ok(()) };
        let code = error.code().unwrap_or("no answer").to_owned();
        let is_for_good = error.as_service_error().is_some_and(|error| {
            (error.is_bad_request_exception() || error.is_message_rejected()) && attempts >= MAX_REJECTIONS
        });
        Err(if is_for_good { SendError::Never(code) } else { SendError::NotNow(code) })
    }

    /// Tells the queue where a mail lies that can never be sent: its key, and nothing of what it says.
    pub(crate) async fn report_dead(&self, pk: &str, sk: &str) -> Result<(), Error> {
        let Some(queue) = &self.dead_letter_queue_url else { return Ok(()) };
        let body = format!(r#"{{"pk":"{pk}","sk":"{sk}"}}"#);
        let sent = self.sqs.send_message().queue_url(queue).message_body(body).send().await;
        sent.map(|_| ())
            .map_err(|error| Error::unavailable(format!("SendMessage: {}", error.code().unwrap_or("no answer"))))
    }
}

#[cfg(test)]
mod tests {
    use freehold_crypto::envelope::Envelope;
    use freehold_domain::{MailId, Timestamp, UserId};

    use super::*;

    fn letter(name: &str) -> Letter {
        let now = Timestamp::from_seconds(1_767_225_600);
        let mail = Mail {
            id: MailId::new(now),
            kind: Kind::VerifyEmail,
            user: UserId::new(now),
            to: Email::parse("o'hara&co@example.com").unwrap(),
            name: DisplayName::parse(name),
            sealed_token: Envelope::from_stored(String::new()),
            expires_at: now,
        };
        Letter::write(&mail, "fh_ev_token", &Origin::parse("https://auth.example.com").unwrap()).unwrap()
    }

    #[test]
    fn both_parts_carry_the_link() {
        let letter = letter("Ann");
        assert!(
            letter.text.contains("https://auth.example.com/verify-email?user=")
                && letter.text.contains("&token=fh_ev_token\n")
        );
        assert!(letter.html.contains("&amp;token=fh_ev_token"), "{}", letter.html);
        assert!(letter.text.starts_with("Hello Ann,") && letter.html.contains("Hello Ann,"));
    }

    #[test]
    fn what_people_chose_is_escaped_in_html_alone() {
        let letter = letter("<b>&\"Eve");
        assert!(letter.html.contains("&lt;b&gt;&amp;&quot;Eve") && !letter.html.contains("<b>&"), "{}", letter.html);
        assert!(letter.html.contains("hara&amp;co@example.com"));
        assert!(letter.text.contains("<b>&\"Eve") && letter.text.contains("o'hara&co@example.com"));
    }

    #[test]
    fn a_name_that_would_become_a_link_is_left_out() {
        let letter = letter("https://evil.example");
        assert!(letter.text.starts_with("Hello,") && !letter.html.contains("evil"));
    }
}
