//! What comes with a password that somebody chose.

use std::sync::Arc;

use freehold_crypto::envelope::Envelope;
use freehold_crypto::key_pair::{KeyPair, PublicKey};
use freehold_crypto::password::PasswordHash;
use freehold_domain::envelope::SealedFor;
use freehold_domain::language::Language;
use freehold_domain::mail::{Kind, Mail, NOTICE_LIFETIME, Notification};
use freehold_domain::password::{ChosenPassword, Password};
use freehold_domain::password_policy::{BreachCheck, PasswordPolicy, Person};
use freehold_domain::settings::Settings;
use freehold_domain::user::User;
use freehold_domain::{Error, MailId, UserId};
use futures::future::try_join;

use crate::App;
use crate::breached_passwords::Leak;
use crate::store::Credentials;

/// Holds a password against the pool's policy, and asks whether it was in a leak where the policy says so.
pub(super) async fn accepted(
    app: &App,
    settings: &Settings,
    chosen: ChosenPassword,
    person: Person<'_>,
) -> Result<Arc<Password>, Error> {
    let refused = |error| Error::InvalidFields(vec![error]);
    let policy = &settings.passwords;
    policy.check(&chosen, person, settings.appearance.product.as_ref()).map_err(refused)?;
    let may_be_unknown = match policy.breached {
        BreachCheck::Off => return Ok(Arc::new(chosen.into_password())),
        BreachCheck::FailOpen => true,
        BreachCheck::FailClosed => false,
    };
    match app.breached_passwords.ask(&chosen).await {
        Leak::Known => Err(refused(PasswordPolicy::breached(&chosen))),
        Leak::Silent if !may_be_unknown => Err(Error::unavailable("whether a password was in a leak is not known")),
        Leak::Unknown | Leak::Silent => Ok(Arc::new(chosen.into_password())),
    }
}

/// The hash of a password, and a key pair that is as new: tokens that an older key signed are worth nothing afterwards.
pub(super) struct NewCredentials {
    password_hash: PasswordHash,
    sealed_private_key: Envelope,
    pub(super) public_key: PublicKey,
}

impl NewCredentials {
    /// The credentials as they are stored, which count from a generation of their user on.
    pub(super) fn since(&self, generation: u32) -> Credentials {
        Credentials {
            password_hash: self.password_hash.clone(),
            sealed_private_key: self.sealed_private_key.clone(),
            generation,
        }
    }
}

/// Makes what comes with a password.
pub(super) async fn new_credentials(
    app: &App,
    user: UserId,
    password: &Arc<Password>,
) -> Result<NewCredentials, Error> {
    // A key pair takes longer than a hash, so the lanes of the hash would only hold it up.
    let (password_hash, key_pair) = try_join(app.hasher()?.hash_on_one_thread(password), make_key_pair()).await?;
    seal_key_pair(app, user, password_hash, key_pair)
}

/// What an account has whose password is still to be set: a key pair, and a hash that no password has.
pub(super) async fn credentials_without_password(app: &App, user: UserId) -> Result<NewCredentials, Error> {
    let password_hash = PasswordHash::of_nothing().map_err(|error| Error::internal(error.to_string()))?;
    seal_key_pair(app, user, password_hash, make_key_pair().await?)
}

fn seal_key_pair(
    app: &App,
    user: UserId,
    password_hash: PasswordHash,
    key_pair: KeyPair,
) -> Result<NewCredentials, Error> {
    let private_key = key_pair.private.expose().as_bytes();
    let sealed_private_key = app.secrets()?.seal(&app.config.pool, SealedFor::PrivateKey(user), private_key);
    Ok(NewCredentials { password_hash, sealed_private_key, public_key: key_pair.public })
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
        language: user.language(language),
        sealed_secrets: None,
        is_repeated: false,
        sealed_metadata: None,
        expires_at: now + NOTICE_LIFETIME,
    }
}

/// On a thread of its own, beside the one that hashes.
async fn make_key_pair() -> Result<KeyPair, Error> {
    let made = tokio::task::spawn_blocking(KeyPair::generate).await;
    made.map_err(|_| Error::internal("the thread that makes a key pair ended"))?
        .map_err(|error| Error::internal(error.to_string()))
}
