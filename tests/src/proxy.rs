use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::round_trips::RoundTrips;

/// How long requests may take to come in the round trips that they are expected in.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an answer is held back while requests are examined: far longer than any takes that is not waited for.
const HELD_BACK: Duration = Duration::from_millis(20);

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What can go wrong between a function and DynamoDB, that no emulator of it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// Another transaction holds an item.
    Conflict,
    /// Too many requests.
    Throttle,
    /// Of a batch, every second write is left for another time.
    LeaveHalf,
    /// It is done, and its answer never comes, on a connection that stays open.
    HoldAnswer,
    /// It is done, and its answer stops midway, on a connection that stays open.
    StallAnswer,
}

impl Fault {
    /// What may happen to any write, and is seen without waiting for a time-out.
    pub const OF_ANY_WRITE: [Self; 3] = [Self::LoseAnswer, Self::Conflict, Self::Throttle];
}

/// A request that was passed on, and its answer back.
#[derive(Debug, Clone)]
pub struct Passed {
    /// What it asked for, such as `GetItem`.
    pub operation: String,
    /// When it came.
    pub from: Instant,
    /// When its answer had come.
    pub to: Instant,
    /// The capacity units that it consumed; 0 unless requests are examined.
    pub units: f64,
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
    round_trips: Option<RoundTrips>,
    passed: Vec<Passed>,
    examines: bool,
}

/// What is done once, just before a request of an operation is passed on.
struct Before {
    operation: &'static str,
    /// How many of them pass first.
    skipped: usize,
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

/// Whether an operation of DynamoDB only reads.
#[must_use]
pub fn is_read(operation: &str) -> bool {
    ["GetItem", "Query"].contains(&operation)
}

impl On {
    fn is(&self, operation: &str) -> bool {
        let writes =
            ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"].contains(&operation);
        match self {
            Self::Writes => writes,
            Self::Reads => is_read(operation),
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
        self.before_nth(operation, 1, act);
    }

    /// Does something once, just before the request of one operation is passed on that is the `nth` from now.
    pub fn before_nth(&self, operation: &'static str, nth: usize, act: impl FnOnce() + Send + 'static) {
        self.state().before = Some(Before { operation, skipped: nth.saturating_sub(1), act: Box::new(act) });
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

    /// The requests that were passed on since this was last asked, in the order in which they were answered.
    #[expect(clippy::must_use_candidate, reason = "asking also begins the list anew")]
    pub fn take_passed(&self) -> Vec<Passed> {
        std::mem::take(&mut self.state().passed)
    }

    /// Whether requests are examined rather than hurried: each asks DynamoDB for the capacity units that it consumes, and its
    /// answer is held back for a moment, so that those which do not wait for one another are seen at the same time.
    pub fn examine(&self, examine: bool) {
        self.state().examines = examine;
    }

    /// Does work whose requests must come in these round trips and no others. The requests of one are held until all of them
    /// have come, so that those which do not wait for each other are told from those which do, however fast the database is.
    ///
    /// # Panics
    /// Where they come otherwise.
    pub async fn in_round_trips<T>(&self, expected: &[&[&'static str]], work: impl Future<Output = T>) -> T {
        let round_trips = RoundTrips::new(expected);
        self.state().round_trips = Some(round_trips.clone());
        let result = tokio::time::timeout(PATIENCE, work).await;
        self.state().round_trips = None;
        round_trips.assert_came(expected);
        result.expect("the work ends once its requests have come")
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

    /// What is to be done before this request, if it is the one.
    fn take_before(&self, operation: &str) -> Option<Before> {
        let mut state = self.state();
        let before = state.before.as_mut().filter(|before| before.operation == operation)?;
        if before.skipped > 0 {
            before.skipped -= 1;
            return None;
        }
        state.before.take()
    }

    /// An error here ends the connection without an answer.
    async fn pass(
        &self,
        request: Request<Incoming>,
        client: &reqwest::Client,
        upstream: &str,
    ) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let from = Instant::now();
        let round_trips = self.state().round_trips.clone();
        if let Some(round_trips) = round_trips {
            round_trips.came(&operation).await;
        }
        let fault = self.next_fault(&operation);
        match fault {
            Some(Fault::Conflict) => return Ok(conflict(&operation)),
            Some(Fault::Throttle) => return Ok(error("ThrottlingException", "")),
            Some(Fault::LoseAnswer | Fault::HoldAnswer | Fault::StallAnswer | Fault::LeaveHalf) | None => {}
        }
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        if let Some(before) = self.take_before(&operation) {
            (before.act)();
        }
        let examines = self.state().examines;
        let body = if examines { asking_for_units(&body)? } else { body };
        let (body, left) = if fault == Some(Fault::LeaveHalf) { halved(&body)? } else { (body, Value::Null) };
        let mut headers = parts.headers;
        headers.remove(hyper::header::CONTENT_LENGTH);
        let passed = client.request(parts.method, format!("{upstream}{}", parts.uri)).headers(headers).body(body);
        let answered = passed.send().await?;
        let (status, headers) = (answered.status(), answered.headers().clone());
        let body = answered.bytes().await?;
        let units = if examines { units(&body) } else { 0.0 };
        if examines {
            tokio::time::sleep(HELD_BACK).await;
        }
        self.state().passed.push(Passed { operation, from, to: Instant::now(), units });
        let body = match fault {
            Some(Fault::LoseAnswer) => return Err("the answer is lost".into()),
            Some(Fault::HoldAnswer) => std::future::pending().await,
            Some(Fault::StallAnswer) => stalling(body.slice(..body.len() / 2)),
            Some(Fault::LeaveHalf) => whole(unprocessed(&body, left)?),
            Some(Fault::Conflict | Fault::Throttle) | None => whole(body),
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response.headers_mut().remove(hyper::header::CONTENT_LENGTH);
        Ok(response)
    }
}

fn asking_for_units(body: &[u8]) -> serde_json::Result<Bytes> {
    let mut request: Value = serde_json::from_slice(body)?;
    request["ReturnConsumedCapacity"] = "TOTAL".into();
    serde_json::to_vec(&request).map(Bytes::from)
}

/// A batch without every second of its writes, and those.
fn halved(body: &[u8]) -> serde_json::Result<(Bytes, Value)> {
    let mut request: Value = serde_json::from_slice(body)?;
    let mut left = serde_json::Map::new();
    for (table, writes) in request["RequestItems"].as_object_mut().into_iter().flatten() {
        let every = std::mem::take(writes).as_array().cloned().unwrap_or_default();
        let (done, not): (Vec<_>, Vec<_>) = every.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
        let writes_of = |some: Vec<(usize, Value)>| some.into_iter().map(|(_, write)| write).collect();
        *writes = writes_of(done);
        left.insert(table.clone(), writes_of(not));
    }
    Ok((serde_json::to_vec(&request)?.into(), left.into()))
}

/// The answer to a batch of which some writes are left.
fn unprocessed(body: &[u8], left: Value) -> serde_json::Result<Bytes> {
    let mut answer: Value = serde_json::from_slice(body)?;
    answer["UnprocessedItems"] = left;
    serde_json::to_vec(&answer).map(Bytes::from)
}

/// The capacity units in an answer: of one table, or of each that a transaction or a batch met.
fn units(body: &[u8]) -> f64 {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let consumed = &answer["ConsumedCapacity"];
    let tables = consumed.as_array().map_or(std::slice::from_ref(consumed), Vec::as_slice);
    tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
}

fn whole(body: Bytes) -> Body {
    Body::new(Full::new(body))
}

/// A body of which no more than this ever comes.
fn stalling(start: Bytes) -> Body {
    let frames = stream::iter([Ok(Frame::data(start))]).chain(stream::pending());
    Body::new(StreamBody::new(frames))
}

fn conflict(operation: &str) -> Response<Body> {
    if operation == "TransactWriteItems" {
        let reasons = r#","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]"#;
        error("TransactionCanceledException", reasons)
    } else {
        error("TransactionConflictException", "")
    }
}

fn error(code: &str, more: &str) -> Response<Body> {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"injected"{more}}}"#);
    let mut response = Response::new(whole(Bytes::from(body)));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
