//! Signing out.

use freehold_domain::{Error, SessionId, UserId};
use futures::future::BoxFuture;

use super::authenticate;
use crate::App;

/// Ends the sessions of refresh tokens, outdated ones too, and that of an access token: whether there was any.
///
/// # Errors
/// None but those of a table that does not answer.
pub fn logout<'a>(
    app: &'a App,
    refresh_tokens: &'a [&'a str],
    access_token: Option<&'a str>,
) -> BoxFuture<'a, Result<bool, Error>> {
    Box::pin(async move {
        let mut sessions: Vec<(UserId, SessionId)> = Vec::new();
        for text in refresh_tokens {
            let token = app.secrets()?.prove(&app.config.pool, text).await?;
            sessions.extend(token.map(|token| (token.user, token.session)));
        }
        if let Some(token) = access_token {
            match authenticate(app, token).await {
                Ok(authenticated) => sessions.push((authenticated.user().id, authenticated.session())),
                Err(Error::InvalidAccessToken) => {}
                Err(error) => return Err(error),
            }
        }
        for (user, session) in &sessions {
            app.store.end_session(*user, *session).await?;
        }
        Ok(!sessions.is_empty())
    })
}
