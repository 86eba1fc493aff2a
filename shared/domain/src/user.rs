//! Users.

use freehold_crypto::key_pair::PublicKey;

use crate::email::Email;
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
    /// The key that the user's tokens are verified with.
    pub public_key: PublicKey,
    /// How often all sessions of the user were ended at once. A session of an earlier generation has ended, also one whose
    /// sign-in was under way meanwhile.
    pub generation: u32,
}

impl User {
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
    /// The address is shown to be the user's.
    Verified,
}

impl Status {
    /// The status as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Verified => "verified",
        }
    }

    /// Reads a stored status.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Unverified, Self::Verified].into_iter().find(|status| status.as_str() == text)
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
    /// Until when an account that is not verified holds it; nothing for one that is.
    pub unverified_until: Option<Timestamp>,
}

impl Claim {
    /// Whether somebody else may take the address over: the account is not verified, and its time to be has passed.
    #[must_use]
    pub fn is_abandoned(&self, now: Timestamp) -> bool {
        self.unverified_until.is_some_and(|until| until <= now)
    }
}
