use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use freehold_crypto::code::Code;
use freehold_crypto::envelope::{Envelope, EnvelopeError};
use freehold_crypto::{ApplicationSecret, SecretRing};
use freehold_domain::challenge::{Challenge, MailedSecrets, Purpose};
use freehold_domain::email::Email;
use freehold_domain::envelope::SealedFor;
use freehold_domain::refresh_token::{RefreshToken, UnprovenRefreshToken};
use freehold_domain::{Error, PoolId, Timestamp, UserId};
use zeroize::Zeroizing;

use crate::config::SecretSource;
use crate::{Clock, StartError};

const SHORTEST_TIME_BETWEEN_READS: Duration = Duration::from_mins(1);
const TIMEOUT: Duration = Duration::from_secs(5);
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// The application secret and the one before it. Where neither opens an envelope or proves a token, the secret may have
/// been rotated since: it is read again, at most once a minute.
pub struct Secrets {
    ring: Mutex<Arc<SecretRing>>,
    manager: Option<Manager>,
}

struct Manager {
    client: aws_sdk_secretsmanager::Client,
    arn: String,
    clock: Clock,
    /// When it was read again; not when the process started, since it may have been rotated right after.
    read_again_at: Mutex<Option<Timestamp>>,
}

impl Secrets {
    /// A secret that never changes.
    pub(crate) fn fixed(ring: SecretRing) -> Self {
        Self { ring: Mutex::new(Arc::new(ring)), manager: None }
    }

    pub(crate) async fn load(source: &SecretSource, sdk: &SdkConfig, clock: Clock) -> Result<Self, StartError> {
        match source {
            SecretSource::Absent => {
                Err(StartError::new("one of APPLICATION_SECRET and APPLICATION_SECRET_ARN must be set"))
            }
            SecretSource::Plain(secret) => Ok(Self::fixed(SecretRing::new(secret.clone(), None))),
            SecretSource::Managed { arn } => {
                let timeouts = TimeoutConfig::builder().operation_timeout(TIMEOUT).build();
                let client = aws_sdk_secretsmanager::config::Builder::from(sdk).timeout_config(timeouts).build();
                let client = aws_sdk_secretsmanager::Client::from_conf(client);
                let manager = Manager { client, arn: arn.clone(), clock, read_again_at: Mutex::default() };
                let ring =
                    manager.read().await.map_err(|code| StartError::new(format!("the application secret: {code}")))?;
                Ok(Self { ring: Mutex::new(Arc::new(ring)), manager: Some(manager) })
            }
        }
    }

    /// Seals for one item.
    pub(crate) fn seal(&self, pool: &PoolId, item: SealedFor, plaintext: &[u8]) -> Envelope {
        self.ring().seal(&item.associated_data(pool), plaintext)
    }

    /// Opens what was sealed for one item.
    pub(crate) async fn open(
        &self,
        pool: &PoolId,
        item: SealedFor,
        envelope: &Envelope,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let associated_data = item.associated_data(pool);
        let opened = match self.ring().open(&associated_data, envelope) {
            Err(EnvelopeError::Unopened) if self.read_again().await? => self.ring().open(&associated_data, envelope),
            result => result,
        };
        opened.map_err(|error| Error::internal(error.to_string()))
    }

    /// Opens what a client kept for this deployment; nothing, where it was not sealed here.
    pub(crate) async fn open_from_client(
        &self,
        pool: &PoolId,
        item: SealedFor,
        envelope: &Envelope,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let associated_data = item.associated_data(pool);
        let open = || self.ring().open(&associated_data, envelope).ok();
        match open() {
            None if self.read_again().await? => Ok(open()),
            opened => Ok(opened),
        }
    }

    /// Writes a refresh token out, with its proof.
    pub(crate) fn expose(&self, pool: &PoolId, token: &RefreshToken) -> String {
        token.expose(pool, &self.ring())
    }

    /// Reads a refresh token that this deployment made; nothing, where it did not.
    pub(crate) async fn prove(&self, pool: &PoolId, text: &str) -> Result<Option<RefreshToken>, Error> {
        let Some(token) = UnprovenRefreshToken::parse(text) else { return Ok(None) };
        if !token.is_proven_by(pool, &self.ring()) && !self.read_again().await? {
            return Ok(None);
        }
        Ok(token.prove(pool, &self.ring()))
    }

    /// Makes a challenge, and what answers it.
    pub(crate) fn challenge(
        &self,
        purpose: Purpose,
        user: UserId,
        email: Email,
        pool: &PoolId,
        now: Timestamp,
    ) -> (Challenge, MailedSecrets) {
        Challenge::new(purpose, user, email, pool, &self.ring(), now)
    }

    /// Whether a code answers a challenge.
    pub(crate) async fn is_answer(
        &self,
        code: &Code,
        challenge: &Challenge,
        pool: &PoolId,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let answers = || challenge.is_answered_by_code(code, pool, &self.ring(), now);
        Ok(answers() || self.read_again().await? && answers())
    }

    fn ring(&self) -> Arc<SecretRing> {
        Arc::clone(&self.ring.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the secret again, where that may help: whether it did. Where Secrets Manager does not answer, nobody knows
    /// whether a token is ours, and nobody is signed out for it.
    async fn read_again(&self) -> Result<bool, Error> {
        let Some(manager) = &self.manager else { return Ok(false) };
        {
            let now = manager.clock.now();
            let mut last = manager.read_again_at.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|last| now.since(last) < SHORTEST_TIME_BETWEEN_READS) {
                return Ok(false);
            }
            *last = Some(now);
        }
        let ring =
            manager.read().await.map_err(|code| Error::unavailable(format!("the application secret: {code}")))?;
        *self.ring.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(true)
    }
}

impl Manager {
    async fn read(&self) -> Result<SecretRing, String> {
        let (current, previous) = futures::future::join(self.version(CURRENT), self.version(PREVIOUS)).await;
        let current = current?.ok_or("there is no current version")?;
        Ok(SecretRing::new(current, previous?))
    }

    /// One version of the secret; nothing where there is none, as before the first rotation.
    async fn version(&self, stage: &str) -> Result<Option<ApplicationSecret>, String> {
        match self.client.get_secret_value().secret_id(&self.arn).version_stage(stage).send().await {
            Ok(version) => {
                let text = version.secret_string.map(Zeroizing::new).ok_or("it is not text")?;
                ApplicationSecret::parse(&text).map(Some).map_err(|error| error.to_string())
            }
            Err(error)
                if error.as_service_error().is_some_and(GetSecretValueError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            // The message of such an error can name the secret: the log gets the code alone.
            Err(error) => Err(error.code().unwrap_or("Secrets Manager did not answer").to_owned()),
        }
    }
}
