//! Mail that waits to be handed over.

use std::time::Duration;

use freehold_crypto::envelope::Envelope;

use crate::challenge::Purpose;
use crate::email::Email;
use crate::language::Language;
use crate::name::DisplayName;
use crate::{MailId, Timestamp, UserId};

/// How long one attempt to hand a mail over may take before another may begin: longer than `send-mail` may run.
pub const LEASE: Duration = Duration::from_mins(2);

const FIRST_BACKOFF: Duration = Duration::from_secs(30);
const LONGEST_BACKOFF: Duration = Duration::from_hours(24);

/// A mail in the outbox: what is needed to write it, its secret part sealed.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The mail's id.
    pub id: MailId,
    /// What it is about.
    pub kind: Kind,
    /// The account that it is about.
    pub user: UserId,
    /// Where it goes.
    pub to: Email,
    /// What the recipient is called.
    pub name: Option<DisplayName>,
    /// The language that the request for it preferred; nothing, where it preferred none of ours.
    pub language: Option<Language>,
    /// What answers its question, sealed for this mail; nothing, where it asks none.
    pub sealed_secrets: Option<Envelope>,
    /// Whether it asks once more what another one asked before.
    pub is_repeated: bool,
    /// What the request for it hands to triggers, sealed for this mail; nothing, where it hands nothing over.
    pub sealed_metadata: Option<Envelope>,
    /// When its link stops working, or it is too late to tell; and with it the mail.
    pub expires_at: Timestamp,
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It asks something, and carries what answers the challenge.
    Question(Purpose),
    /// It tells something.
    Notice(Notification),
}

/// What a user is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notification {
    /// The account has another password.
    PasswordChanged,
    /// The account has the address back that it had before this one.
    EmailChangeUndone,
    /// The account is gone.
    AccountDeleted,
}

impl Notification {
    /// Every notification.
    pub const ALL: [Self; 3] = [Self::PasswordChanged, Self::EmailChangeUndone, Self::AccountDeleted];
}

/// For how long it is worth telling.
pub const NOTICE_LIFETIME: Duration = Duration::from_hours(7 * 24);

impl Kind {
    /// The kind as it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Question(purpose) => purpose.as_str(),
            Self::Notice(Notification::PasswordChanged) => "password-changed",
            Self::Notice(Notification::EmailChangeUndone) => "email-change-undone",
            Self::Notice(Notification::AccountDeleted) => "account-deleted",
        }
    }

    /// Reads a stored kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let notices = Notification::ALL.into_iter().map(Self::Notice);
        Purpose::ALL.into_iter().map(Self::Question).chain(notices).find(|kind| kind.as_str() == text)
    }
}

/// One of the partitions of the outbox. A mail's random last bits choose its shard, so that no partition is hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard(u8);

impl Shard {
    /// Every shard.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..16).map(Self)
    }

    /// The shard of a mail.
    #[must_use]
    pub fn of(mail: MailId) -> Self {
        Self(mail.as_bytes()[15] & 0x0f)
    }

    /// Reads a shard's one hexadecimal digit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::all().find(|shard| shard.to_string() == text)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// How long to wait after so many failed attempts: 30 seconds, doubled each time, up to a day.
#[must_use]
pub fn backoff(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    (FIRST_BACKOFF * 2_u32.pow(doublings)).min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_30_seconds_up_to_a_day() {
        let waits: Vec<u64> = [0, 1, 2, 3, 12, 13, u32::MAX].map(|attempts| backoff(attempts).as_secs()).to_vec();
        assert_eq!(waits, [30, 30, 60, 120, 61_440, 86_400, 86_400]);
    }

    #[test]
    fn every_mail_has_a_shard_that_is_read_as_it_is_written() {
        assert_eq!(Shard::all().count(), 16);
        for _ in 0..100 {
            let shard = Shard::of(MailId::new(Timestamp::from_seconds(1_767_225_600)));
            assert_eq!(Shard::parse(&shard.to_string()), Some(shard));
        }
        assert_eq!(Shard::parse("g"), None);
    }
}
