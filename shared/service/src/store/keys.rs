use freehold_domain::challenge::Purpose;
use freehold_domain::email::Email;
use freehold_domain::mail::Shard;
use freehold_domain::{MailId, PoolId, SessionId, StepId, Timestamp, UserId};

use super::item::Map;
use super::text;

/// Where items are. Every partition key begins with the pool, so that one table can hold many.
pub(super) struct Keys {
    pool: PoolId,
}

/// Where one item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn into_map(self) -> Map {
        Map::from([("pk".to_owned(), text(self.pk)), ("sk".to_owned(), text(self.sk))])
    }
}

/// What the sort key of a mail begins with. The stream's filter in the template names it too.
pub(super) const MAIL_PREFIX: &str = "MAIL#";

impl Keys {
    pub(super) fn new(pool: PoolId) -> Self {
        Self { pool }
    }

    pub(super) fn pool(&self) -> &PoolId {
        &self.pool
    }

    pub(super) fn settings(&self) -> Key {
        self.key("POOL", "SETTINGS")
    }

    pub(super) fn profile(&self, user: UserId) -> Key {
        self.of_user(user, "PROFILE")
    }

    /// It is the neighbour of the profile: what sorts between the two is read with them, at each sign-in and each refresh.
    pub(super) fn credentials(&self, user: UserId) -> Key {
        self.of_user(user, "CREDENTIALS")
    }

    pub(super) fn session(&self, user: UserId, session: SessionId) -> Key {
        self.of_user(user, format!("SESSION#{session}"))
    }

    /// What the keys of all sessions of a user begin with.
    pub(super) fn session_prefix(&self, user: UserId) -> Key {
        self.of_user(user, "SESSION#")
    }

    pub(super) fn challenge(&self, purpose: Purpose, user: UserId) -> Key {
        self.of_user(user, format!("CHALLENGE#{}", purpose.as_str()))
    }

    pub(super) fn claim(&self, email: &Email) -> Key {
        self.key(format!("LOGIN#email#{}", email.canonical()), "CLAIM")
    }

    /// Where guesses at a password or a code are counted.
    pub(super) fn guesses(&self, guessed_at: impl std::fmt::Display) -> Key {
        self.key(format!("LIMIT#guesses#{guessed_at}"), "COUNT")
    }

    /// Where the mails of one purpose are counted that an address is sent.
    pub(super) fn mails_to(&self, purpose: Purpose, email: &Email) -> Key {
        self.key(format!("LIMIT#{}-mails#{}", purpose.as_str(), email.canonical()), "COUNT")
    }

    /// Where the accounts lie that are to be deleted, by when.
    pub(super) fn deletion(&self, user: UserId, at: Timestamp) -> Key {
        self.key("DELETIONS", format!("{}#{user}", Self::deletion_until(at)))
    }

    /// The partition of those accounts.
    pub(super) fn deletions(&self) -> String {
        format!("{}#DELETIONS", self.pool)
    }

    /// What the sort keys of the deletions begin with that are due at a moment: a number of one length, so that text has its
    /// order.
    pub(super) fn deletion_until(at: Timestamp) -> String {
        format!("DUE#{:015}", at.as_millis())
    }

    pub(super) fn mail(&self, mail: MailId) -> Key {
        Key { pk: self.outbox(Shard::of(mail)), sk: format!("{MAIL_PREFIX}{mail}") }
    }

    pub(super) fn outbox(&self, shard: Shard) -> String {
        format!("{}#OUTBOX#{shard}", self.pool)
    }

    /// Where it is written that a step of a sign-in was answered.
    pub(super) fn step(&self, step: StepId) -> Key {
        self.key(format!("STEP#{step}"), "ANSWERED")
    }

    /// A place that nobody reads, for the work that an unknown address must cost too. Like the account that it stands for it
    /// is one for each address, so that parallel requests meet there too.
    pub(super) fn decoy(&self, purpose: Purpose, email: &Email, part: &str) -> Key {
        self.key(format!("DECOY#{}#{}", purpose.as_str(), email.canonical()), part)
    }

    /// A place for a mail that nobody sends.
    pub(super) fn decoy_mail(&self, mail: MailId) -> Key {
        self.key(format!("DECOY#{mail}"), "LETTER")
    }

    fn of_user(&self, user: UserId, sk: impl Into<String>) -> Key {
        self.key(format!("USER#{user}"), sk)
    }

    fn key(&self, pk: impl std::fmt::Display, sk: impl Into<String>) -> Key {
        Key { pk: format!("{}#{pk}", self.pool), sk: sk.into() }
    }
}

/// The shard of a mail whose partition key a stream names.
pub(super) fn shard_of(pool: &PoolId, pk: &str) -> Option<Shard> {
    Shard::parse(pk.strip_prefix(pool.as_str())?.strip_prefix("#OUTBOX#")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_user_sorts_between_credentials_and_profile() {
        let (keys, now) = (Keys::new(PoolId::parse("eu-west-1_A").unwrap()), Timestamp::from_millis(1));
        let user = UserId::new(now);
        let account = keys.credentials(user).sk..=keys.profile(user).sk;
        let others = [keys.session(user, SessionId::new(now)), keys.session_prefix(user)];
        for other in others.into_iter().chain(Purpose::ALL.map(|purpose| keys.challenge(purpose, user))) {
            assert!(!account.contains(&other.sk), "{}", other.sk);
        }
    }
}
