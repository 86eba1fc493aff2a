//! How often a password or a code may be guessed at: Cognito's scheme.

use std::time::Duration;

/// After so many failures in a row each further one makes a pause.
pub const FREE_GUESSES: u32 = 5;
/// After so long without a guess nothing is held against anybody. It is also the longest pause, so that nobody can shut
/// somebody else out for long.
pub const QUIET: Duration = Duration::from_mins(15);
/// The most failures in a row whose pause is shorter than [`QUIET`].
pub const MOST_COUNTED: u32 = 14;

/// How long to wait after so many failures in a row: one second after the fifth, and twice as long after each further one.
#[must_use]
pub fn pause_after(failures: u32) -> Duration {
    if failures < FREE_GUESSES {
        Duration::ZERO
    } else if failures <= MOST_COUNTED {
        Duration::from_secs(1 << (failures - FREE_GUESSES))
    } else {
        QUIET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_begins_with_the_fifth_failure_and_doubles_up_to_a_quarter_of_an_hour() {
        let pauses = [0, 4, 5, 6, 7, 13, 14, 15, u32::MAX].map(|failures| pause_after(failures).as_secs());
        assert_eq!(pauses, [0, 0, 1, 2, 4, 256, 512, 900, 900]);
    }
}
