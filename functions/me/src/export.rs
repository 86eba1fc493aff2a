//! What is stored of a person's account, as JSON.

use freehold_domain::Error;
use freehold_domain::challenge::Challenge;
use freehold_domain::session::Session;
use freehold_http::credentials::bearer;
use freehold_http::{Body, Request, Response, StatusCode, answer};
use freehold_service::flow::export::Export;
use freehold_service::{App, flow};
use serde::Serialize;

use crate::Me;

#[derive(Serialize)]
struct WireExport<'a> {
    user: WireUser<'a>,
    sessions: Vec<WireSession<'a>>,
    challenges: Vec<WireChallenge<'a>>,
    guesses: Option<WireGuesses>,
}

#[derive(Serialize)]
struct WireUser<'a> {
    #[serde(flatten)]
    me: Me<'a>,
    /// Who verifies the user's tokens has it too.
    public_key: String,
    generation: u32,
    version: u64,
}

#[derive(Serialize)]
struct WireSession<'a> {
    id: String,
    source_ip: &'a str,
    user_agent: &'a str,
    created_at: String,
    last_used_at: String,
    expires_at: String,
}

#[derive(Serialize)]
struct WireChallenge<'a> {
    purpose: &'static str,
    email: &'a str,
    expires_at: String,
}

#[derive(Serialize)]
struct WireGuesses {
    failures: u32,
    last_at: String,
}

pub(crate) async fn export(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let bearer = bearer(request).ok_or(Error::InvalidAccessToken)?;
    let Export { user, sessions, challenges, guesses } = flow::export(app, bearer).await?;
    let public_key = user.public_key.to_stored().map_err(|error| Error::internal(error.to_string()))?;
    let export = WireExport {
        user: WireUser { me: Me::try_from(&user)?, public_key, generation: user.generation, version: user.version },
        sessions: sessions.iter().map(session).collect::<Result<_, _>>()?,
        challenges: challenges.iter().map(challenge).collect::<Result<_, _>>()?,
        guesses: match guesses {
            None => None,
            Some(guesses) => {
                Some(WireGuesses { failures: guesses.failures, last_at: answer::rfc3339(guesses.last_at)? })
            }
        },
    };
    answer::json(StatusCode::OK, &export)
}

fn session(session: &Session) -> Result<WireSession<'_>, Error> {
    Ok(WireSession {
        id: session.id.to_string(),
        source_ip: &session.device.source_ip,
        user_agent: &session.device.user_agent,
        created_at: answer::rfc3339(session.id.created_at())?,
        last_used_at: answer::rfc3339(session.rotated_at)?,
        expires_at: answer::rfc3339(session.expires_at)?,
    })
}

fn challenge(challenge: &Challenge) -> Result<WireChallenge<'_>, Error> {
    Ok(WireChallenge {
        purpose: challenge.purpose.as_str(),
        email: challenge.email.as_str(),
        expires_at: answer::rfc3339(challenge.expires_at)?,
    })
}
