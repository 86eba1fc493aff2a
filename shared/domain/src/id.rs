//! Names of things: pools, users, sessions and mails.

use uuid::Uuid;

use crate::Timestamp;

/// The id of a pool, as Cognito writes it: `<region>_<letters and digits>`, at most 55 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PoolId(String);

impl PoolId {
    /// Reads a pool's id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (region, rest) = text.split_once('_')?;
        let region_is_one = !region.is_empty()
            && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let rest_is_one = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (text.len() <= 55 && region_is_one && rest_is_one).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region that the pool is in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split_once('_').map_or(&*self.0, |(region, _)| region)
    }
}

impl std::fmt::Display for PoolId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Types of their own for the ids of different things, all of them version 7 UUIDs: one is never taken for another.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, made at `now`.
            #[must_use]
            pub fn new(now: Timestamp) -> Self {
                Self(uuid_at(now))
            }

            /// Reads an id in its one spelling: lower case with hyphens.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                uuid_in_its_one_spelling(text).map(Self)
            }

            /// When the id was made.
            #[must_use]
            pub fn created_at(self) -> Timestamp {
                made_at(self.0)
            }

            /// The 16 bytes of the id.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Reads what `as_bytes` gave.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    )*};
}

ids! {
    /// A user's id, the `sub` of tokens. It says when the account was made.
    UserId;
    /// A session's id, the `sid` of tokens. It says when the session began.
    SessionId;
    /// The id of a mail in the outbox. It says when the mail was written.
    MailId;
    /// The id of a step of a sign-in that has several. It says when the step began.
    StepId;
}

fn uuid_at(now: Timestamp) -> Uuid {
    let nanos = u32::try_from(now.as_millis() % 1_000).unwrap_or_default() * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, now.as_seconds(), nanos))
}

/// UUIDs have many spellings (upper case, braces, no hyphens). An id that is compared as text, as `iss` is, has one.
fn uuid_in_its_one_spelling(text: &str) -> Option<Uuid> {
    let uuid = Uuid::try_parse(text).ok()?;
    (uuid.get_version_num() == 7 && uuid.hyphenated().to_string() == text).then_some(uuid)
}

fn made_at(uuid: Uuid) -> Timestamp {
    let mut millis = [0; 8];
    millis[2..].copy_from_slice(&uuid.as_bytes()[..6]);
    Timestamp::from_millis(u64::from_be_bytes(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_id_is_a_region_and_letters_and_digits() {
        assert!(PoolId::parse("eu-west-1_Ab3").is_some());
        let too_long = format!("eu-west-1_{}", "a".repeat(46));
        for wrong in ["", "_", "eu-west-1", "eu-west-1_", "_abc", "EU_abc", "eu_a#b", "eu_a/b", "eu_a_b", &too_long] {
            assert!(PoolId::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = UserId::new(Timestamp::from_seconds(1_767_225_600)).to_string();
        assert_eq!(UserId::parse(&id).map(|id| id.to_string()), Some(id.clone()));
        let version_4 = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        for wrong in [&id.to_uppercase(), &id.replace('-', ""), &format!("{{{id}}}"), &format!(" {id}"), version_4, ""]
        {
            assert!(UserId::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn an_id_says_when_it_was_made() {
        let now = Timestamp::from_millis(1_767_225_600_123);
        assert_eq!(SessionId::new(now).created_at(), now);
        assert_eq!(UserId::new(now).created_at(), now);
    }
}
