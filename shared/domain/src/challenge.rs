//! Showing that a mail reached its reader: by the link in it, or by the code beside the link.

use std::time::Duration;

use freehold_crypto::SecretRing;
use freehold_crypto::code::{Code, CodeMac};
use freehold_crypto::token::{Secret, SecretHash};
use zeroize::Zeroizing;

use crate::email::Email;
use crate::{PoolId, Timestamp, UserId};

/// How many mails an hour of one purpose an address can be sent by asking for them.
pub const MAILS_PER_HOUR: u32 = 5;
/// How many guesses a code allows, the right one among them. The link goes on working.
pub const GUESSES_PER_CODE: u32 = 5;

/// What a challenge is for. What answers one of one purpose never answers one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Showing that an address is one's own.
    VerifyEmail,
    /// Choosing another password without knowing the old one.
    ResetPassword,
    /// Having the account use another address, which is shown to be one's own.
    ChangeEmail,
    /// Giving the account back to the address that it had, and another password with it.
    UndoEmailChange,
    /// Keeping an account that is to be deleted.
    KeepAccount,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] =
        [Self::VerifyEmail, Self::ResetPassword, Self::ChangeEmail, Self::UndoEmailChange, Self::KeepAccount];

    /// The purpose, as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::ChangeEmail => "change-email",
            Self::UndoEmailChange => "undo-email-change",
            Self::KeepAccount => "keep-account",
        }
    }

    /// How long link and code work. That of an unverified account is also how long it holds its address, and that of an undone
    /// change how long nobody else gets the old one. An account can be kept until it goes, which is a setting.
    #[must_use]
    pub fn lifetime(self) -> Duration {
        match self {
            Self::VerifyEmail | Self::ChangeEmail => Duration::from_hours(24),
            Self::ResetPassword => Duration::from_hours(1),
            Self::UndoEmailChange | Self::KeepAccount => Duration::from_hours(7 * 24),
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::VerifyEmail => "fh_ev_",
            Self::ResetPassword => "fh_pr_",
            Self::ChangeEmail => "fh_ec_",
            Self::UndoEmailChange => "fh_eu_",
            Self::KeepAccount => "fh_ka_",
        }
    }
}

/// What anybody can have a mail sent for who names an address. Whether an account has it is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDemand {
    /// [`Purpose::VerifyEmail`].
    VerifyEmail,
    /// [`Purpose::ResetPassword`].
    ResetPassword,
}

impl OnDemand {
    /// The purpose of the challenge in the mail.
    #[must_use]
    pub fn purpose(self) -> Purpose {
        match self {
            Self::VerifyEmail => Purpose::VerifyEmail,
            Self::ResetPassword => Purpose::ResetPassword,
        }
    }
}

/// The secret of a mailed link: a prefix for its purpose and 43 characters of base64url.
#[derive(Clone, Debug)]
pub struct ChallengeToken {
    purpose: Purpose,
    secret: Secret,
}

impl ChallengeToken {
    /// Reads a token of a purpose in its one spelling.
    #[must_use]
    pub fn parse(purpose: Purpose, text: &str) -> Option<Self> {
        let secret = Secret::from_base64url(text.strip_prefix(purpose.prefix())?)?;
        Some(Self { purpose, secret })
    }

    /// The token, to be mailed.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}{}", self.purpose.prefix(), self.secret.expose_base64url())
    }
}

/// What answers a challenge. It is mailed, and only what it is recognised by is kept.
#[derive(Clone, Debug)]
pub struct MailedSecrets {
    /// The secret of the link.
    pub token: ChallengeToken,
    /// The code beside it.
    pub code: Code,
}

impl MailedSecrets {
    /// Makes new ones.
    #[must_use]
    pub fn generate(purpose: Purpose) -> Self {
        Self { token: ChallengeToken { purpose, secret: Secret::generate() }, code: Code::generate() }
    }

    /// Both as one text, to be sealed.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{} {}", self.token.expose(), self.code.expose()))
    }

    /// Reads back what [`MailedSecrets::expose`] gave.
    #[must_use]
    pub fn parse(purpose: Purpose, text: &str) -> Option<Self> {
        let (token, code) = text.split_once(' ')?;
        Some(Self { token: ChallengeToken::parse(purpose, token)?, code: Code::parse(code)? })
    }
}

/// What a mail asks: it is bound to one purpose, one user and one address.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// What an answer lets the user do.
    pub purpose: Purpose,
    /// The account.
    pub user: UserId,
    /// The address that the mail was sent to.
    pub email: Email,
    /// The hash of the token in the link.
    pub token_hash: SecretHash,
    /// The MAC of the code.
    pub code_mac: CodeMac,
    /// When neither works any longer.
    pub expires_at: Timestamp,
}

impl Challenge {
    /// A new challenge, and what answers it.
    #[must_use]
    pub fn new(
        purpose: Purpose,
        user: UserId,
        email: Email,
        pool: &PoolId,
        ring: &SecretRing,
        now: Timestamp,
    ) -> (Self, MailedSecrets) {
        let secrets = MailedSecrets::generate(purpose);
        let token_hash = secrets.token.secret.hash();
        let bound_to = (pool, purpose, user, &email, &token_hash);
        let code_mac = with_parts(bound_to, &secrets.code, |parts| ring.code_mac(parts));
        (Self { purpose, user, email, token_hash, code_mac, expires_at: now + purpose.lifetime() }, secrets)
    }

    /// Whether `token` answers the challenge at `now`.
    #[must_use]
    pub fn is_answered_by(&self, token: &ChallengeToken, now: Timestamp) -> bool {
        self.expires_at > now && self.purpose == token.purpose && self.token_hash == token.secret.hash()
    }

    /// Whether `code` answers the challenge at `now`. Who asks has counted the guess before.
    #[must_use]
    pub fn is_answered_by_code(&self, code: &Code, pool: &PoolId, ring: &SecretRing, now: Timestamp) -> bool {
        let bound_to = (pool, self.purpose, self.user, &self.email, &self.token_hash);
        self.expires_at > now && with_parts(bound_to, code, |parts| ring.verifies_code_mac(parts, &self.code_mac))
    }
}

/// What the MAC of a code is over. The hash of the token stands for this very challenge: a code of the mail before, moved
/// into this item, proves nothing.
fn with_parts<T>(
    (pool, purpose, user, email, token_hash): (&PoolId, Purpose, UserId, &Email, &SecretHash),
    code: &Code,
    work: impl FnOnce(&[&[u8]]) -> T,
) -> T {
    let (purpose, email) = (purpose.as_str().as_bytes(), email.as_str().as_bytes());
    work(&[pool.as_str().as_bytes(), purpose, user.as_bytes(), email, token_hash.as_bytes(), code.expose_bytes()])
}

#[cfg(test)]
mod tests {
    use freehold_crypto::ApplicationSecret;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn ring() -> SecretRing {
        SecretRing::new(ApplicationSecret::parse(&"aZ09".repeat(16)).unwrap(), None)
    }

    fn pool() -> PoolId {
        PoolId::parse("eu-west-1_A").unwrap()
    }

    fn challenge(purpose: Purpose, email: &str) -> (Challenge, MailedSecrets) {
        Challenge::new(purpose, UserId::new(NOW), Email::parse(email).unwrap(), &pool(), &ring(), NOW)
    }

    #[test]
    fn a_token_has_one_spelling_and_one_purpose() {
        for purpose in Purpose::ALL {
            let token = challenge(purpose, "ann@example.com").1.token.expose();
            for other in Purpose::ALL {
                assert_eq!(ChallengeToken::parse(other, &token).is_some(), other == purpose, "{token}");
            }
            let refresh = token.replace(purpose.prefix(), "fh_rt_");
            for wrong in ["", purpose.prefix(), &token[..token.len() - 1], &format!("{token}A"), &token[6..], &refresh]
            {
                assert!(ChallengeToken::parse(purpose, wrong).is_none(), "{wrong}");
            }
        }
    }

    #[test]
    fn a_challenge_is_answered_by_its_own_secrets_until_it_expires() {
        let ((challenge, own), (_, others)) =
            (self::challenge(Purpose::VerifyEmail, "ann@example.com"), self::challenge(Purpose::VerifyEmail, "b@c.de"));
        let by_code = |code, now| challenge.is_answered_by_code(code, &pool(), &ring(), now);
        assert!(challenge.is_answered_by(&own.token, NOW) && by_code(&own.code, NOW));
        assert!(!challenge.is_answered_by(&others.token, NOW) && !by_code(&others.code, NOW));
        let expired = NOW + Purpose::VerifyEmail.lifetime();
        assert!(!challenge.is_answered_by(&own.token, expired) && !by_code(&own.code, expired));
    }

    #[test]
    fn a_code_proves_nothing_about_another_challenge() {
        let (challenge, own) = challenge(Purpose::VerifyEmail, "ann@example.com");
        let others = [
            Challenge { purpose: Purpose::ResetPassword, ..challenge.clone() },
            Challenge { user: UserId::new(NOW), ..challenge.clone() },
            Challenge { email: Email::parse("bob@example.com").unwrap(), ..challenge.clone() },
            Challenge { token_hash: Secret::generate().hash(), ..challenge.clone() },
        ];
        for other in others {
            assert!(!other.is_answered_by_code(&own.code, &pool(), &ring(), NOW), "{other:?}");
        }
        let other_pool = PoolId::parse("eu-west-1_B").unwrap();
        assert!(!challenge.is_answered_by_code(&own.code, &other_pool, &ring(), NOW));
    }

    #[test]
    fn what_was_sealed_is_read_back_for_its_own_purpose() {
        let (challenge, secrets) = challenge(Purpose::ResetPassword, "ann@example.com");
        let read = MailedSecrets::parse(Purpose::ResetPassword, &secrets.expose()).unwrap();
        assert!(challenge.is_answered_by(&read.token, NOW));
        assert!(challenge.is_answered_by_code(&read.code, &pool(), &ring(), NOW));
        assert!(MailedSecrets::parse(Purpose::VerifyEmail, &secrets.expose()).is_none());
    }
}
