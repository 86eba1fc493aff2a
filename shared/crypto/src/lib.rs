//! Bytes in, bytes out: everything cryptographic that a user pool does, with no I/O, no clock and no AWS.
//!
//! - [`password`]: Argon2id over memory that is kept between calls.
//! - [`breach_range`]: what of a password is told to ask whether it was in a leak.
//! - [`key_pair`]: a user's RSA key pair, as PEM and as keys that sign and verify.
//! - [`envelope`]: secrets at rest, AES-256-GCM under the application secret.
//! - [`application_secret`]: the one secret of a deployment, its predecessor, and what is derived from them.
//! - [`token`]: random secrets that are handed out once and stored as a hash.
//! - [`code`]: eight digits that are mailed, and stored as a MAC.
//! - [`encryption_sdk_message`]: a code for a custom sender, as the AWS Encryption SDK reads it.
//! - [`jwt`]: RS256 access tokens.
//!
//! Primitives come from `argon2`, `aes-gcm`, `pbkdf2`, `hkdf`, `hmac` and `sha2` of RustCrypto, and from
//! `aws-lc-rs` for RSA, whose private operations are constant-time. None of them is written here.

pub mod application_secret;
pub mod breach_range;
pub mod code;
pub mod encryption_sdk_message;
pub mod envelope;
pub mod jwt;
pub mod key_pair;
pub mod password;
pub mod token;

#[cfg(test)]
mod vectors;

pub use application_secret::{ApplicationSecret, SecretRing};

/// Fills an array from the operating system's generator.
///
/// # Panics
/// Where the operating system cannot give random bytes: nothing that this crate makes would be safe.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
