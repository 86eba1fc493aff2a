//! The application secret: one per deployment, full-entropy, from which every other key is derived.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::code::CodeMac;
use crate::envelope::{Envelope, EnvelopeError};

const MIN_BYTES: usize = 32;
const REFRESH_MAC_INFO: &[u8] = b"freehold/refresh-mac/v1";
const CODE_MAC_INFO: &[u8] = b"freehold/code-mac/v1";

/// The application secret is not base64 of at least 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the application secret must be base64 of at least 32 bytes")]
pub struct WeakSecret;

/// One application secret. It does not print itself.
#[derive(Clone, ZeroizeOnDrop)]
pub struct ApplicationSecret {
    bytes: Zeroizing<Vec<u8>>,
    refresh_mac_key: Zeroizing<[u8; 32]>,
    code_mac_key: Zeroizing<[u8; 32]>,
}

impl ApplicationSecret {
    /// Reads standard base64, padded, of at least 32 bytes.
    ///
    /// # Errors
    /// [`WeakSecret`] for everything else.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        let bytes = Zeroizing::new(STANDARD.decode(text).map_err(|_| WeakSecret)?);
        if bytes.len() < MIN_BYTES {
            return Err(WeakSecret);
        }
        let derivation = Hkdf::<Sha256>::new(None, &bytes);
        let derive = |info| {
            let mut key = Zeroizing::new([0; 32]);
            derivation.expand(info, key.as_mut()).map_err(|_| WeakSecret)?;
            Ok(key)
        };
        let (refresh_mac_key, code_mac_key) = (derive(REFRESH_MAC_INFO)?, derive(CODE_MAC_INFO)?);
        Ok(Self { bytes, refresh_mac_key, code_mac_key })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn refresh_mac(&self, parts: &[&[u8]]) -> RefreshMac {
        let mut first = [0; RefreshMac::BYTES];
        first.copy_from_slice(&mac(&self.refresh_mac_key, parts)[..RefreshMac::BYTES]);
        RefreshMac(first)
    }

    fn code_mac(&self, parts: &[&[u8]]) -> CodeMac {
        CodeMac(mac(&self.code_mac_key, parts))
    }
}

/// HMAC-SHA256 over the parts, each preceded by its length in 8 big-endian bytes, so that no two lists of parts give the
/// same input.
///
/// # Panics
/// Never: HMAC takes keys of any length.
fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl std::fmt::Debug for ApplicationSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApplicationSecret(..)")
    }
}

/// The proof, inside a refresh token, that this deployment made it: the first half of a MAC.
#[derive(Clone, Copy)]
pub struct RefreshMac([u8; RefreshMac::BYTES]);

impl RefreshMac {
    /// How many bytes the proof has.
    pub const BYTES: usize = 16;

    /// Reads the proof out of a token.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes to put into a token.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

/// The current application secret and the one before it, which still opens and verifies what it made.
#[derive(Clone, Debug)]
pub struct SecretRing {
    current: ApplicationSecret,
    previous: Option<ApplicationSecret>,
}

impl SecretRing {
    /// A ring of the current secret and, after a rotation, the one before.
    #[must_use]
    pub fn new(current: ApplicationSecret, previous: Option<ApplicationSecret>) -> Self {
        Self { current, previous }
    }

    /// Seals under the current secret.
    #[must_use]
    pub fn seal(&self, associated_data: &str, plaintext: &[u8]) -> Envelope {
        Envelope::seal(&self.current, associated_data, plaintext)
    }

    /// Opens what either secret sealed.
    ///
    /// # Errors
    /// [`EnvelopeError`], where neither opens it or it is not an envelope.
    pub fn open(&self, associated_data: &str, envelope: &Envelope) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        match (envelope.open(&self.current, associated_data), &self.previous) {
            (Err(EnvelopeError::Unopened), Some(previous)) => envelope.open(previous, associated_data),
            (result, _) => result,
        }
    }

    /// Proves, under the current secret, that this deployment made a refresh token of these parts.
    #[must_use]
    pub fn refresh_mac(&self, parts: &[&[u8]]) -> RefreshMac {
        self.current.refresh_mac(parts)
    }

    /// What is stored in the place of a code of eight digits, under the current secret. The parts say what the code is for,
    /// and end with it.
    #[must_use]
    pub fn code_mac(&self, parts: &[&[u8]]) -> CodeMac {
        self.current.code_mac(parts)
    }

    /// Whether either secret made this MAC over these parts.
    #[must_use]
    pub fn verifies_code_mac(&self, parts: &[&[u8]], mac: &CodeMac) -> bool {
        self.secrets().any(|secret| secret.code_mac(parts) == *mac)
    }

    /// Whether either secret made this proof over these parts.
    #[must_use]
    pub fn verifies_refresh_mac(&self, parts: &[&[u8]], mac: RefreshMac) -> bool {
        self.secrets().any(|secret| secret.refresh_mac(parts).0.ct_eq(&mac.0).into())
    }

    fn secrets(&self) -> impl Iterator<Item = &ApplicationSecret> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> ApplicationSecret {
        ApplicationSecret::parse(&STANDARD.encode([byte; 48])).unwrap()
    }

    #[test]
    fn anything_but_base64_of_32_bytes_is_refused() {
        assert!(ApplicationSecret::parse(&STANDARD.encode([7; 32])).is_ok());
        for weak in ["", "secret", &STANDARD.encode([7; 31]), "not base64 but long enough to be 32 bytes of it!!!"] {
            assert_eq!(ApplicationSecret::parse(weak).unwrap_err(), WeakSecret, "{weak}");
        }
    }

    #[test]
    fn a_generated_secret_of_64_letters_and_digits_is_accepted() {
        let generated = "aZ09".repeat(16);
        assert_eq!(ApplicationSecret::parse(&generated).unwrap().bytes().len(), 48);
    }

    #[test]
    fn the_previous_secret_opens_and_verifies_but_a_forgotten_one_does_not() {
        let before = SecretRing::new(secret(1), None);
        let (envelope, mac) = (before.seal("ad", b"plain"), before.refresh_mac(&[b"a", b"b"]));
        let rotated = SecretRing::new(secret(2), Some(secret(1)));
        assert_eq!(rotated.open("ad", &envelope).unwrap().as_slice(), b"plain");
        assert!(rotated.verifies_refresh_mac(&[b"a", b"b"], mac));
        let forgotten = SecretRing::new(secret(3), Some(secret(2)));
        assert_eq!(forgotten.open("ad", &envelope).unwrap_err(), EnvelopeError::Unopened);
        assert!(!forgotten.verifies_refresh_mac(&[b"a", b"b"], mac));
    }

    #[test]
    fn a_code_is_proven_by_the_secret_that_stored_it_and_by_no_key_of_another_purpose() {
        let before = SecretRing::new(secret(1), None);
        let stored = before.code_mac(&[b"a", b"12345678"]);
        assert!(SecretRing::new(secret(2), Some(secret(1))).verifies_code_mac(&[b"a", b"12345678"], &stored));
        assert!(!SecretRing::new(secret(2), None).verifies_code_mac(&[b"a", b"12345678"], &stored));
        assert!(!before.verifies_code_mac(&[b"b", b"12345678"], &stored));
        assert_ne!(before.refresh_mac(&[b"a", b"12345678"]).as_bytes(), &stored.as_bytes()[..16]);
    }

    #[test]
    fn bytes_cannot_move_from_one_part_of_a_mac_to_the_next() {
        let ring = SecretRing::new(secret(1), None);
        assert!(!ring.verifies_refresh_mac(&[b"ab", b"c"], ring.refresh_mac(&[b"a", b"bc"])));
    }

    #[test]
    fn the_secret_does_not_print_itself() {
        assert!(!format!("{:?}", SecretRing::new(secret(65), None)).contains("AAAA"));
    }
}
