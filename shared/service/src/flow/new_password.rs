//! What comes with a password that somebody chose.

use std::sync::Arc;

use freehold_crypto::key_pair::{KeyPair, PublicKey};
use freehold_domain::envelope::SealedFor;
use freehold_domain::language::Language;
use freehold_domain::mail::{Kind, Mail, NOTICE_LIFETIME, Notification};
use freehold_domain::password::Password;
use freehold_domain::user::User;
use freehold_domain::{Error, MailId, UserId};
use futures::future::try_join;

use crate::App;
use crate::store::Credentials;

/// The hash of a password, and a key pair that is as new: tokens that an older key signed are worth nothing afterwards. From
/// which generation on they count is for the caller to say.
pub(super) async fn new_password(
    app: &App,
    user: UserId,
    password: &Arc<Password>,
) -> Result<(Credentials, PublicKey), Error> {
    // A key pair takes longer than a hash, so the lanes of the hash would only hold it up.
    let (password_hash, key_pair) = try_join(app.hasher()?.hash_on_one_thread(password), make_key_pair()).await?;
    let private_key = key_pair.private.expose().as_bytes();
    let sealed_private_key = app.secrets()?.seal(&app.config.pool, SealedFor::PrivateKey(user), private_key);
    Ok((Credentials { password_hash, sealed_private_key, generation: 0 }, key_pair.public))
}

/// The mail that tells a user of something that was done.
pub(super) fn notice(app: &App, user: &User, notification: Notification, language: Option<Language>) -> Mail {
    let now = app.clock.now();
    Mail {
        id: MailId::new(now),
        kind: Kind::Notice(notification),
        user: user.id,
        to: user.email.clone(),
        name: user.name.clone(),
        language,
        sealed_secrets: None,
        expires_at: now + NOTICE_LIFETIME,
    }
}

/// On a thread of its own, beside the one that hashes.
async fn make_key_pair() -> Result<KeyPair, Error> {
    let made = tokio::task::spawn_blocking(KeyPair::generate).await;
    made.map_err(|_| Error::internal("the thread that makes a key pair ended"))?
        .map_err(|error| Error::internal(error.to_string()))
}
