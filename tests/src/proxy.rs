use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What can go wrong between a function and DynamoDB, that no emulator of it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// Another transaction holds an item.
    Conflict,
    /// Too many requests.
    Throttle,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 3] = [Self::LoseAnswer, Self::Conflict, Self::Throttle];
}

/// Stands before DynamoDB, counts what comes by, and makes it fail when told to.
#[derive(Clone)]
pub struct Proxy {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    faults: Vec<Injected>,
    before: Option<Before>,
    requests: BTreeMap<String, usize>,
}

/// What is done once, just before a request of an operation is passed on.
struct Before {
    operation: &'static str,
    act: Box<dyn FnOnce() + Send>,
}

struct Injected {
    fault: Fault,
    on: On,
    times: usize,
}

enum On {
    Writes,
    Reads,
    Operation(&'static str),
}

impl On {
    fn is(&self, operation: &str) -> bool {
        let reads = ["GetItem", "Query"].contains(&operation);
        let writes = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"].contains(&operation);
        match self {
            Self::Writes => writes,
            Self::Reads => reads,
            Self::Operation(name) => *name == operation,
        }
    }
}

impl Proxy {
    /// Starts a proxy before `upstream`.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start(upstream: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let proxy = Self { url, state: Arc::default() };
        let client = reqwest::Client::builder().build().expect("a client is built");
        let accepting = proxy.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (proxy, client, upstream) = (accepting.clone(), client.clone(), upstream.clone());
                let service = hyper::service::service_fn(move |request| {
                    let (proxy, client, upstream) = (proxy.clone(), client.clone(), upstream.clone());
                    async move { proxy.pass(request, &client, &upstream).await }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        proxy
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes the next so many writes fail.
    pub fn inject(&self, fault: Fault, times: usize) {
        self.state().faults.push(Injected { fault, on: On::Writes, times });
    }

    /// Makes the next so many reads fail.
    pub fn inject_reads(&self, fault: Fault, times: usize) {
        self.state().faults.push(Injected { fault, on: On::Reads, times });
    }

    /// Makes the next so many requests of one operation fail.
    pub fn inject_for(&self, operation: &'static str, fault: Fault, times: usize) {
        self.state().faults.push(Injected { fault, on: On::Operation(operation), times });
    }

    /// Does something once, just before the next request of one operation is passed on.
    pub fn before(&self, operation: &'static str, act: impl FnOnce() + Send + 'static) {
        self.state().before = Some(Before { operation, act: Box::new(act) });
    }

    /// Lets everything pass again.
    pub fn calm(&self) {
        self.state().faults.clear();
    }

    /// How many requests came by since this was last asked, by operation.
    #[expect(clippy::must_use_candidate, reason = "asking also begins the count anew")]
    pub fn take_requests(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_fault(&self, operation: &str) -> Option<Fault> {
        let mut state = self.state();
        *state.requests.entry(operation.to_owned()).or_default() += 1;
        let injected = state.faults.iter_mut().find(|injected| injected.times > 0 && injected.on.is(operation))?;
        injected.times -= 1;
        Some(injected.fault)
    }

    /// An error here ends the connection without an answer.
    async fn pass(
        &self,
        request: Request<Incoming>,
        client: &reqwest::Client,
        upstream: &str,
    ) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let fault = self.next_fault(&operation);
        match fault {
            Some(Fault::Conflict) => return Ok(conflict(&operation)),
            Some(Fault::Throttle) => return Ok(error("ThrottlingException", "")),
            Some(Fault::LoseAnswer) | None => {}
        }
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let is_awaited = self.state().before.as_ref().is_some_and(|before| before.operation == operation);
        let before = if is_awaited { self.state().before.take() } else { None };
        if let Some(before) = before {
            (before.act)();
        }
        let passed = client.request(parts.method, format!("{upstream}{}", parts.uri)).headers(parts.headers).body(body);
        let answered = passed.send().await?;
        let (status, headers) = (answered.status(), answered.headers().clone());
        let body = answered.bytes().await?;
        if fault == Some(Fault::LoseAnswer) {
            return Err("the answer is lost".into());
        }
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn conflict(operation: &str) -> Response<Full<Bytes>> {
    if operation == "TransactWriteItems" {
        let reasons = r#","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]"#;
        error("TransactionCanceledException", reasons)
    } else {
        error("TransactionConflictException", "")
    }
}

fn error(code: &str, more: &str) -> Response<Full<Bytes>> {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"injected"{more}}}"#);
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
