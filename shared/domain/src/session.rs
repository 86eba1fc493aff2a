//! Sessions, and what a presented refresh token means for one.

use std::time::Duration;

use freehold_crypto::token::SecretHash;

use crate::refresh_token::RefreshToken;
use crate::settings::Settings;
use crate::user::User;
use crate::{SessionId, Timestamp, UserId};

/// How long the token before the current one still gives an access token: two tabs, or a retry.
const GRACE: Duration = Duration::from_secs(10);
/// How often in a row a session may be recovered by the token before the current one: an answer that was lost.
const MAX_RECOVERIES: u32 = 3;

/// A session: one sign-in on one device, kept alive by a refresh token that changes with each use.
#[derive(Debug, Clone)]
pub struct Session {
    /// The session's id, which says when it began.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The hash of the secret that was handed out last.
    pub current: SecretHash,
    /// The hash of the one before.
    pub previous: Option<SecretHash>,
    /// When the current secret was handed out.
    pub rotated_at: Timestamp,
    /// How often in a row the previous secret was answered with a new one.
    pub recoveries: u32,
    /// When the session ends unless it is refreshed.
    pub expires_at: Timestamp,
    /// Of which generation it is: see [`User::generation`](crate::user::User).
    pub generation: u32,
    /// Where the user signed in.
    pub device: Device,
}

/// Where a user signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The caller's address, as the gateway saw it.
    pub source_ip: String,
    /// What the program said of itself: printable, at most 256 characters.
    pub user_agent: String,
}

impl Device {
    /// A device, its self-description cut and stripped of what is not printable.
    #[must_use]
    pub fn new(source_ip: &str, user_agent: &str) -> Self {
        let user_agent = user_agent.chars().filter(|character| !character.is_control()).take(256).collect();
        Self { source_ip: source_ip.to_owned(), user_agent }
    }
}

/// What a presented secret is to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The current one: rotate.
    Current,
    /// The previous one, just after the rotation: an access token, and no rotation.
    JustReplaced,
    /// The previous one, later: the answer that carried the current one was lost. Hand out a new current one.
    Recoverable,
    /// It was current once. Two hold it, and one of them is a thief: the session ends.
    Stolen,
}

impl Session {
    /// A session of a user that begins with its first token, at the moment that its id carries.
    #[must_use]
    pub fn begin(user: &User, token: &RefreshToken, device: Device, settings: &Settings) -> Self {
        let now = token.session.created_at();
        Self {
            id: token.session,
            user: user.id,
            current: token.secret.hash(),
            previous: None,
            rotated_at: now,
            recoveries: 0,
            expires_at: refreshed_until(token.session, settings, now),
            generation: user.generation,
            device,
        }
    }

    /// Whether the user's sessions were not ended since it began.
    #[must_use]
    pub fn is_of(&self, user: &User) -> bool {
        self.user == user.id && self.generation == user.generation
    }

    /// Judges a secret that is proven to be of this session.
    #[must_use]
    pub fn judge(&self, secret: &SecretHash, now: Timestamp) -> Presented {
        if self.current == *secret {
            Presented::Current
        } else if self.previous.as_ref() != Some(secret) {
            Presented::Stolen
        } else if now.since(self.rotated_at) <= GRACE {
            Presented::JustReplaced
        } else if self.recoveries < MAX_RECOVERIES {
            Presented::Recoverable
        } else {
            Presented::Stolen
        }
    }
}

/// Until when a session lives that is refreshed at `now`: its idle time from now, and never past its absolute time, which
/// counts from the moment that its id carries.
#[must_use]
pub fn refreshed_until(id: SessionId, settings: &Settings, now: Timestamp) -> Timestamp {
    (now + settings.session_idle).min(id.created_at() + settings.session_absolute)
}

#[cfg(test)]
mod tests {
    use freehold_crypto::token::Secret;

    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_767_225_600);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn session(current: &Secret, previous: Option<&Secret>, recoveries: u32) -> Session {
        Session {
            id: SessionId::new(START),
            user: UserId::new(START),
            current: current.hash(),
            previous: previous.map(Secret::hash),
            rotated_at: START,
            recoveries,
            expires_at: START + seconds(1_000),
            generation: 0,
            device: Device::new("192.0.2.1", "test"),
        }
    }

    #[test]
    fn the_current_secret_rotates_whatever_happened_before() {
        let (current, previous) = (Secret::generate(), Secret::generate());
        for recoveries in 0..=3 {
            let session = session(&current, Some(&previous), recoveries);
            assert_eq!(session.judge(&current.hash(), START + seconds(1_000)), Presented::Current);
        }
    }

    #[test]
    fn the_previous_secret_is_forgiven_for_ten_seconds_and_recovers_three_times_after() {
        let (current, previous) = (Secret::generate(), Secret::generate());
        let judged = |recoveries, after| {
            session(&current, Some(&previous), recoveries).judge(&previous.hash(), START + seconds(after))
        };
        assert_eq!(judged(0, 0), Presented::JustReplaced);
        assert_eq!(judged(3, 10), Presented::JustReplaced);
        assert_eq!(judged(0, 11), Presented::Recoverable);
        assert_eq!(judged(2, 11), Presented::Recoverable);
        assert_eq!(judged(3, 11), Presented::Stolen);
    }

    #[test]
    fn any_other_secret_is_stolen() {
        let (current, previous, older) = (Secret::generate(), Secret::generate(), Secret::generate());
        assert_eq!(session(&current, Some(&previous), 0).judge(&older.hash(), START), Presented::Stolen);
        assert_eq!(session(&current, None, 0).judge(&older.hash(), START), Presented::Stolen);
    }

    #[test]
    fn a_clock_that_is_behind_forgives() {
        let (current, previous) = (Secret::generate(), Secret::generate());
        let behind = Timestamp::from_millis(START.as_millis() - 5_000);
        assert_eq!(session(&current, Some(&previous), 3).judge(&previous.hash(), behind), Presented::JustReplaced);
    }

    #[test]
    fn a_session_lives_its_idle_time_and_never_past_its_absolute_time() {
        let settings = Settings { session_idle: seconds(100), session_absolute: seconds(250) };
        let id = SessionId::new(START);
        assert_eq!(refreshed_until(id, &settings, START), START + seconds(100));
        assert_eq!(refreshed_until(id, &settings, START + seconds(200)), START + seconds(250));
    }

    #[test]
    fn a_device_describes_itself_in_bounds() {
        let device = Device::new("192.0.2.1", &format!("a\r\n{}", "b".repeat(300)));
        assert_eq!(device.user_agent, format!("a{}", "b".repeat(255)));
    }
}
