//! Random secrets that are handed out once and stored as a hash.
//!
//! A [`Secret`] has 256 bits of entropy, so its SHA-256 needs no salt and no stretching: there is nothing to guess.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

/// 32 bytes from the operating system's generator. They are given to their owner, never stored, and never printed.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Secret([u8; Secret::BYTES]);

impl Secret {
    /// How many bytes a secret has.
    pub const BYTES: usize = 32;

    /// Makes a new secret.
    #[must_use]
    pub fn generate() -> Self {
        Self(crate::random())
    }

    /// Reads back what [`Secret::expose_bytes`] gave.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads 43 characters of unpadded base64url. Every secret has exactly one spelling: set trailing bits are refused.
    #[must_use]
    pub fn from_base64url(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The secret as 43 characters of base64url, to hand to its owner.
    #[must_use]
    pub fn expose_base64url(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The secret itself, to put into a token.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// What is stored in the place of the secret.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0).into())
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The SHA-256 of a [`Secret`]. Comparison takes the same time wherever two hashes differ.
#[derive(Clone)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// Reads a stored hash; nothing else has 32 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash(..)")
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_secret_has_one_spelling() {
        let secret = Secret::generate();
        let text = secret.expose_base64url();
        assert_eq!(text.len(), 43);
        assert!(Secret::from_base64url(&text).is_some_and(|read| read.hash() == secret.hash()));
        let zeros = Secret::from_bytes([0; 32]).expose_base64url();
        let set_trailing_bits = format!("{}B", &zeros[..42]);
        for wrong in [&text[..42], &format!("{text}A"), &format!("{text}="), "", &set_trailing_bits] {
            assert!(Secret::from_base64url(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_hash_is_sha256() {
        // `head -c 32 /dev/zero | openssl dgst -sha256 -binary | base64`
        let expected = "Zmh6rfhivXdsj8GLjp+OIAiXFIVu4jOzkCpZHQ1fKSU=";
        assert_eq!(STANDARD.encode(Secret::from_bytes([0; 32]).hash().as_bytes()), expected);
    }

    #[test]
    fn neither_secret_nor_hash_prints_itself() {
        let secret = Secret::generate();
        assert_eq!(format!("{secret:?} {:?}", secret.hash()), "Secret(..) SecretHash(..)");
    }
}
