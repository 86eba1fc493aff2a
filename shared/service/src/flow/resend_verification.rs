//! Asking for another mail.

use freehold_domain::email::Email;
use freehold_domain::verification::{Challenge, VerificationToken};
use freehold_domain::{Error, UserId};
use futures::future::BoxFuture;

use super::register::verification_mail;
use crate::App;
use crate::store::VerificationMail;

/// Sends another mail to an address that waits to be verified; the link in it replaces the one before.
///
/// For an address that is unknown or verified it reads and writes as much, to where nobody looks: neither the answer nor
/// its time says which it was. More than 5 an hour are not sent, to any address.
///
/// # Errors
/// None but those of a table that does not answer.
pub fn resend_verification<'a>(app: &'a App, email: &'a Email) -> BoxFuture<'a, Result<(), Error>> {
    Box::pin(async move {
        let now = app.clock.now();
        if !app.store.count_verification_mail(email, now).await? {
            return Ok(());
        }
        let claim = app.store.claim(email).await?;
        let waiting = claim.filter(|claim| claim.unverified_until.is_some()).map(|claim| claim.user);
        let decoy = UserId::new(now);
        let user = app.store.user(waiting.unwrap_or(decoy)).await?;

        let token = VerificationToken::generate();
        let mail = if let Some(user) = user {
            let challenge = Challenge::new(user.id, user.email, &token, now);
            let mail = verification_mail(app, &challenge, &token, user.name)?;
            VerificationMail::Renewed(challenge, mail)
        } else {
            let challenge = Challenge::new(decoy, email.clone(), &token, now);
            let mail = verification_mail(app, &challenge, &token, None)?;
            VerificationMail::Decoy(challenge, mail)
        };
        app.store.write_verification_mail(&mail).await
    })
}
