//! Signing out.

use freehold_domain::{Error, SessionId, UserId};

use super::authenticate;
use crate::App;

/// Ends the session of a refresh token, outdated ones too, and that of an access token: whether there was any.
///
/// # Errors
/// None but those of a table that does not answer.
pub async fn logout(app: &App, refresh_token: Option<&str>, access_token: Option<&str>) -> Result<bool, Error> {
    let mut sessions: Vec<(UserId, SessionId)> = Vec::new();
    if let Some(text) = refresh_token
        && let Some(token) = app.secrets()?.prove(&app.config.pool, text).await
    {
        sessions.push((token.user, token.session));
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
}
