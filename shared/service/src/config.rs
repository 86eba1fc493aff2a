use std::path::PathBuf;

use freehold_crypto::ApplicationSecret;
use freehold_domain::PoolId;
use freehold_domain::public_url::{Issuers, Origin};
use freehold_domain::trigger::Trigger;
use tracing::Level;

use crate::triggers::TriggerFunctions;

/// What a function is told by its environment. Contradictions are refused at the start.
#[derive(Clone)]
pub struct Config {
    /// The pool that the functions serve.
    pub pool: PoolId,
    /// The name of the table.
    pub table: String,
    /// Where the pool stands on the web. Links in mail are built from it, and from nothing in a request.
    pub public_url: Origin,
    /// The issuers of the pool's users.
    pub issuers: Issuers,
    /// The audience of access tokens.
    pub audience: String,
    /// The origins of other sites whose pages may sign in, refresh and sign out.
    pub allowed_origins: Vec<Origin>,
    /// The sender of mail.
    pub mail_from: Option<String>,
    /// A folder of templates of mail, in the place of those that Freehold has.
    pub mail_templates: Option<PathBuf>,
    /// The owner's functions that have a say.
    pub triggers: TriggerFunctions,
    /// The KMS key under which codes reach a function that sends mail.
    pub custom_sender_key: Option<String>,
    /// Another service that knows leaked passwords than Have I Been Pwned.
    pub breached_passwords_url: Option<String>,
    /// The queue that hears of mail that cannot be delivered.
    pub dead_letter_queue_url: Option<String>,
    /// How much our own crates log: the SDK and the runtime print whole requests below INFO, so there is no lower level.
    pub log_level: tracing::Level,
    /// Where the application secret comes from.
    pub(crate) secret: SecretSource,
}

/// Where the application secret comes from.
#[derive(Clone)]
pub(crate) enum SecretSource {
    /// The function has no use for it, and no right to it.
    Absent,
    /// The environment itself, as on a developer's machine.
    Plain(ApplicationSecret),
    /// Secrets Manager.
    Managed { arn: String },
}

/// Why a process does not start.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

impl StartError {
    /// A reason, as one line for the person who started the process.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl Config {
    /// Reads the variables of this process.
    ///
    /// # Errors
    /// [`StartError`], naming the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, StartError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads a function's environment")]
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads variables wherever they are.
    ///
    /// # Errors
    /// [`StartError`], naming the variable that is missing or wrong.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, StartError> {
        let optional = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let required = |name: &str| optional(name).ok_or_else(|| StartError::new(format!("{name} is not set")));
        let origin = |name: &str, text: &str| {
            let rule = "must be an https origin (http on loopback alone), without a path or a trailing slash";
            Origin::parse(text).ok_or_else(|| StartError::new(format!("{name} {rule}")))
        };

        let pool = PoolId::parse(&required("POOL_ID")?)
            .ok_or_else(|| StartError::new("POOL_ID must be <region>_<letters and digits>"))?;
        let public_url = origin("PUBLIC_URL", &required("PUBLIC_URL")?)?;
        let allowed_origins = optional("ALLOWED_ORIGINS").unwrap_or_default();
        let allowed_origins = allowed_origins
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| origin("ALLOWED_ORIGINS", text));
        let secret = match (optional("APPLICATION_SECRET"), optional("APPLICATION_SECRET_ARN")) {
            (None, None) => SecretSource::Absent,
            (None, Some(arn)) => SecretSource::Managed { arn },
            (Some(plain), None) => SecretSource::Plain(
                ApplicationSecret::parse(&plain)
                    .map_err(|error| StartError::new(format!("APPLICATION_SECRET: {error}")))?,
            ),
            (Some(_), Some(_)) => {
                return Err(StartError::new(
                    "APPLICATION_SECRET and APPLICATION_SECRET_ARN are both set: one of them must not be",
                ));
            }
        };
        let triggers = optional("TRIGGERS").map(|json| TriggerFunctions::parse(&json)).transpose()?.unwrap_or_default();
        let custom_sender_key = optional("CUSTOM_SENDER_KEY");
        if triggers.function(Trigger::CustomEmailSender).is_some() && custom_sender_key.is_none() {
            return Err(StartError::new("CUSTOM_SENDER_KEY is not set, and TRIGGERS has a CustomEmailSender"));
        }
        let log_level = match optional("LOG_LEVEL").as_deref() {
            Some("ERROR") => Level::ERROR,
            Some("WARN") => Level::WARN,
            None | Some("INFO") => Level::INFO,
            Some(_) => return Err(StartError::new("LOG_LEVEL must be ERROR, WARN or INFO")),
        };
        Ok(Self {
            log_level,
            issuers: Issuers::new(&public_url, &pool),
            audience: optional("AUDIENCE").unwrap_or_else(|| public_url.as_str().to_owned()),
            pool,
            table: required("TABLE_NAME")?,
            public_url,
            allowed_origins: allowed_origins.collect::<Result<_, _>>()?,
            mail_from: optional("MAIL_FROM"),
            mail_templates: optional("MAIL_TEMPLATES").map(PathBuf::from),
            triggers,
            custom_sender_key,
            breached_passwords_url: optional("BREACHED_PASSWORDS_URL"),
            dead_letter_queue_url: optional("DEAD_LETTER_QUEUE_URL"),
            secret,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: [(&str, &str); 3] =
        [("POOL_ID", "eu-west-1_A"), ("TABLE_NAME", "freehold"), ("PUBLIC_URL", "https://auth.example.com")];
    const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

    fn read(more: &[(&str, &str)]) -> Result<Config, StartError> {
        let find =
            |name: &str| more.iter().chain(&RIGHT).find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Config::from_lookup(find)
    }

    fn refusal(more: &[(&str, &str)]) -> String {
        read(more).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_audience_is_the_public_url_unless_another_is_given() {
        assert_eq!(read(&[]).unwrap().audience, "https://auth.example.com");
        assert_eq!(read(&[("AUDIENCE", "api")]).unwrap().audience, "api");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert_eq!(refusal(&[("TABLE_NAME", "")]), "TABLE_NAME is not set");
        assert!(refusal(&[("POOL_ID", "pool#1")]).starts_with("POOL_ID must"));
        assert!(refusal(&[("PUBLIC_URL", "http://auth.example.com")]).starts_with("PUBLIC_URL must"));
        assert!(refusal(&[("ALLOWED_ORIGINS", "https://a.example, *")]).starts_with("ALLOWED_ORIGINS must"));
        assert!(refusal(&[("LOG_LEVEL", "TRACE")]).starts_with("LOG_LEVEL must"));
        assert!(refusal(&[("APPLICATION_SECRET", "c2hvcnQ=")]).starts_with("APPLICATION_SECRET:"));
    }

    #[test]
    fn a_function_that_sends_mail_needs_a_key() {
        let triggers = ("TRIGGERS", r#"{"CustomEmailSender": "arn"}"#);
        assert!(refusal(&[triggers]).starts_with("CUSTOM_SENDER_KEY is not set"));
        assert!(read(&[triggers, ("CUSTOM_SENDER_KEY", "arn")]).is_ok());
    }

    #[test]
    fn two_sources_of_the_application_secret_are_a_contradiction() {
        let both = [("APPLICATION_SECRET", SECRET), ("APPLICATION_SECRET_ARN", "arn:aws:secretsmanager:x")];
        assert!(refusal(&both).contains("both set"));
        assert!(read(&both[..1]).is_ok() && read(&both[1..]).is_ok());
    }
}
