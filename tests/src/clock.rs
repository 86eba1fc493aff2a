use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use freehold_domain::Timestamp;
use freehold_service::Clock;

/// A clock that stands still until a case moves it.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicU64>);

impl Default for TestClock {
    /// It stands at the present: a database that is not in this process expires items by a clock of its own, which must not
    /// be ahead.
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(Clock::system().now().as_millis())))
    }
}

impl TestClock {
    /// Moves it on.
    pub fn pass(&self, duration: Duration) {
        self.0.fetch_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Moves it to the present, for functions that run beside it and have the system's clock.
    pub fn catch_up(&self) {
        self.0.fetch_max(Clock::system().now().as_millis(), Ordering::SeqCst);
    }

    /// The clock as the functions take it.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let millis = Arc::clone(&self.0);
        Clock::new(move || Timestamp::from_millis(millis.load(Ordering::SeqCst)))
    }
}
