//! Keeping a session alive.

use freehold_crypto::token::SecretHash;
use freehold_domain::refresh_token::RefreshToken;
use freehold_domain::session::{Presented, Session, refreshed_until};
use freehold_domain::token_customization::TokenCustomization;
use freehold_domain::trigger::Trigger;
use freehold_domain::user::User;
use freehold_domain::{Error, Timestamp};
use futures::future::{BoxFuture, try_join};

use super::MAX_LOOKS;
use super::SessionToken;
use super::issue_tokens::access_token;
use crate::App;
use crate::store::{Credentials, Written};
use crate::triggers::{TokenOccasion, pre_token_generation};

/// What a refresh gives.
pub struct Refreshed {
    /// The access token.
    pub access_token: String,
    /// The next refresh token; nothing, where the one that was presented had just been replaced.
    pub session_token: Option<SessionToken>,
}

/// Gives a new access token, and a new refresh token in the place of the current one.
///
/// A second tab, a retry and a lost answer present the previous one and are forgiven: see [`Presented`]. Any other secret
/// that was once current is in two hands, and ends the session.
///
/// # Errors
/// [`Error::InvalidRefreshToken`]; [`Error::TriggerRefused`]; [`Error::TriggerFailed`].
pub fn refresh<'a>(app: &'a App, refresh_token: &'a str) -> BoxFuture<'a, Result<Refreshed, Error>> {
    Box::pin(async move {
        let proven = app.secrets()?.prove(&app.config.pool, refresh_token).await?;
        let presented = proven.ok_or(Error::InvalidRefreshToken)?;
        let settings = app.settings().await?;
        let expires_at = |now| Some(refreshed_until(presented.session, &settings, now)).filter(|at| *at > now);
        expires_at(app.clock.now()).ok_or(Error::InvalidRefreshToken)?;
        let next = RefreshToken::generate(presented.user, presented.session);
        let (customization, came_as) = if app.has_trigger(Trigger::PreTokenGeneration) {
            Box::pin(customization(app, &presented)).await?.unzip()
        } else {
            (Some(TokenCustomization::default()), None)
        };
        // The function may have taken seconds, and what is forgiven counts from the rotation.
        let now = app.clock.now();
        let expires_at = expires_at(now).ok_or(Error::InvalidRefreshToken)?;
        let ((session, rotated), account) = try_join(
            Box::pin(exchange(app, &presented, (&next.secret.hash(), expires_at), came_as, now)),
            app.store.account(presented.user),
        )
        .await?;
        let (mut user, mut credentials) = account.ok_or(Error::InvalidRefreshToken)?;
        if !session.is_of(&user) || credentials.generation != user.generation {
            // Either the session ended with others, or the password was changed between these reads, and it stays.
            (user, credentials) = Box::pin(look_again(app, &presented, now)).await?;
        }
        let customization =
            customization.ok_or_else(|| Error::unavailable("a session changed while it was refreshed"))?;
        let session_token = rotated.then(|| SessionToken::new(app, &next, expires_at, now)).transpose()?;
        let session = (session.id, &*session.factors);
        let access_token = access_token(app, &user, &credentials, session, customization, now).await?;
        Ok(Refreshed { access_token, session_token })
    })
}

/// What the owner's function says of the token that is to be made. It is asked before anything is rotated: a function that
/// fails costs nobody the session. Nothing, where the session is not one to refresh, which the exchange then says.
async fn customization(app: &App, presented: &RefreshToken) -> Result<Option<(TokenCustomization, Presented)>, Error> {
    let now = app.clock.now();
    let session = app.store.session(presented.user, presented.session, now).await?;
    let came_as = session.map(|session| session.judge(&presented.secret.hash(), now));
    let Some(came_as) = came_as.filter(|came_as| *came_as != Presented::Stolen) else { return Ok(None) };
    let (user, _) = look_again(app, presented, now).await?;
    let customization = pre_token_generation(app, TokenOccasion::Refresh, &user, None).await?;
    Ok(Some((customization, came_as)))
}

/// The user of a session and their secrets, of one generation, if the session has not ended with all others.
async fn look_again(app: &App, presented: &RefreshToken, now: Timestamp) -> Result<(User, Credentials), Error> {
    let id = presented.user;
    let mut has_ended = false;
    for _ in 0..MAX_LOOKS {
        let account = app.store.account(id).await?;
        let session = app.store.session(id, presented.session, now).await?;
        let (Some((user, credentials)), Some(session)) = (account, session) else {
            return Err(Error::InvalidRefreshToken);
        };
        has_ended = !session.is_of(&user);
        if !has_ended && credentials.generation == user.generation {
            return Ok((user, credentials));
        }
    }
    let changes = Error::unavailable("an account changed each time that it was looked at");
    Err(if has_ended { Error::InvalidRefreshToken } else { changes })
}

/// Exchanges the presented secret for the next one: the session, and whether it was exchanged or only forgiven.
///
/// The first write is made on the guess that the presented secret is the current one, so that a rotation is one round trip.
/// Where it was not, the write brings back the session as it is, and the session judges. Each further write is conditional
/// on what was judged: who loses looks again.
///
/// What a secret was when it came, before a function was asked that may be slow, it is still: other tabs and retries may have
/// replaced it since, and hold what replaced it. It gives an access token, as it would have if the function had been quick.
async fn exchange(
    app: &App,
    presented: &RefreshToken,
    (next, expires_at): (&SecretHash, Timestamp),
    came_as: Option<Presented>,
    now: Timestamp,
) -> Result<(Session, bool), Error> {
    let session = (presented.user, presented.session);
    let presented = presented.secret.hash();
    let mut written = app.store.rotate(session, &presented, next, expires_at, now).await?;
    for _ in 0..MAX_LOOKS {
        let seen = match written {
            Written::Done(session) => return Ok((session, true)),
            Written::Lost(seen) => seen,
        };
        let seen = seen.filter(|seen| seen.expires_at > now).ok_or(Error::InvalidRefreshToken)?;
        if seen.current == *next {
            // This very write had been made, its answer was lost, and the SDK repeated it.
            return Ok((seen, true));
        }
        written = match seen.judge(&presented, now) {
            Presented::Current => app.store.rotate(session, &presented, next, expires_at, now).await?,
            Presented::JustReplaced => return Ok((seen, false)),
            Presented::Recoverable if matches!(came_as, Some(Presented::Current | Presented::JustReplaced)) => {
                return Ok((seen, false));
            }
            Presented::Stolen if came_as.is_some() => return Ok((seen, false)),
            Presented::Recoverable => app.store.recover(&seen, next, expires_at, now).await?,
            Presented::Stolen => match app.store.end_stolen_session(&seen).await? {
                Written::Done(()) => {
                    tracing::warn!(user = %seen.user, session = %seen.id, "a stolen refresh token ended its session");
                    return Err(Error::InvalidRefreshToken);
                }
                Written::Lost(seen) => Written::Lost(seen),
            },
        };
    }
    match written {
        Written::Done(session) => Ok((session, true)),
        Written::Lost(_) => Err(Error::unavailable("a session changed each time that it was looked at")),
    }
}
