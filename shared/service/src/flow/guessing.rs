//! What follows a guess that was right.

use crate::App;
use crate::store::GuessedAt;

/// Forgets what was counted against somebody who has shown who they are. Where that fails, they are let in all the same: the
/// next time forgets it too.
pub(super) async fn guessed_right(app: &App, guessed_at: &GuessedAt) {
    if let Err(error) = app.store.forget_guesses(guessed_at).await {
        tracing::warn!(code = error.code(), cause = error.cause(), "guesses are still counted");
    }
}
