//! `GET /me/sessions`: where one is signed in. `DELETE /me/sessions/{id}` and `DELETE /me/sessions`: ending one, and all others.

use freehold_domain::session::Session;
use freehold_domain::{Error, SessionId};
use freehold_http::credentials::bearer;
use freehold_http::{Body, Request, RequestExt as _, Response, StatusCode, answer};
use freehold_service::flow::sessions::Sessions;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Serialize;

#[derive(Serialize)]
struct Wire {
    sessions: Vec<WireSession>,
}

#[derive(Serialize)]
struct WireSession {
    id: String,
    device: String,
    source_ip: String,
    created_at: String,
    last_used_at: String,
    current: bool,
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        let id = request.path_parameters_ref().and_then(|path| path.first("id"));
        answer::of(match (request.method() == "GET", id) {
            (true, _) => list(app, &request).await,
            (false, Some(id)) => end_one(app, &request, id).await,
            (false, None) => end_others(app, &request).await,
        })
    })
}

async fn list(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Sessions { all, current } = flow::sessions(app, bearer(request).ok_or(Error::InvalidAccessToken)?).await?;
    let sessions = all.iter().map(|session| wire(session, current)).collect::<Result<_, _>>()?;
    answer::json(StatusCode::OK, &Wire { sessions })
}

fn wire(session: &Session, current: SessionId) -> Result<WireSession, Error> {
    Ok(WireSession {
        id: session.id.to_string(),
        device: session.device.in_words(),
        source_ip: session.device.source_ip.clone(),
        created_at: answer::rfc3339(session.id.created_at())?,
        last_used_at: answer::rfc3339(session.rotated_at)?,
        current: session.id == current,
    })
}

async fn end_one(app: &App, request: &Request, id: &str) -> Result<Response<Body>, Error> {
    let bearer = bearer(request).ok_or(Error::InvalidAccessToken)?;
    flow::end_session(app, bearer, SessionId::parse(id).ok_or(Error::NotFound)?).await?;
    answer::message(StatusCode::OK, "The session has ended.")
}

async fn end_others(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    flow::end_other_sessions(app, bearer(request).ok_or(Error::InvalidAccessToken)?).await?;
    answer::message(StatusCode::OK, "Every other session has ended.")
}
