//! Signing up.

use std::sync::Arc;

use freehold_crypto::key_pair::KeyPair;
use freehold_domain::email::Email;
use freehold_domain::envelope::SealedFor;
use freehold_domain::mail::{Kind, Mail};
use freehold_domain::name::DisplayName;
use freehold_domain::password::Password;
use freehold_domain::user::{Role, Status, User};
use freehold_domain::verification::{Challenge, VerificationToken};
use freehold_domain::{Error, MailId, UserId};
use futures::future::{BoxFuture, try_join};

use crate::App;
use crate::store::{Credentials, Registration};

/// Who signs up.
pub struct Input {
    /// The address, which becomes theirs once they show that it is.
    pub email: Email,
    /// The password that they chose.
    pub password: Password,
    /// What they want to be called.
    pub name: Option<DisplayName>,
}

/// Makes an account that nobody can sign in to until its address is verified, and the mail that asks for that.
///
/// # Errors
/// [`Error::EmailTaken`].
pub fn register(app: &App, input: Input) -> BoxFuture<'_, Result<UserId, Error>> {
    Box::pin(async move {
        let Input { email, password, name } = input;
        let now = app.clock.now();
        let holder = app.store.claim(&email).await?;
        if holder.is_some_and(|holder| !holder.is_abandoned(now)) {
            return Err(Error::EmailTaken);
        }
        // A key pair takes longer than a hash, so the lanes of the hash would only hold it up.
        let (hasher, password) = (app.hasher()?, Arc::new(password));
        let (password_hash, key_pair) = try_join(hasher.hash_on_one_thread(&password), make_key_pair()).await?;

        let id = UserId::new(now);
        let sealed_private_key =
            app.secrets()?.seal(&app.config.pool, SealedFor::PrivateKey(id), key_pair.private.expose().as_bytes());
        let token = VerificationToken::generate();
        let challenge = Challenge::new(id, email.clone(), &token, now);
        let mail = verification_mail(app, &challenge, &token, name.clone())?;
        let user = User {
            id,
            email,
            status: Status::Unverified,
            name,
            roles: vec![Role::user()],
            public_key: key_pair.public,
        };
        let credentials = Credentials { password_hash, sealed_private_key };
        let replaces = holder.map(|abandoned| abandoned.user);
        app.store.register(&Registration { user, credentials, challenge, mail, replaces }, now).await?;
        Ok(id)
    })
}

/// The mail that carries the token of a challenge.
pub(super) fn verification_mail(
    app: &App,
    challenge: &Challenge,
    token: &VerificationToken,
    name: Option<DisplayName>,
) -> Result<Mail, Error> {
    let id = MailId::new(app.clock.now());
    let sealed_token = app.secrets()?.seal(&app.config.pool, SealedFor::Mail(id), token.expose().as_bytes());
    Ok(Mail {
        id,
        kind: Kind::VerifyEmail,
        user: challenge.user,
        to: challenge.email.clone(),
        name,
        sealed_token,
        expires_at: challenge.expires_at,
    })
}

/// On a thread of its own, beside the one that hashes.
async fn make_key_pair() -> Result<KeyPair, Error> {
    let made = tokio::task::spawn_blocking(KeyPair::generate).await;
    made.map_err(|_| Error::internal("the thread that makes a key pair ended"))?
        .map_err(|error| Error::internal(error.to_string()))
}
