//! Users.

use freehold_crypto::key_pair::PublicKey;

use crate::attributes::Attributes;
use crate::email::Email;
use crate::language::Language;
use crate::name::DisplayName;
use crate::{Timestamp, UserId};

/// A user, without what must not be exposed: the password hash and the private key are an item of their own.
#[derive(Debug, Clone)]
pub struct User {
    /// The user's id, which says when the account was made.
    pub id: UserId,
    /// Where mail goes.
    pub email: Email,
    /// How far the account has come.
    pub status: Status,
    /// What the user wants to be called.
    pub name: Option<DisplayName>,
    /// What the user may be.
    pub roles: Vec<Role>,
    /// What the user says of themselves.
    pub attributes: Attributes,
    /// The key that the user's tokens are verified with.
    pub public_key: PublicKey,
    /// How often all sessions of the user were ended at once. A session of an earlier generation has ended, also one whose
    /// sign-in was under way meanwhile.
    pub generation: u32,
    /// How often the account was written. Who writes what was read before asks for the same number.
    pub version: u64,
    /// When the account goes, where that was asked for.
    pub deletion_at: Option<Timestamp>,
}

impl User {
    /// Somebody who has just signed up.
    #[must_use]
    pub fn new(
        id: UserId,
        email: Email,
        name: Option<DisplayName>,
        attributes: Attributes,
        public_key: PublicKey,
    ) -> Self {
        let (status, roles) = (Status::Unverified, vec![Role::user()]);
        Self { id, email, status, name, roles, attributes, public_key, generation: 0, version: 1, deletion_at: None }
    }

    /// The language of mail to the user: that of their locale, or else what a request for the mail prefers.
    #[must_use]
    pub fn language(&self, preferred: Option<Language>) -> Option<Language> {
        self.attributes.language().or(preferred)
    }

    /// The user as it is once all its sessions are ended.
    #[must_use]
    pub fn next_generation(&self) -> Self {
        Self { generation: self.generation + 1, ..self.clone() }
    }
}

/// How far an account has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody has shown yet that the address is theirs. Nobody can sign in.
    Unverified,
    /// A trigger vouches for the user, and nobody has shown that the address is theirs. The user can sign in, and gets no mail
    /// that resets a password.
    Confirmed,
    /// The address is shown to be the user's.
    Verified,
    /// A trigger brought the account from elsewhere, without a password that counts. The user signs in once another one is set,
    /// by a mail, which also shows that the address is theirs.
    ResetRequired,
}

impl Status {
    /// The status as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Confirmed => "confirmed",
            Self::Verified => "verified",
            Self::ResetRequired => "reset-required",
        }
    }

    /// Whether the address is shown to be the user's.
    #[must_use]
    pub fn is_email_verified(self) -> bool {
        self == Self::Verified
    }

    /// Whether a mail may ask whether the address is the user's.
    #[must_use]
    pub fn may_be_verified(self) -> bool {
        match self {
            Self::Unverified | Self::Confirmed => true,
            Self::Verified | Self::ResetRequired => false,
        }
    }

    /// Whether a mail may let its reader set another password.
    #[must_use]
    pub fn may_be_reset(self) -> bool {
        match self {
            Self::Unverified | Self::Confirmed => false,
            Self::Verified | Self::ResetRequired => true,
        }
    }

    /// Reads a stored status.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Unverified, Self::Confirmed, Self::Verified, Self::ResetRequired];
        all.into_iter().find(|status| status.as_str() == text)
    }
}

/// A role, as it appears in tokens: 1 to 64 lower-case letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role(String);

impl Role {
    /// What everybody is who registers.
    #[must_use]
    pub fn user() -> Self {
        Self("user".to_owned())
    }

    /// Reads a role.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_one = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
        is_one.then(|| Self(text.to_owned()))
    }

    /// The role as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who holds an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The account that holds it.
    pub user: UserId,
    /// For how long, and to what end.
    pub hold: Hold,
}

/// How an account holds an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// For good.
    Settled,
    /// Nobody has shown that it is theirs, and the account goes with the address if nobody does until then.
    UnverifiedUntil(Timestamp),
    /// The account has another address by now. Until then nobody else gets this one, so that the change can be undone.
    FormerUntil(Timestamp),
}

impl Claim {
    /// The account that somebody with this address means; nothing for an address that the account had before.
    #[must_use]
    pub fn account(&self) -> Option<UserId> {
        match self.hold {
            Hold::Settled | Hold::UnverifiedUntil(_) => Some(self.user),
            Hold::FormerUntil(_) => None,
        }
    }

    /// Whether somebody else may have the address.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        match self.hold {
            Hold::Settled => false,
            Hold::UnverifiedUntil(until) | Hold::FormerUntil(until) => until <= now,
        }
    }

    /// The account that goes when somebody else takes the address over: one that was never verified.
    #[must_use]
    pub fn abandoned(&self) -> Option<UserId> {
        match self.hold {
            Hold::UnverifiedUntil(_) => Some(self.user),
            Hold::Settled | Hold::FormerUntil(_) => None,
        }
    }
}
