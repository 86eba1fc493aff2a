//! Who a request is from.

use freehold_crypto::jwt::{self, Expected, Unverified};
use freehold_domain::session::{Factor, is_recent};
use freehold_domain::user::User;
use freehold_domain::{Error, SessionId, Timestamp};
use futures::future::{BoxFuture, try_join};

use crate::App;

/// A user whose access token was checked, signature, claims and session. Only [`authenticate`] makes one.
pub struct Authenticated {
    user: User,
    session: SessionId,
    factors: Vec<Factor>,
}

impl Authenticated {
    /// Who it is.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.user
    }

    /// In which session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// What they showed when it began.
    pub(super) fn factors(&self) -> &[Factor] {
        &self.factors
    }

    /// Refuses what is delicate to a sign-in that is older than 10 minutes.
    pub(super) fn require_recent_login(&self, now: Timestamp) -> Result<(), Error> {
        if is_recent(self.session, now) { Ok(()) } else { Err(Error::RecentLoginRequired) }
    }
}

/// Checks an access token, and by consistent reads that its session still lives: signing out works at once here.
///
/// # Errors
/// [`Error::InvalidAccessToken`].
pub fn authenticate<'a>(app: &'a App, access_token: &'a str) -> BoxFuture<'a, Result<Authenticated, Error>> {
    Box::pin(async move {
        let (now, config) = (app.clock.now(), &app.config);
        let claimed = Unverified::read(access_token).map_err(|_| Error::InvalidAccessToken)?;
        let user = config.issuers.user_of(&claimed.iss, &claimed.sub).ok_or(Error::InvalidAccessToken)?;
        let session = SessionId::parse(&claimed.sid).ok_or(Error::InvalidAccessToken)?;

        let (user, session) = try_join(app.store.user(user), app.store.session(user, session, now)).await?;
        let (Some(user), Some(session)) = (user, session) else { return Err(Error::InvalidAccessToken) };
        if !session.is_of(&user) {
            return Err(Error::InvalidAccessToken);
        }
        let expected = Expected {
            issuer: &config.issuers.of(user.id),
            subject: &user.id.to_string(),
            audience: &config.audience,
            client_id: config.pool.as_str(),
            now: now.as_seconds(),
        };
        jwt::verify(access_token, &user.public_key, expected).map_err(|_| Error::InvalidAccessToken)?;
        Ok(Authenticated { user, session: session.id, factors: session.factors })
    })
}
