use std::thread::available_parallelism;

use aws_config::{BehaviorVersion, SdkConfig};
use freehold_crypto::SecretRing;
use freehold_domain::Error;
use freehold_domain::trigger::Trigger;
use futures::future::BoxFuture;

use crate::breached_passwords::BreachedPasswords;
use crate::hashing::Hasher;
use crate::mail::{Mailer, ses_client};
use crate::secrets::Secrets;
use crate::settings::CachedSettings;
use crate::store::{ATTEMPT_TIMEOUT, Store, dynamodb_client};
use crate::triggers::{kms_client, lambda_client};
use crate::{Clock, Config, StartError};

/// What a function keeps between requests. Nothing else of a request survives it.
///
/// A function is given the parts that it needs and no others, so that what it does not use is not linked into it.
pub struct App {
    /// What the environment says.
    pub config: Config,
    /// Where the time comes from.
    pub clock: Clock,
    /// The table.
    pub store: Store,
    pub(crate) settings: CachedSettings,
    pub(crate) breached_passwords: BreachedPasswords,
    secrets: Option<Secrets>,
    hasher: Option<Hasher>,
    mailer: Option<Mailer>,
    lambda: Option<aws_sdk_lambda::Client>,
    kms: Option<aws_sdk_kms::Client>,
}

impl App {
    /// An app that has the table alone.
    #[must_use]
    pub fn new(config: Config, clock: Clock, dynamodb: aws_sdk_dynamodb::Client) -> Self {
        let store = Store::new(dynamodb, config.table.clone(), config.pool.clone());
        let breached_passwords = BreachedPasswords::new(config.breached_passwords_url.as_deref());
        Self {
            config,
            clock,
            store,
            settings: CachedSettings::default(),
            breached_passwords,
            secrets: None,
            hasher: None,
            mailer: None,
            lambda: None,
            kms: None,
        }
    }

    /// Gives it Lambda, to call the pool's triggers; no client is made, where the pool has none.
    #[must_use]
    pub fn with_triggers(self, lambda: impl FnOnce() -> aws_sdk_lambda::Client) -> Self {
        let lambda = (!self.config.triggers.is_empty()).then(lambda);
        Self { lambda, ..self }
    }

    /// Gives it KMS, to encrypt codes for a trigger that sends mail; no client is made, where the pool has none.
    #[must_use]
    pub fn with_custom_sender(self, kms: impl FnOnce() -> aws_sdk_kms::Client) -> Self {
        let kms = self.has_trigger(Trigger::CustomEmailSender).then(kms);
        Self { kms, ..self }
    }

    /// Gives it an application secret that never changes.
    #[must_use]
    pub fn with_secret(self, ring: SecretRing) -> Self {
        self.with_secrets(Secrets::fixed(ring))
    }

    /// Gives it the application secret.
    #[must_use]
    pub fn with_secrets(self, secrets: Secrets) -> Self {
        Self { secrets: Some(secrets), ..self }
    }

    /// Gives it memory for so many password hashes at a time, and begins to touch every page of it.
    ///
    /// # Panics
    /// Outside a runtime of tokio, whose threads touch it.
    #[must_use]
    pub fn with_hashing(self, at_a_time: usize) -> Self {
        Self { hasher: Some(Hasher::new(at_a_time, available_parallelism().map_or(1, usize::from))), ..self }
    }

    /// Gives it SES, and SQS for the mail that SES refuses for good.
    ///
    /// # Errors
    /// [`StartError`], where nobody is named that mail comes from.
    pub fn with_mail(self, ses: aws_sdk_sesv2::Client, sqs: aws_sdk_sqs::Client) -> Result<Self, StartError> {
        let mailer = Mailer::new(ses, sqs, &self.config)?;
        Ok(Self { mailer: Some(mailer), ..self })
    }

    pub(crate) fn secrets(&self) -> Result<&Secrets, Error> {
        self.secrets.as_ref().ok_or_else(|| Error::internal("this function was not given the application secret"))
    }

    pub(crate) fn hasher(&self) -> Result<&Hasher, Error> {
        self.hasher.as_ref().ok_or_else(|| Error::internal("this function was not given memory to hash in"))
    }

    pub(crate) fn lambda(&self) -> Result<&aws_sdk_lambda::Client, Error> {
        self.lambda.as_ref().ok_or_else(|| Error::internal("this function was not given a way to call triggers"))
    }

    pub(crate) fn kms(&self) -> Result<&aws_sdk_kms::Client, Error> {
        self.kms.as_ref().ok_or_else(|| Error::internal("this function was not given a way to encrypt codes"))
    }

    pub(crate) fn mailer(&self) -> Result<&Mailer, Error> {
        self.mailer.as_ref().ok_or_else(|| Error::internal("this function was not given a way to send mail"))
    }
}

/// What a function's process starts from.
pub struct Environment {
    config: Config,
    sdk: SdkConfig,
}

impl Environment {
    /// Reads the process's variables, the AWS SDK's own among them.
    ///
    /// # Errors
    /// [`StartError`], naming the variable that is missing or wrong.
    pub async fn load() -> Result<Self, StartError> {
        let config = Config::from_env()?;
        Ok(Self { config, sdk: aws_config::load_defaults(BehaviorVersion::latest()).await })
    }

    /// How much our own crates log.
    #[must_use]
    pub fn log_level(&self) -> tracing::Level {
        self.config.log_level
    }

    /// An app that has the table alone.
    #[must_use]
    pub fn app(&self) -> App {
        App::new(self.config.clone(), Clock::system(), dynamodb_client(&self.sdk, ATTEMPT_TIMEOUT))
    }

    /// Reads the application secret. It is a box for the reason that flows are.
    ///
    /// # Errors
    /// [`StartError`], where there is none, or Secrets Manager does not give it.
    #[must_use]
    pub fn secrets(&self) -> BoxFuture<'_, Result<Secrets, StartError>> {
        Box::pin(Secrets::load(&self.config.secret, &self.sdk, Clock::system()))
    }

    /// A client of SES.
    #[must_use]
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        ses_client(&self.sdk)
    }

    /// A client of Lambda.
    #[must_use]
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        lambda_client(&self.sdk)
    }

    /// A client of KMS.
    #[must_use]
    pub fn kms(&self) -> aws_sdk_kms::Client {
        kms_client(&self.sdk)
    }

    /// A client of SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.sdk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(triggers: &str) -> App {
        let known = |name: &str| match name {
            "POOL_ID" => Some("eu-west-1_A".to_owned()),
            "TABLE_NAME" => Some("freehold".to_owned()),
            "PUBLIC_URL" => Some("https://auth.example.com".to_owned()),
            "TRIGGERS" => Some(triggers.to_owned()),
            _ => None,
        };
        let sdk = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
        let dynamodb = dynamodb_client(&sdk, ATTEMPT_TIMEOUT);
        App::new(Config::from_lookup(known).unwrap(), Clock::system(), dynamodb)
    }

    #[test]
    fn a_pool_without_triggers_has_no_client_of_lambda() {
        let app = app(r#"{"PreSignUp": "", "CustomEmailSender": ""}"#);
        let app = app.with_triggers(|| panic!("a client was made")).with_custom_sender(|| panic!("a client was made"));
        assert!(app.lambda().is_err());
    }
}
