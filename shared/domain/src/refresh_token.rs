//! Refresh tokens: `fh_rt_` and 107 characters of base64url.
//!
//! The 80 bytes are the locator of the session (user id, session id), the secret, and a proof that this deployment made
//! them. Without the proof nothing is read: junk does not reach the database, and nobody can end somebody's session by
//! guessing at it. Set trailing bits are refused, so a token has one spelling.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use freehold_crypto::SecretRing;
use freehold_crypto::application_secret::RefreshMac;
use freehold_crypto::token::Secret;

use crate::{PoolId, SessionId, UserId};

const PREFIX: &str = "fh_rt_";
const LOCATOR_BYTES: usize = 32;
const BYTES: usize = LOCATOR_BYTES + Secret::BYTES + RefreshMac::BYTES;

/// A refresh token that this deployment made.
#[derive(Debug)]
pub struct RefreshToken {
    /// Whose session it is of.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The secret that the session knows the hash of.
    pub secret: Secret,
}

impl RefreshToken {
    /// A new token for a session.
    #[must_use]
    pub fn generate(user: UserId, session: SessionId) -> Self {
        Self { user, session, secret: Secret::generate() }
    }

    /// The token, to be handed to its owner.
    #[must_use]
    pub fn expose(&self, pool: &PoolId, ring: &SecretRing) -> String {
        let locator = self.locator();
        let mac = ring.refresh_mac(&parts(pool, &locator, &self.secret));
        let bytes = [&locator[..], self.secret.expose_bytes(), mac.as_bytes()].concat();
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    fn locator(&self) -> [u8; LOCATOR_BYTES] {
        let mut locator = [0; LOCATOR_BYTES];
        locator[..16].copy_from_slice(self.user.as_bytes());
        locator[16..].copy_from_slice(self.session.as_bytes());
        locator
    }
}

/// A token that has the shape of one. Whether this deployment made it is yet to be shown.
pub struct UnprovenRefreshToken {
    token: RefreshToken,
    mac: RefreshMac,
}

impl UnprovenRefreshToken {
    /// Reads a token in its one spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let bytes: [u8; BYTES] = bytes.try_into().ok()?;
        let (locator, rest) = bytes.split_at(LOCATOR_BYTES);
        let (secret, mac) = rest.split_at(Secret::BYTES);
        Some(Self {
            token: RefreshToken {
                user: UserId::from_bytes(locator[..16].try_into().ok()?),
                session: SessionId::from_bytes(locator[16..].try_into().ok()?),
                secret: Secret::from_bytes(secret.try_into().ok()?),
            },
            mac: RefreshMac::from_bytes(mac.try_into().ok()?),
        })
    }

    /// Whether this deployment made the token, for this pool.
    #[must_use]
    pub fn is_proven_by(&self, pool: &PoolId, ring: &SecretRing) -> bool {
        ring.verifies_refresh_mac(&parts(pool, &self.token.locator(), &self.token.secret), self.mac)
    }

    /// The token, once it is proven.
    #[must_use]
    pub fn prove(self, pool: &PoolId, ring: &SecretRing) -> Option<RefreshToken> {
        self.is_proven_by(pool, ring).then_some(self.token)
    }
}

fn parts<'a>(pool: &'a PoolId, locator: &'a [u8; LOCATOR_BYTES], secret: &'a Secret) -> [&'a [u8]; 4] {
    [pool.as_str().as_bytes(), PREFIX.as_bytes(), locator, secret.expose_bytes()]
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use freehold_crypto::ApplicationSecret;

    use super::*;
    use crate::Timestamp;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn ring(byte: u8) -> SecretRing {
        SecretRing::new(ApplicationSecret::parse(&STANDARD.encode([byte; 32])).unwrap(), None)
    }

    fn pool(id: &str) -> PoolId {
        PoolId::parse(id).unwrap()
    }

    fn read(text: &str) -> Option<RefreshToken> {
        UnprovenRefreshToken::parse(text)?.prove(&pool("eu-west-1_A"), &ring(1))
    }

    #[test]
    fn a_token_is_read_as_it_was_made() {
        let token = RefreshToken::generate(UserId::new(NOW), SessionId::new(NOW));
        let text = token.expose(&pool("eu-west-1_A"), &ring(1));
        assert_eq!(text.len(), 6 + 107);
        let read = read(&text).unwrap();
        assert_eq!((read.user, read.session, read.secret.hash()), (token.user, token.session, token.secret.hash()));
    }

    #[test]
    fn a_token_of_another_pool_or_secret_is_refused() {
        let token = RefreshToken::generate(UserId::new(NOW), SessionId::new(NOW));
        assert!(read(&token.expose(&pool("eu-west-1_B"), &ring(1))).is_none());
        assert!(read(&token.expose(&pool("eu-west-1_A"), &ring(2))).is_none());
    }

    #[test]
    fn a_truncated_extended_or_altered_token_is_refused() {
        let token = RefreshToken::generate(UserId::new(NOW), SessionId::new(NOW));
        let text = token.expose(&pool("eu-west-1_A"), &ring(1));
        for wrong in [
            "",
            "fh_rt_",
            &text[..text.len() - 1],
            &text[6..],
            &format!("{text}A"),
            &format!("{text}="),
            &text.replace("rt", "ev"),
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
        for at in 6..text.len() {
            let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
            let altered = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert!(read(&altered).is_none(), "{at}");
        }
    }
}
