//! What an owner may choose for a pool.

use std::time::Duration;

use crate::appearance::Appearance;

const DAY: Duration = Duration::from_hours(24);

/// A pool's settings. What its item does not say has the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a session lives without being refreshed.
    pub session_idle: Duration,
    /// How long a session lives at most.
    pub session_absolute: Duration,
    /// How mail looks.
    pub appearance: Appearance,
}

impl Default for Settings {
    fn default() -> Self {
        Self { session_idle: 30 * DAY, session_absolute: 90 * DAY, appearance: Appearance::default() }
    }
}
