//! What an owner may choose for a pool.

use std::time::Duration;

use crate::appearance::{Appearance, WebAddress};
use crate::attributes::Schema;
use crate::email::Email;
use crate::password_policy::PasswordPolicy;

const DAY: Duration = Duration::from_hours(24);

/// A pool's settings. What its item does not say has the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a session lives without being refreshed.
    pub session_idle: Duration,
    /// How long a session lives at most.
    pub session_absolute: Duration,
    /// What users can say of themselves.
    pub attributes: Schema,
    /// Which passwords people may choose.
    pub passwords: PasswordPolicy,
    /// How mail looks.
    pub appearance: Appearance,
    /// Who mail comes from, where it is not the sender of the deployment.
    pub sender: Option<Email>,
    /// Where a browser's password manager is sent to change a password (W3C, "A Well-Known URL for Changing Passwords").
    pub change_password_url: Option<WebAddress>,
    /// How long an account lives on after its user asked for its deletion; not at all, where it is zero.
    pub deletion_grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_idle: 30 * DAY,
            session_absolute: 90 * DAY,
            attributes: Schema::default(),
            passwords: PasswordPolicy::default(),
            appearance: Appearance::default(),
            sender: None,
            change_password_url: None,
            deletion_grace: 7 * DAY,
        }
    }
}
