//! Secrets at rest: `<cipher b64>.<salt b64>.<nonce b64>.<iterations>`.
//!
//! AES-256-GCM with a random 96-bit nonce, under PBKDF2-HMAC-SHA256 of the application secret over a random 16-byte salt,
//! so that every envelope has a key of its own. The associated data names the pool, the purpose and the owner: an envelope
//! that is moved to another item does not open.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ApplicationSecret;

// The application secret is full-entropy, so stretching buys nothing: the count is there for owners whose rules ask for one.
const ITERATIONS: u32 = 1_000;
// An envelope names its own count: beyond this it is refused, or one item could hold a function for minutes.
const MAX_ITERATIONS: u32 = 1_000_000;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;

/// Why an envelope gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is not four parts of canonical base64 and a count within bounds.
    #[error("not an envelope")]
    Malformed,
    /// It was sealed under another secret or for another item, or it was altered.
    #[error("the envelope does not open")]
    Unopened,
}

/// A sealed secret, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope(String);

impl Envelope {
    /// Takes a stored envelope. It is read when it is opened.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Takes an envelope that a client kept. It is one as this version seals it, or none: a count of its own choice would let
    /// anybody keep a function busy for a second.
    #[must_use]
    pub fn from_client(text: &str) -> Option<Self> {
        let (_, iterations) = text.rsplit_once('.')?;
        (iterations == ITERATIONS.to_string()).then(|| Self(text.to_owned()))
    }

    /// The text to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Seals `plaintext` for the item that `associated_data` names.
    ///
    /// # Panics
    /// Never: AES-GCM refuses only plaintexts of more than 64 GiB.
    pub(crate) fn seal(secret: &ApplicationSecret, associated_data: &str, plaintext: &[u8]) -> Self {
        let (salt, nonce) = (crate::random::<SALT_BYTES>(), crate::random::<NONCE_BYTES>());
        let payload = Payload { msg: plaintext, aad: associated_data.as_bytes() };
        let cipher = cipher(secret, &salt, ITERATIONS)
            .encrypt(&nonce.into(), payload)
            .expect("AES-GCM seals what fits into memory");
        let [cipher, salt, nonce] = [&cipher[..], &salt, &nonce].map(|part| STANDARD.encode(part));
        Self(format!("{cipher}.{salt}.{nonce}.{ITERATIONS}"))
    }

    pub(crate) fn open(
        &self,
        secret: &ApplicationSecret,
        associated_data: &str,
    ) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let parts: Vec<&str> = self.0.split('.').collect();
        let [text, salt, nonce, iterations] = parts[..] else {
            return Err(EnvelopeError::Malformed);
        };
        let sealed = decode(text)?;
        let salt: [u8; SALT_BYTES] = decode(salt)?.try_into().map_err(|_| EnvelopeError::Malformed)?;
        let nonce: [u8; NONCE_BYTES] = decode(nonce)?.try_into().map_err(|_| EnvelopeError::Malformed)?;
        let payload = Payload { msg: &sealed, aad: associated_data.as_bytes() };
        cipher(secret, &salt, parse_iterations(iterations)?)
            .decrypt(&nonce.into(), payload)
            .map(Zeroizing::new)
            .map_err(|_| EnvelopeError::Unopened)
    }
}

fn cipher(secret: &ApplicationSecret, salt: &[u8], iterations: u32) -> Aes256Gcm {
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<Sha256>(secret.bytes(), salt, iterations, key.as_mut());
    Aes256Gcm::new((&*key).into())
}

fn decode(part: &str) -> Result<Vec<u8>, EnvelopeError> {
    STANDARD.decode(part).map_err(|_| EnvelopeError::Malformed)
}

/// Reads a count as [`Envelope::seal`] writes it: `u32::from_str` would also take a sign and leading zeros.
fn parse_iterations(text: &str) -> Result<u32, EnvelopeError> {
    let count: u32 = text.parse().map_err(|_| EnvelopeError::Malformed)?;
    if count.to_string() == text && (1..=MAX_ITERATIONS).contains(&count) {
        Ok(count)
    } else {
        Err(EnvelopeError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_opens_for_its_own_item_alone() {
        let secret = ApplicationSecret::parse(&STANDARD.encode([1; 32])).unwrap();
        let envelope = Envelope::seal(&secret, "freehold/v1|pool|private-key|alice", b"key");
        assert_eq!(envelope.open(&secret, "freehold/v1|pool|private-key|alice").unwrap().as_slice(), b"key");
        assert_eq!(envelope.open(&secret, "freehold/v1|pool|private-key|bob"), Err(EnvelopeError::Unopened));
    }

    #[test]
    fn a_client_does_not_choose_how_often_a_key_is_derived() {
        let secret = ApplicationSecret::parse(&STANDARD.encode([1; 32])).unwrap();
        let envelope = Envelope::seal(&secret, "ad", b"key");
        assert_eq!(Envelope::from_client(envelope.as_str()), Some(envelope.clone()));
        let costly = envelope.as_str().replace(".1000", ".1000000");
        for wrong in [&costly, "", ".", "1000"] {
            assert_eq!(Envelope::from_client(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn two_envelopes_of_one_secret_differ_in_every_part_but_the_count() {
        let secret = ApplicationSecret::parse(&STANDARD.encode([1; 32])).unwrap();
        let [one, two] = [(); 2].map(|()| Envelope::seal(&secret, "ad", b"key"));
        let pairs: Vec<_> = one.as_str().split('.').zip(two.as_str().split('.')).collect();
        assert!(pairs[..3].iter().all(|(one, two)| one != two));
        assert_eq!(pairs[3], ("1000", "1000"));
    }
}
