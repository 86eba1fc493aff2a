//! What a mail says, and handing it to SES.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::error::ProvideErrorMetadata as _;
use aws_sdk_sesv2::types::{Body, Content as Part, Destination, EmailContent, Message};
use freehold_domain::Error;
use freehold_domain::challenge::{MailedSecrets, Purpose};
use freehold_domain::email::Email;
use freehold_domain::mail::{Mail, Notification};
use freehold_domain::name::DisplayName;
use freehold_domain::public_url::Origin;
use minijinja::{Environment, Value, context};
use serde::Deserialize;

use crate::{Config, StartError};

/// With the outbox's backoff the tenth attempt comes after four hours. A mail whose link works for less expires before.
const MAX_REJECTIONS: u32 = 10;

const LAYOUT_TEXT: &str = include_str!("mail/layout.txt");
const LAYOUT_HTML: &str = include_str!("mail/layout.html");
const ENGLISH: &str = include_str!("mail/en.json");

/// What mails say in one language. Each text is a template of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    greeting: String,
    verify_email: Question,
    reset_password: Question,
    password_changed: Notice,
}

/// What a mail says that asks something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    subject: String,
    before: Vec<String>,
    button: String,
    code_sentence: String,
    after: Vec<String>,
}

/// What a mail says that tells something.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    subject: String,
    sentences: Vec<String>,
}

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
    subject: String,
    text: String,
    html: String,
}

/// What a mail is about, with what only its reader may know.
pub enum Content {
    /// It asks something, and carries what answers it.
    Question(Purpose, MailedSecrets),
    /// It tells something.
    Notice(Notification),
}

impl Letter {
    /// Writes a mail out. Its link is built from where the pool stands on the web, and what people chose is escaped.
    ///
    /// # Errors
    /// [`Error::Internal`], where a template is broken.
    pub fn write(mail: &Mail, content: &Content, public_url: &Origin) -> Result<Self, Error> {
        let words: Words =
            serde_json::from_str(ENGLISH).map_err(|_| Error::internal("the words of mails are broken"))?;
        let name = mail.name.as_ref().and_then(DisplayName::for_greeting);
        let known = context! { name, address => mail.to.as_str() };
        let say = |template: &String| render("sentence.txt", template, &known);
        let say_all = |templates: &[String]| templates.iter().map(say).collect::<Result<Vec<_>, _>>();

        let greeting = say(&words.greeting)?;
        let (subject, said) = match content {
            Content::Question(purpose, secrets) => {
                let (path, words) = match purpose {
                    Purpose::VerifyEmail => ("verify-email", &words.verify_email),
                    Purpose::ResetPassword => ("password/reset", &words.reset_password),
                };
                let token = secrets.token.expose();
                let answer = context! {
                    link => format!("{}/{path}?user={}&token={token}", public_url.as_str(), mail.user),
                    button => say(&words.button)?,
                    code_sentence => say(&words.code_sentence)?,
                    code => secrets.code.expose(),
                };
                let (before, after) = (say_all(&words.before)?, say_all(&words.after)?);
                (say(&words.subject)?, context! { greeting, before, answer, after })
            }
            Content::Notice(Notification::PasswordChanged) => {
                let words = &words.password_changed;
                (say(&words.subject)?, context! { greeting, before => say_all(&words.sentences)? })
            }
        };
        let said = context! { subject => subject.as_str(), ..said };
        let (text, html) = (render("mail.txt", LAYOUT_TEXT, &said)?, render("mail.html", LAYOUT_HTML, &said)?);
        Ok(Self { subject, text, html })
    }
}

/// The name decides the escaping: what ends in .html is escaped for HTML.
fn render(name: &str, template: &str, values: &Value) -> Result<String, Error> {
    Environment::new()
        .render_named_str(name, template, values)
        .map_err(|_| Error::internal("a template of a mail is broken"))
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
        let content = |data: &str| Part::builder().data(data).charset("UTF-8").build();
        let not_built = |_| SendError::NotNow("a part of the mail is missing".to_owned());
        let body = Body::builder()
            .text(content(&letter.text).map_err(not_built)?)
            .html(content(&letter.html).map_err(not_built)?)
            .build();
        let message = Message::builder().subject(content(&letter.subject).map_err(not_built)?).body(body).build();
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
    use freehold_crypto::{ApplicationSecret, SecretRing};
    use freehold_domain::challenge::Challenge;
    use freehold_domain::mail::Kind;
    use freehold_domain::{MailId, PoolId, Timestamp, UserId};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn mail(kind: Kind, name: &str) -> Mail {
        Mail {
            id: MailId::new(NOW),
            kind,
            user: UserId::new(NOW),
            to: Email::parse("o'hara&co@example.com").unwrap(),
            name: DisplayName::parse(name),
            sealed_secrets: None,
            expires_at: NOW,
        }
    }

    fn question(purpose: Purpose, name: &str) -> (Letter, MailedSecrets) {
        let mail = mail(Kind::Question(purpose), name);
        let ring = SecretRing::new(ApplicationSecret::parse(&"aZ09".repeat(16)).unwrap(), None);
        let pool = PoolId::parse("eu-west-1_A").unwrap();
        let (_, secrets) = Challenge::new(purpose, mail.user, mail.to.clone(), &pool, &ring, NOW);
        let content = Content::Question(purpose, secrets.clone());
        (Letter::write(&mail, &content, &Origin::parse("https://auth.example.com").unwrap()).unwrap(), secrets)
    }

    fn letter(name: &str) -> Letter {
        question(Purpose::VerifyEmail, name).0
    }

    #[test]
    fn both_parts_carry_the_link_and_the_code() {
        for (purpose, path) in [(Purpose::VerifyEmail, "verify-email"), (Purpose::ResetPassword, "password/reset")] {
            let (letter, secrets) = question(purpose, "Ann");
            let (token, code) = (secrets.token.expose(), secrets.code.expose());
            assert!(letter.text.contains(&format!("https://auth.example.com/{path}?user=")), "{}", letter.text);
            assert!(letter.text.contains(&format!("&token={token}\n")) && letter.text.contains(&format!("\n{code}\n")));
            assert!(letter.html.contains(&format!("&amp;token={token}")) && letter.html.contains(&code));
            assert!(letter.text.starts_with("Hello Ann,\n\n") && letter.html.contains("Hello Ann,"));
            assert!(!letter.text.contains("\n\n\n"), "{}", letter.text);
        }
    }

    #[test]
    fn a_notice_asks_for_nothing() {
        let mail = mail(Kind::Notice(Notification::PasswordChanged), "Ann");
        let content = Content::Notice(Notification::PasswordChanged);
        let letter = Letter::write(&mail, &content, &Origin::parse("https://auth.example.com").unwrap()).unwrap();
        assert!(!letter.text.contains("http") && !letter.html.contains("href"), "{}", letter.html);
        assert!(letter.text.contains("o'hara&co@example.com") && letter.html.contains("hara&amp;co@example.com"));
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
