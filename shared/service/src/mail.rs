//! What a mail says, and handing it to SES.

mod custom;
mod letter;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::error::ProvideErrorMetadata as _;
use aws_sdk_sesv2::types::{Body, Content as Part, Destination, EmailContent, Message};
use freehold_domain::Error;
use freehold_domain::email::Email;
use freehold_domain::language::Language;
use futures::future::BoxFuture;

pub(crate) use self::custom::fill;
pub(crate) use self::letter::link;
pub use self::letter::{Content, Letter, Templates};
use crate::{App, Config, StartError};

/// With the outbox's backoff the tenth attempt comes after four hours. A mail whose link works for less expires before.
const MAX_REJECTIONS: u32 = 10;

/// A client of SES that tries once, for at most 5 seconds: the outbox is what tries again.
#[must_use]
pub fn ses_client(sdk: &SdkConfig) -> aws_sdk_sesv2::Client {
    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(5)).build();
    let config =
        aws_sdk_sesv2::config::Builder::from(sdk).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    aws_sdk_sesv2::Client::from_conf(config.build())
}

/// Every mail in every language, as the pool would write it to somebody made up: to be looked at.
///
/// # Errors
/// [`Error::Internal`], where a template is broken, and those of a table that does not answer.
pub fn samples(app: &App) -> BoxFuture<'_, Result<Vec<(Language, Letter)>, Error>> {
    Box::pin(async move {
        let settings = app.settings().await?;
        letter::samples(&app.mailer()?.templates, &settings.appearance, &app.config.public_url)
    })
}

/// Why SES did not take a mail. It holds the code of SES, never its message, which can name the recipient.
pub(crate) enum SendError {
    /// It may take it later.
    NotNow(String),
    /// It will never take it.
    Never(String),
}

/// SES, SQS for the mail that SES refuses for good, and what mail says.
pub(crate) struct Mailer {
    pub(crate) templates: Templates,
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
        let templates = Templates::load(config.mail_templates.as_deref())?;
        Ok(Self { templates, ses, sqs, from, dead_letter_queue_url: config.dead_letter_queue_url.clone() })
    }

    /// Hands a letter over, for the `attempts`th time, from the pool's sender or else the deployment's.
    ///
    /// SES refuses a message for what it says, but also while the sender, or in the sandbox the recipient, is not verified,
    /// or a configuration set is missing. Only the text of the refusal tells these apart, which is no contract, so it is final
    /// after some hours alone.
    pub(crate) async fn send(
        &self,
        from: Option<&Email>,
        to: &Email,
        letter: &Letter,
        attempts: u32,
    ) -> Result<(), SendError> {
        let content = |data: &str| Part::builder().data(data).charset("UTF-8").build();
        let not_built = |_| SendError::NotNow("a part of the mail is missing".to_owned());
        let body = Body::builder()
            .set_text(letter.text.as_deref().map(content).transpose().map_err(not_built)?)
            .html(content(&letter.html).map_err(not_built)?)
            .build();
        let message = Message::builder().subject(content(&letter.subject).map_err(not_built)?).body(body).build();
        let sent = self
            .ses
            .send_email()
            .from_email_address(from.map_or(&*self.from, Email::as_str))
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
