//! Access tokens: JWTs (RFC 7519) signed with RS256 alone, under the rules of RFC 8725 and RFC 9068.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::{Algorithm, Header, Validation, decode};
use serde::{Deserialize, Serialize};

use crate::key_pair::{KeyError, PrivateKeyPem, PublicKey};

/// The media type of an access token (RFC 9068, section 2.1). It tells an access token from every other JWT.
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// How far two honest clocks may differ, in seconds. The library's own default, 60, accepts expired tokens.
pub const LEEWAY_SECONDS: u64 = 5;
/// No token of ours is a quarter as long; a longer one is refused before it is decoded.
const MAX_CHARACTERS: usize = 8 * 1024;

/// The claims of an access token (RFC 9068, section 2.2). Times are in seconds since the epoch. Every claim is required but
/// those that say what the user may do, and those that the owner adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// The user's own issuer.
    pub iss: String,
    /// The user's id.
    pub sub: String,
    /// The one audience.
    pub aud: String,
    /// The pool's id.
    pub client_id: String,
    /// When the token was made.
    pub iat: u64,
    /// When it ends.
    pub exp: u64,
    /// The token's own id.
    pub jti: String,
    /// The session's id.
    pub sid: String,
    /// When the user signed in.
    pub auth_time: u64,
    /// How the user signed in (RFC 8176).
    pub amr: Vec<String>,
    /// What the user may be, unless the owner leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// What the token may be used for, separated by spaces (RFC 8693, section 4.2), where the owner says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What the owner adds. No name of a claim above is among them.
    #[serde(flatten)]
    pub added: serde_json::Map<String, serde_json::Value>,
}

/// A live private key with its id.
pub struct Signer {
    key: RsaKeyPair,
    key_id: String,
}

impl Signer {
    /// Reads a private key, once for any number of signatures.
    ///
    /// # Errors
    /// [`KeyError`], where the PEM is not an RSA key.
    pub fn new(private: &PrivateKeyPem, public: &PublicKey) -> Result<Self, KeyError> {
        Ok(Self { key: private.live()?, key_id: public.thumbprint().to_owned() })
    }

    /// Signs an access token.
    ///
    /// # Errors
    /// [`JwtError`], where the library fails.
    pub fn sign(&self, claims: &AccessTokenClaims) -> Result<String, JwtError> {
        let header = Header {
            typ: Some(ACCESS_TOKEN_TYPE.to_owned()),
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::RS256)
        };
        let part = |json: serde_json::Result<Vec<u8>>| json.map(|json| URL_SAFE_NO_PAD.encode(json));
        let header = part(serde_json::to_vec(&header)).map_err(|_| JwtError)?;
        let claims = part(serde_json::to_vec(claims)).map_err(|_| JwtError)?;
        let message = format!("{header}.{claims}");
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .map_err(|_| JwtError)?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The token is refused, or could not be signed. Why is nobody's business but the tests'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid access token")]
pub struct JwtError;

/// What a verifier knows before it looks at a token.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The issuer, byte for byte.
    pub issuer: &'a str,
    /// The subject, byte for byte.
    pub subject: &'a str,
    /// The only audience.
    pub audience: &'a str,
    /// The only client.
    pub client_id: &'a str,
    /// The time, in seconds since the epoch.
    pub now: u64,
}

/// Checks a token's signature, header and claims.
///
/// The header may name no key of its own (`jwk`, `jku`, `x5u`, `x5c`) and no extension (`crit`): RFC 8725, section 3.10.
///
/// # Errors
/// [`JwtError`], for whatever reason.
pub fn verify(token: &str, key: &PublicKey, expected: Expected<'_>) -> Result<AccessTokenClaims, JwtError> {
    if token.len() > MAX_CHARACTERS {
        return Err(JwtError);
    }
    let mut rules = Validation::new(Algorithm::RS256);
    // The library compares with the system's clock; time is a parameter here, so `exp` is only required of it.
    rules.validate_exp = false;
    rules.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
    rules.set_issuer(&[expected.issuer]);
    rules.set_audience(&[expected.audience]);
    rules.sub = Some(expected.subject.to_owned());
    let token = decode::<AccessTokenClaims>(token, &key.decoding_key(), &rules).map_err(|_| JwtError)?;

    let Header { typ, kid, jwk, jku, x5u, x5c, crit, .. } = token.header;
    let names_a_key = jwk.is_some() || jku.is_some() || x5u.is_some() || x5c.is_some();
    if typ.as_deref() != Some(ACCESS_TOKEN_TYPE)
        || kid.as_deref() != Some(key.thumbprint())
        || names_a_key
        || crit.is_some()
    {
        return Err(JwtError);
    }
    let claims = token.claims;
    let has_ended = claims.exp.saturating_add(LEEWAY_SECONDS) <= expected.now;
    let is_from_the_future = claims.iat > expected.now.saturating_add(LEEWAY_SECONDS);
    if has_ended || is_from_the_future || claims.client_id != expected.client_id {
        return Err(JwtError);
    }
    Ok(claims)
}

/// What a token says of itself before anything of it is verified. It serves to find the key, and for nothing else.
#[derive(Debug, Deserialize)]
pub struct Unverified {
    /// Whose key would have to have signed it.
    pub iss: String,
    /// Who it claims to be about.
    pub sub: String,
    /// Which session it claims to be of.
    pub sid: String,
}

impl Unverified {
    /// Reads the three claims that say where to look.
    ///
    /// # Errors
    /// [`JwtError`], where the token is not a JWT that has them.
    pub fn read(token: &str) -> Result<Self, JwtError> {
        if token.len() > MAX_CHARACTERS {
            return Err(JwtError);
        }
        insecure_decode_claims(token).map_err(|_| JwtError)
    }
}
