use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use freehold_crypto::breach_range::BreachRange;
use freehold_domain::password::ChosenPassword;
use http_body_util::{BodyExt as _, Limited};

/// The service that knows leaks, unless the environment names another that speaks as it does.
const HAVE_I_BEEN_PWNED: &str = "https://api.pwnedpasswords.com";
/// How long somebody who chooses a password waits for it at most.
const TIMEOUT: Duration = Duration::from_secs(1);
/// A range has about a thousand lines of 40 bytes.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Whether a password is known from a leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leak {
    Known,
    Unknown,
    /// The service did not say.
    Silent,
}

/// A service with the range API of Have I Been Pwned. The connection is made when a pool first asks for it.
pub(crate) struct BreachedPasswords {
    url: String,
    connector: OnceLock<Connector>,
}

impl BreachedPasswords {
    pub(crate) fn new(url: Option<&str>) -> Self {
        let url = url.unwrap_or(HAVE_I_BEEN_PWNED).trim_end_matches('/').to_owned();
        Self { url, connector: OnceLock::new() }
    }

    /// Asks whether a password is known. Five digits of its SHA-1 leave, and the answer is padded, so that its length does
    /// not say which five.
    pub(crate) async fn ask(&self, chosen: &ChosenPassword) -> Leak {
        let range = BreachRange::of(chosen.expose_bytes());
        match tokio::time::timeout(TIMEOUT, self.lines_of(range.prefix())).await {
            Ok(Ok(answer)) if range.is_in(&answer) => Leak::Known,
            Ok(Ok(_)) => Leak::Unknown,
            Ok(Err(reason)) => {
                tracing::warn!(reason, "the service of breached passwords does not answer as it must");
                Leak::Silent
            }
            Err(_) => {
                tracing::warn!("the service of breached passwords does not answer in a second");
                Leak::Silent
            }
        }
    }

    async fn lines_of(&self, prefix: &str) -> Result<String, &'static str> {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(format!("{}/range/{prefix}", self.url)).map_err(|_| "its address is none")?;
        request.headers_mut().insert("add-padding", "true");
        request.headers_mut().insert("user-agent", "freehold");
        let connector = self.connector.get_or_init(|| {
            let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
            // A connection that is kept may have died while the container was frozen, and its password would go unchecked.
            let client = Connector::builder().pool_max_idle_per_host(0);
            client.tls_provider(provider).build()
        });
        let mut response = connector.call(request).await.map_err(|_| "it cannot be reached")?;
        if !response.status().is_success() {
            return Err("it refuses");
        }
        let body = Limited::new(std::mem::replace(response.body_mut(), SdkBody::taken()), MAX_ANSWER_BYTES);
        let answer = body.collect().await.map_err(|_| "its answer breaks off, or is too long")?;
        String::from_utf8(answer.to_bytes().into()).map_err(|_| "its answer is no text")
    }
}
