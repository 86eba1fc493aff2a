//! Sessions, and what a presented refresh token means for one.

use std::time::Duration;

use freehold_crypto::token::SecretHash;

use crate::refresh_token::RefreshToken;
use crate::settings::Settings;
use crate::user::User;
use crate::{SessionId, Timestamp, UserId};

/// How long the token before the current one still gives an access token: two tabs, or a retry.
const GRACE: Duration = Duration::from_secs(10);
/// How long after a sign-in what is delicate may be done: changing a password, an address or a factor.
const RECENT: Duration = Duration::from_mins(10);
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
    /// What the user showed when it began.
    pub factors: Vec<Factor>,
    /// Where the user signed in.
    pub device: Device,
}

/// Something by which somebody shows who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Factor {
    /// The password.
    Password,
    /// What the owner's functions asked for.
    Custom,
}

impl Factor {
    /// The factor as tokens name it: as RFC 8176 does, where it knows it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Custom => "custom",
        }
    }

    /// Reads a stored factor.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Password, Self::Custom].into_iter().find(|factor| factor.as_str() == text)
    }
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

/// The programs that people sign in with, by what only they say of themselves: most also say that they are others.
const PROGRAMS: [(&str, &str); 11] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("okhttp/", "an Android app"),
    ("CFNetwork/", "an Apple app"),
    ("curl/", "curl"),
];

/// The systems that they run on.
const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Darwin", "Apple"),
    ("Linux", "Linux"),
];

impl Device {
    /// The device in words for its owner, such as "Firefox on Linux". It is what the program says of itself, which may be
    /// anything.
    #[must_use]
    pub fn in_words(&self) -> String {
        let find = |names: &[(&'static str, &'static str)]| {
            names.iter().find(|(mark, _)| self.user_agent.contains(mark)).map(|(_, name)| *name)
        };
        match (find(&PROGRAMS), find(&SYSTEMS)) {
            (Some(program), Some(system)) => format!("{program} on {system}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => "an unknown program".to_owned(),
        }
    }
}

/// Whether a session began so lately that what is delicate may be done.
#[must_use]
pub fn is_recent(id: SessionId, now: Timestamp) -> bool {
    now.since(id.created_at()) < RECENT
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
    /// A session of a generation that begins with its first token, at the moment that its id carries.
    #[must_use]
    pub fn begin(
        generation: u32,
        factors: Vec<Factor>,
        token: &RefreshToken,
        device: Device,
        settings: &Settings,
    ) -> Self {
        let now = token.session.created_at();
        Self {
            id: token.session,
            user: token.user,
            current: token.secret.hash(),
            previous: None,
            rotated_at: now,
            recoveries: 0,
            expires_at: refreshed_until(token.session, settings, now),
            generation,
            factors,
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
            factors: vec![Factor::Password],
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
        let settings = Settings { session_idle: seconds(100), session_absolute: seconds(250), ..Settings::default() };
        let id = SessionId::new(START);
        assert_eq!(refreshed_until(id, &settings, START), START + seconds(100));
        assert_eq!(refreshed_until(id, &settings, START + seconds(200)), START + seconds(250));
    }

    #[test]
    fn a_session_is_recent_for_ten_minutes() {
        let id = SessionId::new(START);
        assert!(is_recent(id, START) && is_recent(id, START + seconds(599)) && !is_recent(id, START + seconds(600)));
    }

    #[test]
    fn a_device_is_told_in_words() {
        let words = |user_agent: &str| Device::new("192.0.2.1", user_agent).in_words();
        let webkit = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        for (user_agent, expected) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (&format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit}"), "Chrome on Windows"),
            (&format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {webkit} Edg/140.0.0.0"), "Edge on Windows"),
            (&format!("Mozilla/5.0 (Linux; Android 10; K) {webkit}"), "Chrome on Android"),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl"),
            ("<script>", "an unknown program"),
            ("", "an unknown program"),
        ] {
            assert_eq!(words(user_agent), expected, "{user_agent}");
        }
    }

    #[test]
    fn a_device_describes_itself_in_bounds() {
        let device = Device::new("192.0.2.1", &format!("a\r\n{}", "b".repeat(300)));
        assert_eq!(device.user_agent, format!("a{}", "b".repeat(255)));
    }
}
