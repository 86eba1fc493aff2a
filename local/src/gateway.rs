//! The HTTP API in front of the functions: routing, limits, CORS, and the answers that API Gateway gives by itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use freehold_http::Handler;
use freehold_service::App;
use http::uri::Authority;
use http::{HeaderMap, Method, StatusCode, header};
use tokio::time::Instant;

use crate::cors::Cors;
use crate::mailbox::Mailbox;
use crate::routes::{Route, Routes};
use crate::{StartError, event, functions, pages};

const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// Scripts and everything from elsewhere stay out of the pages, whatever a mail contains.
const PAGE_POLICY: (header::HeaderName, &str) =
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'");

/// The routes and what is behind them.
pub(crate) struct Api {
    routes: Routes,
    handlers: BTreeMap<String, Handler>,
    cors: Option<Cors>,
    app: Arc<App>,
    log: bool,
}

impl Api {
    /// Connects routes to functions.
    ///
    /// # Errors
    /// [`StartError::UnknownFunction`] where a route leads to a folder that this program does not contain.
    pub(crate) fn new(routes: Vec<Route>, cors: Option<Cors>, app: Arc<App>, log: bool) -> Result<Self, StartError> {
        let mut handlers = BTreeMap::new();
        for route in &routes {
            let folder = route.function();
            let handler = functions::handler(folder).ok_or_else(|| StartError::UnknownFunction {
                route: route.key().to_owned(),
                folder: folder.to_owned(),
            })?;
            handlers.insert(folder.to_owned(), handler);
        }
        Ok(Self { routes: Routes::new(routes), handlers, cors, app, log })
    }

    /// What the gateway answers, and which function gave it that answer.
    async fn answer(self: &Arc<Self>, caller: SocketAddr, request: Request) -> (Response, &str) {
        let (parts, body) = request.into_parts();
        let found = self.routes.find(parts.method.as_str(), parts.uri.path());
        if let (None, Some(cors), &Method::OPTIONS) = (&found, &self.cors, &parts.method) {
            return (cors.preflight(&parts.headers), "-");
        }
        // The gateway never passes on a host that is not one, and `lambda_http` relies on that.
        if parts.headers.get(header::HOST).is_some_and(|host| !is_host(host.as_bytes())) {
            return (refusal(StatusCode::BAD_REQUEST, "Bad Request"), "-");
        }
        let (mut response, function) = match (found, to_bytes(body, MAX_BODY_BYTES).await) {
            (None, _) => (refusal(StatusCode::NOT_FOUND, "Not Found"), "-"),
            (Some(_), Err(_)) => (refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"), "-"),
            (Some((route, parameters)), Ok(body)) => {
                let event = event::event(&parts, &body, caller.ip(), route, &parameters);
                (self.invoke(route.function(), event).await, route.function())
            }
        };
        if let Some(cors) = &self.cors {
            cors.apply(&parts.headers, &mut response);
        }
        (response, function)
    }

    /// Runs a function as Lambda does: it runs to its end although the caller hangs up, and nobody else sees it panic.
    async fn invoke(self: &Arc<Self>, function: &str, event: serde_json::Value) -> Response {
        let (handler, app) = (self.handlers[function], Arc::clone(&self.app));
        let run = tokio::spawn(async move {
            let request = lambda_http::request::from_str(&event.to_string())?;
            Ok::<_, serde_json::Error>(handler(&app, request).await)
        });
        match run.await {
            Ok(Ok(response)) => response.map(|body| Body::from(body.to_vec())),
            Ok(Err(_)) | Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        }
    }
}

/// Everything on the main port: the API, where there is one, and the pages for people.
pub(crate) fn router(api: Option<Arc<Api>>, mailbox: Mailbox, app: Arc<App>) -> Router {
    let index = pages::index(api.as_ref().map(|api| &api.routes));
    let pages = Router::new()
        .route("/", get(|| async { ([PAGE_POLICY], Html(index)) }))
        .route("/_local/mail", get(mail).with_state(mailbox))
        .route("/_local/mail/preview", get(preview).with_state(app));
    let Some(api) = api else { return pages };
    let door = move |caller, request| serve(Arc::clone(&api), caller, request);
    pages.fallback(door.clone()).method_not_allowed_fallback(door)
}

async fn serve(api: Arc<Api>, ConnectInfo(caller): ConnectInfo<SocketAddr>, request: Request) -> Response {
    let started = Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let (response, function) = api.answer(caller, request).await;
    if api.log {
        // Query strings stay out: they hold mailed tokens.
        eprintln!("{method} {path} {} {} ms {function}", response.status().as_u16(), started.elapsed().as_millis());
    }
    response
}

async fn mail(State(mailbox): State<Mailbox>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        let mails = serde_json::to_vec(&mailbox.mails()).unwrap_or_default();
        return ([(header::CONTENT_TYPE, "application/json")], Bytes::from(mails)).into_response();
    }
    ([PAGE_POLICY], Html(pages::mailbox(&mailbox.mails()))).into_response()
}

async fn preview(State(app): State<Arc<App>>) -> Response {
    match freehold_service::mail::samples(&app).await {
        Ok(letters) => ([PAGE_POLICY], Html(pages::preview(&letters))).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, error.cause().unwrap_or_default()),
    }
}

fn is_host(host: &[u8]) -> bool {
    let port = |authority: &Authority| authority.as_str().rsplit_once(':').is_none() || authority.port_u16().is_some();
    Authority::try_from(host).is_ok_and(|authority| port(&authority))
}

fn refusal(status: StatusCode, message: &str) -> Response {
    let body = serde_json::json!({ "message": message }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
