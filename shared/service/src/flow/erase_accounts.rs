//! Deleting the accounts whose time has come.

use freehold_domain::challenge::Purpose;
use freehold_domain::email::Email;
use freehold_domain::mail::Notification;
use freehold_domain::{Error, UserId};
use futures::future::BoxFuture;

use super::MAX_LOOKS;
use super::new_password::notice;
use crate::App;
use crate::store::Deletion;

/// Deletes what is due, the longest due first, and says how many accounts there are of which nothing is left. One that fails
/// does not hold up the others: it is still due the next time.
///
/// # Errors
/// None but those of a table that does not answer.
pub fn erase_accounts(app: &App) -> BoxFuture<'_, Result<usize, Error>> {
    Box::pin(async move {
        let mut erased = 0;
        for deletion in app.store.due_deletions(app.clock.now()).await? {
            match erase(app, deletion).await {
                Ok(true) => erased += 1,
                Ok(false) => {}
                Err(error) => {
                    let (code, cause) = (error.code(), error.cause());
                    tracing::error!(user = %deletion.user, code, cause, "an account waits to be deleted");
                }
            }
        }
        Ok(erased)
    })
}

/// Deletes an account and everything of it. It may be interrupted at any point, and begins again where it was.
///
/// A sign-in that is under way writes its session after the partition was emptied, so a deletion is forgotten only by a later
/// look that finds nothing: then it says yes.
pub(super) async fn erase(app: &App, deletion: Deletion) -> Result<bool, Error> {
    for _ in 0..MAX_LOOKS {
        let Some(user) = app.store.user(deletion.user).await? else {
            let is_empty = app.store.erase_partition(deletion.user).await? == 0;
            if is_empty {
                app.store.forget_deletion(deletion).await?;
            }
            return Ok(is_empty);
        };
        if user.deletion_at != Some(deletion.at) {
            app.store.forget_deletion(deletion).await?;
            return Ok(false);
        }
        let former = former_email(app, user.id).await?;
        let mail = notice(app, &user, Notification::AccountDeleted, None);
        if app.store.end_account(&user, former.as_ref(), &mail).await? {
            app.store.erase_partition(user.id).await?;
            return Ok(false);
        }
    }
    Err(Error::unavailable("an account changed each time that it was to be deleted"))
}

/// The address that the account had before, if nobody else has taken it since it can no longer be given back.
async fn former_email(app: &App, user: UserId) -> Result<Option<Email>, Error> {
    let Some(undo) = app.store.challenge(Purpose::UndoEmailChange, user).await? else { return Ok(None) };
    let claim = app.store.claim(&undo.email).await?;
    Ok(claim.is_some_and(|claim| claim.user == user).then_some(undo.email))
}
