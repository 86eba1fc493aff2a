use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use freehold_domain::settings::Settings;
use freehold_domain::{Error, Timestamp};

use crate::App;

const LIFETIME: Duration = Duration::from_mins(1);

/// The pool's settings, read at most once a minute by a warm container.
#[derive(Default)]
pub(crate) struct CachedSettings(Mutex<Option<(Timestamp, Settings)>>);

impl App {
    /// The pool's settings, at most a minute old.
    pub(crate) async fn settings(&self) -> Result<Settings, Error> {
        let now = self.clock.now();
        let cached = self.settings.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, settings)) = cached
            && now.since(read_at) < LIFETIME
        {
            return Ok(settings);
        }
        let settings = self.store.settings().await?;
        *self.settings.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, settings.clone()));
        Ok(settings)
    }
}
