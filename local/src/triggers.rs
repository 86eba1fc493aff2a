//! The owner's own functions, which Freehold calls as its triggers: where each one is, and Lambda's Invoke API in front
//! of them all.
//!
//! - `remote`: functions that another program serves, such as `cargo lambda watch`.
//! - `runtime` and `runtime_api`: functions that are started here by a command line.

mod remote;
mod runtime;
mod runtime_api;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as PathParameter, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::Url;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::StartError;
use crate::tasks::Tasks;
use crate::triggers::remote::Remote;
use crate::triggers::runtime::{Program, Runtime};

/// The header that says that a function failed, rather than Lambda.
const FUNCTION_ERROR: &str = "x-amz-function-error";
/// The header by which the SDK tells the errors of Lambda itself apart.
const ERROR_TYPE: &str = "x-amzn-errortype";
/// The most that an event or an answer may hold, as in Lambda.
const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;
/// Where a URL without a path leads to: the one function that the runtime interface emulator serves.
const USUAL_PATH: &str = "/2015-03-31/functions/function/invocations";

/// Which function each trigger is, as a file says.
#[derive(Debug)]
pub(crate) struct TriggerTargets {
    path: PathBuf,
    targets: BTreeMap<String, Target>,
}

/// Where a function is.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// Something else that speaks the Invoke API.
    Url(Url),
    /// A command line that is a Lambda runtime.
    Command(String),
}

impl TriggerTargets {
    /// Reads a JSON object from triggers to URLs or command lines. Whether there are such triggers, the functions know.
    ///
    /// # Errors
    /// [`StartError::Triggers`], where the file cannot be read or is something else.
    pub(crate) fn read(path: &Path) -> Result<Self, StartError> {
        let unusable = |reason: String| StartError::Triggers { path: path.to_path_buf(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        let texts: BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| {
            unusable(format!("it must be a JSON object from triggers to URLs or command lines: {error}"))
        })?;
        if texts.is_empty() {
            return Err(unusable("it names no trigger".to_owned()));
        }
        let mut targets = BTreeMap::new();
        for (name, text) in texts {
            let target = Target::parse(&text).map_err(|reason| unusable(format!("{name}: {reason}")))?;
            targets.insert(name, target);
        }
        Ok(Self { path: path.to_path_buf(), targets })
    }

    /// The variables by which the functions know their triggers, and find them at `endpoint`: each by its own name.
    pub(crate) fn variables(&self, endpoint: &str) -> BTreeMap<String, String> {
        let names: Map<_, _> = self.targets.keys().map(|name| (name.clone(), Value::from(name.as_str()))).collect();
        BTreeMap::from([
            ("TRIGGERS".to_owned(), Value::Object(names).to_string()),
            ("AWS_ENDPOINT_URL_LAMBDA".to_owned(), endpoint.to_owned()),
        ])
    }

    /// Starts the command lines, each once although it may be several triggers, and answers Lambda's `Invoke` for all.
    ///
    /// # Errors
    /// [`StartError::Triggers`], where this machine has no certificates to trust.
    pub(crate) fn router(
        self,
        environment: &BTreeMap<String, String>,
        tasks: &mut Tasks,
    ) -> Result<Router, StartError> {
        let client = remote::client()
            .map_err(|error| StartError::Triggers { path: self.path.clone(), reason: error.to_string() })?;
        let folder = folder_of(&self.path);
        let mut runtimes: BTreeMap<String, Runtime> = BTreeMap::new();
        let mut functions = BTreeMap::new();
        for (name, target) in self.targets {
            let function = match target {
                Target::Url(url) => Function::Remote(Remote::new(client.clone(), url)),
                Target::Command(line) => {
                    let runtime = runtimes.entry(line).or_insert_with_key(|line| {
                        let program = Program {
                            name: name.clone(),
                            line: line.clone(),
                            folder: folder.to_path_buf(),
                            environment: environment.clone(),
                        };
                        Runtime::start(program, tasks)
                    });
                    Function::Command(runtime.clone())
                }
            };
            functions.insert(name, function);
        }
        let (events, given) = mpsc::unbounded_channel();
        // It is not told to stop: it ends once nobody can send an event any more, and all that were sent are run.
        tasks.spawn(|_| run_events(given));
        Ok(Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .layer(DefaultBodyLimit::max(MAX_PAYLOAD_BYTES))
            .with_state(Arc::new(Lambda { functions, events })))
    }
}

impl Target {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is neither a URL nor a command line".to_owned());
        }
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return Ok(Self::Command(text.to_owned()));
        }
        let mut url = Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
        if url.path() == "/" {
            url.set_path(USUAL_PATH);
        }
        Ok(Self::Url(url))
    }
}

/// The folder of a file, which is not empty where the file is named by its name alone: no process starts in "".
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the door leads to.
struct Lambda {
    functions: BTreeMap<String, Function>,
    events: mpsc::UnboundedSender<Event>,
}

#[derive(Clone)]
enum Function {
    Remote(Remote),
    Command(Runtime),
}

impl Function {
    /// Runs the function once; an error says why it could not be run.
    async fn invoke(&self, payload: Bytes) -> Result<Answer, String> {
        match self {
            Self::Remote(remote) => remote.invoke(payload).await,
            Self::Command(runtime) => Ok(runtime.invoke(payload).await),
        }
    }
}

/// What an invocation ended with.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    payload: Bytes,
}

impl Answer {
    /// What a function returned.
    fn returned(payload: Bytes) -> Self {
        Self { status: StatusCode::OK, headers: HeaderMap::new(), payload }
    }

    /// The error that a function ended with. Lambda has done its part, so that the status is that of success.
    fn failed(payload: Bytes) -> Self {
        let mut answer = Self::returned(payload);
        answer.headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
        answer
    }

    /// The error that Lambda reports in the place of a function that could not report its own.
    fn broken(kind: &str, message: &str) -> Self {
        Self::failed(json!({ "errorType": kind, "errorMessage": message }).to_string().into())
    }

    fn is_success(&self) -> bool {
        self.status.is_success() && !self.headers.contains_key(FUNCTION_ERROR)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let content_type = [(header::CONTENT_TYPE, "application/json")];
        (self.status, self.headers, content_type, self.payload).into_response()
    }
}

/// An invocation that nobody waits for.
struct Event {
    name: String,
    function: Function,
    payload: Bytes,
}

impl Event {
    /// Runs it, and tells the developer where it failed, since nobody else hears of it.
    async fn run(self) {
        let reason = match self.function.invoke(self.payload).await {
            Ok(answer) if answer.is_success() => return,
            Ok(answer) => String::from_utf8_lossy(&answer.payload).into_owned(),
            Err(reason) => reason,
        };
        tracing::warn!(trigger = self.name, reason, "an event to a trigger failed");
    }
}

/// Runs events beside each other until no more can come, and all have been run.
async fn run_events(mut given: mpsc::UnboundedReceiver<Event>) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            event = given.recv() => match event {
                Some(event) => {
                    running.spawn(event.run());
                }
                None => break,
            },
            Some(_) = running.join_next() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

async fn invoke(
    State(lambda): State<Arc<Lambda>>,
    PathParameter(name): PathParameter<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    let Some(function) = lambda.functions.get(&name).cloned() else {
        let body = json!({ "Type": "User", "Message": "Function not found" });
        return refusal(StatusCode::NOT_FOUND, "ResourceNotFoundException", &body);
    };
    if headers.get("x-amz-invocation-type").is_some_and(|kind| kind == "Event") {
        // An error means that everything is being stopped.
        let _ = lambda.events.send(Event { name, function, payload });
        return StatusCode::ACCEPTED.into_response();
    }
    match function.invoke(payload).await {
        Ok(answer) => answer.into_response(),
        Err(reason) => {
            tracing::warn!(trigger = name, reason, "a trigger cannot be invoked");
            let body = json!({ "Type": "Service", "Message": reason });
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", &body)
        }
    }
}

fn refusal(status: StatusCode, kind: &'static str, body: &Value) -> Response {
    let headers = [("content-type", "application/json"), (ERROR_TYPE, kind)];
    (status, headers, body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TriggerTargets, String> {
        let name = format!("freehold-triggers-{}-{}.json", std::process::id(), text.len());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        let targets = TriggerTargets::read(&path).map_err(|error| error.to_string());
        std::fs::remove_file(&path).unwrap();
        targets
    }

    #[test]
    fn a_file_names_functions_and_the_variables_name_its_triggers() {
        let text = r#"{ "PreSignUp": "http://127.0.0.1:9000/a", "PreTokenGeneration:V2_0": " node f.js 'a b' " }"#;
        let targets = read(text).unwrap();
        assert_eq!(targets.targets["PreSignUp"], Target::Url(Url::parse("http://127.0.0.1:9000/a").unwrap()));
        assert_eq!(targets.targets["PreTokenGeneration:V2_0"], Target::Command("node f.js 'a b'".to_owned()));
        let variables = targets.variables("http://127.0.0.1:1");
        assert_eq!(
            variables["TRIGGERS"],
            r#"{"PreSignUp":"PreSignUp","PreTokenGeneration:V2_0":"PreTokenGeneration:V2_0"}"#
        );
        assert_eq!(variables["AWS_ENDPOINT_URL_LAMBDA"], "http://127.0.0.1:1");
    }

    #[test]
    fn a_file_that_cannot_be_used_says_why_in_one_line() {
        for (text, reason) in [
            ("{", "it must be a JSON object from triggers to URLs or command lines: EOF"),
            ("[\"PreSignUp\"]", "it must be a JSON object from triggers to URLs or command lines: invalid type"),
            (r#"{ "PreSignUp": 1 }"#, "it must be a JSON object from triggers to URLs or command lines: invalid type"),
            ("{}", "it names no trigger"),
            (r#"{ "PreSignUp": " " }"#, "PreSignUp: it is neither a URL nor a command line"),
            (r#"{ "PreSignUp": "http://[" }"#, "PreSignUp: `http://[` is no URL"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with("cannot use the triggers "), "{error}");
            assert!(error.contains(reason) && error.lines().count() == 1, "{error}");
        }
        let absent = TriggerTargets::read(Path::new("no/such/file.json")).unwrap_err();
        assert!(absent.to_string().starts_with("cannot use the triggers no/such/file.json: "), "{absent}");
    }

    #[test]
    fn a_url_without_a_path_leads_to_the_one_function_there() {
        for (text, url) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/2015-03-31/functions/function/invocations"),
            ("https://localhost/", "https://localhost/2015-03-31/functions/function/invocations"),
            ("http://127.0.0.1:9000/other", "http://127.0.0.1:9000/other"),
        ] {
            assert_eq!(Target::parse(text).unwrap(), Target::Url(Url::parse(url).unwrap()));
        }
    }

    #[test]
    fn a_command_runs_in_the_folder_of_its_file() {
        assert_eq!(folder_of(Path::new("/a/triggers.json")), Path::new("/a"));
        assert_eq!(folder_of(Path::new("triggers.json")), Path::new("."));
    }
}
