use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The round trips that a flow is expected to make: each is the requests that it sends without waiting for an answer.
#[derive(Clone)]
pub(crate) struct RoundTrips {
    state: Arc<Mutex<State>>,
    begun: watch::Sender<usize>,
}

struct State {
    /// What has not come yet, the round trip that is under way first.
    awaited: VecDeque<Vec<&'static str>>,
    came: Vec<String>,
}

impl RoundTrips {
    pub(crate) fn new(expected: &[&[&'static str]]) -> Self {
        let awaited = expected.iter().map(|requests| requests.to_vec()).collect();
        let state = State { awaited, came: Vec::new() };
        Self { state: Arc::new(Mutex::new(state)), begun: watch::Sender::new(0) }
    }

    /// Holds a request until all others of its round trip have come. One that nobody expected is not held.
    pub(crate) async fn came(&self, operation: &str) {
        let mut begun = self.begun.subscribe();
        let before = {
            let mut state = self.state();
            state.came.push(operation.to_owned());
            let Some(round_trip) = state.awaited.front_mut() else { return };
            let Some(place) = round_trip.iter().position(|awaited| *awaited == operation) else { return };
            round_trip.swap_remove(place);
            let before = *begun.borrow();
            if round_trip.is_empty() {
                state.awaited.pop_front();
                self.begun.send_modify(|begun| *begun += 1);
            }
            before
        };
        // The sender lives as long as `self`, so this ends with the round trip alone.
        let _ = begun.wait_for(|begun| *begun > before).await;
    }

    pub(crate) fn assert_came(&self, expected: &[&[&'static str]]) {
        let state = self.state();
        let awaited: Vec<_> = state.awaited.iter().flatten().collect();
        let number: usize = expected.iter().map(|requests| requests.len()).sum();
        assert!(
            awaited.is_empty() && state.came.len() == number,
            "{expected:?} were expected, {:?} came, and {awaited:?} did not come in its round trip",
            state.came
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
