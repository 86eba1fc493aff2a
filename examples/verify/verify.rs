//! Verifies an access token: `verify TOKEN`. A service makes one [`Verifier`] and keeps it.
//!
//! ```sh
//! cargo add jsonwebtoken@11 --no-default-features --features aws_lc_rs
//! cargo add reqwest@0.13 --no-default-features --features rustls
//! cargo add serde@1 --features derive
//! cargo add tokio@1 --features macros,rt
//! cargo add serde_json@1 uuid@1
//! ```

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, dangerous, decode, jwk::JwkSet};
use reqwest::{Client, Url, redirect::Policy};

#[derive(serde::Deserialize, serde::Serialize)]
pub struct Claims {
    pub iss: String,
    pub sub: String,
    pub client_id: String,
    /// A function of the pool's owner may leave them out.
    #[serde(default)]
    pub roles: Vec<String>,
}

pub struct Verifier {
    base: String,
    pool: String,
    audience: String,
    http: Client,
    /// At most 1,000 answers by minute and issuer, failures among them.
    cache: Mutex<HashMap<(u64, String), Option<JwkSet>>>,
}

impl Verifier {
    #[must_use]
    pub fn new(public_url: &str, pool: &str, audience: &str) -> Option<Self> {
        let url = Url::parse(public_url).ok()?;
        let is_loopback = matches!(url.host_str()?, "127.0.0.1" | "[::1]" | "localhost");
        let is_origin = url.origin().ascii_serialization() == public_url;
        if !is_origin || !(url.scheme() == "https" || url.scheme() == "http" && is_loopback) {
            return None;
        }
        let http = Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(2)).build().ok()?;
        let (base, pool, audience) = (format!("{public_url}/{pool}/users/"), pool.to_owned(), audience.to_owned());
        Some(Self { base, pool, audience, http, cache: Mutex::default() })
    }

    /// The claims of a good token; nothing, for any other.
    pub async fn verify(&self, token: &str) -> Option<Claims> {
        // Nothing is verified yet, so only the one right issuer is asked for its keys.
        let Claims { iss, sub, .. } = dangerous::insecure_decode(token).ok()?.claims;
        let is_one = uuid::Uuid::try_parse(&sub).ok()?.hyphenated().to_string() == sub;
        if !is_one || iss != format!("{}{sub}", self.base) {
            return None;
        }
        let mut rules = Validation::new(Algorithm::RS256);
        rules.leeway = 5;
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        rules.set_issuer(&[&iss]);
        rules.set_audience(&[&self.audience]);
        let header = jsonwebtoken::decode_header(token).ok()?;
        let keys = self.keys_of(&iss).await?;
        let key = DecodingKey::from_jwk(keys.find(header.kid.as_deref()?)?).ok()?;
        let claims = decode::<Claims>(token, &key, &rules).ok()?.claims;
        let is_access_token = header.typ.as_deref() == Some("at+jwt") && header.crit.is_none();
        (is_access_token && claims.client_id == self.pool).then_some(claims)
    }

    async fn keys_of(&self, issuer: &str) -> Option<JwkSet> {
        let minute = SystemTime::UNIX_EPOCH.elapsed().ok()?.as_secs() / 60;
        let key = (minute, issuer.to_owned());
        if let Some(known) = self.cache.lock().ok()?.get(&key) {
            return known.clone();
        }
        let keys = self.fetch_keys(issuer).await;
        let mut cache = self.cache.lock().ok()?;
        if cache.len() >= 1000 {
            cache.clear();
        }
        cache.insert(key, keys.clone());
        keys
    }

    async fn fetch_keys(&self, issuer: &str) -> Option<JwkSet> {
        let mut response = self.http.get(format!("{issuer}/.well-known/jwks.json")).send().await.ok()?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() > 16 * 1024 {
                return None;
            }
        }
        if response.status() == 200 { serde_json::from_slice(&body).ok() } else { None }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "an example takes its configuration from the environment")]
    let variable = |name: &str| std::env::var(format!("FREEHOLD_{name}")).unwrap_or_default();
    let verifier = Verifier::new(&variable("PUBLIC_URL"), &variable("POOL"), &variable("AUDIENCE"));
    let Some(verifier) = verifier else {
        eprintln!("a FREEHOLD_ variable is missing or wrong");
        return ExitCode::FAILURE;
    };
    let token = std::env::args().nth(1).unwrap_or_default();
    if let Some(claims) = verifier.verify(&token).await {
        println!("{}", serde_json::json!(claims));
        ExitCode::SUCCESS
    } else {
        eprintln!("refused: not a good token of this pool");
        ExitCode::FAILURE
    }
}
