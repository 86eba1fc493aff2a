//! Showing that an address is one's own.

use std::time::Duration;

use freehold_crypto::token::{Secret, SecretHash};

use crate::email::Email;
use crate::{Timestamp, UserId};

/// How long a mailed link works, and how long an unverified account holds its address.
pub const LIFETIME: Duration = Duration::from_hours(24);
/// How many mails an hour an address can be sent by asking for them.
pub const MAILS_PER_HOUR: u32 = 5;

const PREFIX: &str = "fh_ev_";

/// The secret of a mailed link: `fh_ev_` and 43 characters of base64url.
#[derive(Clone, Debug)]
pub struct VerificationToken(Secret);

impl VerificationToken {
    /// Makes a new token.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::generate())
    }

    /// Reads a token in its one spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Secret::from_base64url(text.strip_prefix(PREFIX)?).map(Self)
    }

    /// The token, to be mailed.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}", self.0.expose_base64url())
    }

    /// What is stored in its place.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        self.0.hash()
    }
}

/// What a mailed link answers: it is bound to one user and one address.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The account whose address is to be verified.
    pub user: UserId,
    /// The address that the link was sent to.
    pub email: Email,
    /// The hash of the token in the link.
    pub token_hash: SecretHash,
    /// When the link stops working.
    pub expires_at: Timestamp,
}

impl Challenge {
    /// A new challenge, answered by `token`.
    #[must_use]
    pub fn new(user: UserId, email: Email, token: &VerificationToken, now: Timestamp) -> Self {
        Self { user, email, token_hash: token.hash(), expires_at: now + LIFETIME }
    }

    /// Whether `token` answers the challenge at `now`.
    #[must_use]
    pub fn is_answered_by(&self, token: &VerificationToken, now: Timestamp) -> bool {
        self.expires_at > now && self.token_hash == token.hash()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_one_spelling() {
        let token = VerificationToken::generate().expose();
        assert!(VerificationToken::parse(&token).is_some());
        let other_kind = token.replace("fh_ev_", "fh_rt_");
        for wrong in ["", "fh_ev_", &token[..token.len() - 1], &format!("{token}A"), &token[6..], &other_kind] {
            assert!(VerificationToken::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_challenge_is_answered_by_its_own_token_until_it_expires() {
        let now = Timestamp::from_seconds(1_767_225_600);
        let token = VerificationToken::generate();
        let challenge = Challenge::new(UserId::new(now), Email::parse("ann@example.com").unwrap(), &token, now);
        assert!(challenge.is_answered_by(&token, now));
        assert!(!challenge.is_answered_by(&VerificationToken::generate(), now));
        assert!(!challenge.is_answered_by(&token, now + LIFETIME));
    }
}
