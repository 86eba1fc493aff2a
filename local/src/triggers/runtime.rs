//! A command line as Lambda runs a function: one process that is given one event at a time, and is started anew once it
//! has ended and is needed again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use axum::body::Bytes;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

use super::Answer;
use super::runtime_api::{self, Event, Said};
use crate::tasks::Tasks;
use crate::{StartError, environment};

#[cfg(not(windows))]
const SHELL: &str = "sh";
#[cfg(windows)]
const SHELL: &str = "cmd";

/// What to start.
pub(super) struct Program {
    /// The function's name.
    pub(super) name: String,
    /// The command line, as a shell reads it.
    pub(super) line: String,
    /// Where the shell is to be.
    pub(super) folder: PathBuf,
    /// What it finds in its environment beside what it inherits.
    pub(super) environment: BTreeMap<String, String>,
}

/// A function that is started here. Invocations wait for each other.
#[derive(Clone)]
pub(super) struct Runtime {
    queue: mpsc::UnboundedSender<Invocation>,
}

/// An event, and who waits for the answer.
struct Invocation {
    payload: Bytes,
    answer: oneshot::Sender<Answer>,
}

impl Runtime {
    /// Starts a program, so that it is ready when it is first invoked.
    pub(super) fn start(program: Program, tasks: &mut Tasks) -> Self {
        let (queue, invocations) = mpsc::unbounded_channel();
        // It is not told to stop: it ends once nobody can invoke it any more, so that what was begun is finished.
        tasks.spawn(|_| keep(program, invocations));
        Self { queue }
    }

    pub(super) async fn invoke(&self, payload: Bytes) -> Answer {
        let (answer, answered) = oneshot::channel();
        // An error means that everything is being stopped, and so does one of the answer.
        let _ = self.queue.send(Invocation { payload, answer });
        answered.await.unwrap_or_else(|_| Answer::broken("Runtime.ExitError", "Error: Runtime exited"))
    }
}

/// Runs a program, hands it one event after the other, and starts it anew for the next one where it has ended.
async fn keep(program: Program, mut queue: mpsc::UnboundedReceiver<Invocation>) {
    let mut process = program
        .start()
        .await
        .inspect_err(|error| tracing::error!(%error, trigger = program.name, "a trigger's program does not start"))
        .ok();
    let mut count: u64 = 0;
    loop {
        let invocation = tokio::select! {
            // The end comes first, so that no event goes to a process that is known to be gone.
            biased;
            () = end_of(process.as_mut()) => {
                process = None;
                continue;
            }
            invocation = queue.recv() => invocation,
        };
        let Some(Invocation { payload, answer }) = invocation else { return };
        // Who gave up while others were served has asked again, or will not: the event is not handled late.
        if answer.is_closed() {
            continue;
        }
        count += 1;
        let id = format!("00000000-0000-4000-8000-{count:012}");
        let running = match process.take() {
            Some(process) => Ok(process),
            None => program.start().await,
        };
        let said = match running {
            Ok(running) => {
                let (said, survivor) = running.invoke(Event { id, payload }).await;
                process = survivor;
                said
            }
            Err(error) => Answer::broken("Runtime.InvalidEntrypoint", &format!("RequestId: {id} Error: {error}")),
        };
        let _ = answer.send(said);
    }
}

/// Ends once the process has; never, where there is none.
async fn end_of(process: Option<&mut Process>) {
    match process {
        Some(process) => {
            let _ = process.child.wait().await;
        }
        None => std::future::pending().await,
    }
}

/// A process with a Runtime API of its own: nothing that an earlier one has left behind can take its events. Dropped, it
/// ends with its API.
struct Process {
    #[cfg(unix)]
    _group: Group,
    child: Child,
    events: mpsc::UnboundedSender<Event>,
    said: mpsc::UnboundedReceiver<Said>,
    _api: Tasks,
}

impl Program {
    async fn start(&self) -> Result<Process, StartError> {
        let (listener, url) = crate::listen(0).await?;
        let (events, given) = mpsc::unbounded_channel();
        let (says, said) = mpsc::unbounded_channel();
        let arn = format!("arn:aws:lambda:{}:000000000000:function:{}", environment::REGION, self.name);
        let router = runtime_api::router(arn, given, says);
        let mut api = Tasks::new();
        api.spawn(|stop| crate::serve(listener, router, stop));
        let child = shell(&self.line)
            .current_dir(&self.folder)
            .env("AWS_LAMBDA_RUNTIME_API", url.trim_start_matches("http://"))
            .env("AWS_LAMBDA_FUNCTION_NAME", &self.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", self.name))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
            .envs(&self.environment)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| StartError::Data { path: SHELL.into(), source })?;
        Ok(Process {
            #[cfg(unix)]
            _group: Group::of(&child),
            child,
            events,
            said,
            _api: api,
        })
    }
}

impl Process {
    /// Hands over an event and waits for the answer, which it gives back with the process, where that can go on.
    async fn invoke(mut self, event: Event) -> (Answer, Option<Self>) {
        let id = event.id.clone();
        // It is taken as long as the Runtime API is there, which is as long as this is.
        let _ = self.events.send(event);
        loop {
            tokio::select! {
                // What was said before the end counts.
                biased;
                Some(said) = self.said.recv() => match said {
                    Said::Answered { id: answered, answer } if answered == id => return (answer, Some(self)),
                    Said::Answered { .. } => {}
                    // Lambda ends a process that says so, too.
                    Said::NotReady(answer) => return (answer, None),
                },
                _ = self.child.wait() => {
                    let message = format!("RequestId: {id} Error: Runtime exited");
                    return (Answer::broken("Runtime.ExitError", &message), None);
                }
            }
        }
    }
}

/// The shell that reads a command line. Some shells stay beside what they run, even for a single command, and `exec` in
/// front would break lines such as `cd there && node it.js`; so that all end together, they are a group of processes.
#[cfg(unix)]
fn shell(line: &str) -> Command {
    let mut command = Command::new(SHELL);
    command.arg("-c").arg(line).process_group(0);
    command
}

/// The shell that reads a command line, which it quotes by rules of its own. What it leaves behind once it is killed
/// ends by itself: a Lambda runtime does so when its Runtime API is gone.
#[cfg(windows)]
fn shell(line: &str) -> Command {
    let mut command = Command::new(SHELL);
    command.arg("/C").raw_arg(line);
    command
}

/// A group of processes. Dropping it kills them all.
#[cfg(unix)]
struct Group(Option<nix::unistd::Pid>);

#[cfg(unix)]
impl Group {
    /// The group that a shell leads.
    fn of(shell: &Child) -> Self {
        Self(shell.id().and_then(|id| i32::try_from(id).ok()).map(nix::unistd::Pid::from_raw))
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // An error means that all of them have ended.
            let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::triggers::FUNCTION_ERROR;

    fn program(line: String) -> Program {
        Program { name: "PreSignUp".to_owned(), line, folder: std::env::temp_dir(), environment: BTreeMap::new() }
    }

    #[tokio::test]
    async fn a_program_that_ends_is_an_error_of_the_function_each_time() {
        let mut tasks = Tasks::new();
        let runtime = Runtime::start(program("exit 3".to_owned()), &mut tasks);
        let mut ids = Vec::new();
        for _ in 0..2 {
            let answer = runtime.invoke(Bytes::from_static(b"{}")).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.headers[FUNCTION_ERROR], "Unhandled");
            let body: Value = serde_json::from_slice(&answer.payload).unwrap();
            let message = body["errorMessage"].as_str().unwrap().to_owned();
            assert_eq!(body, json!({ "errorType": "Runtime.ExitError", "errorMessage": message }));
            let id = message.strip_prefix("RequestId: ").and_then(|rest| rest.strip_suffix(" Error: Runtime exited"));
            ids.push(id.unwrap().to_owned());
        }
        assert_ne!(ids[0], ids[1]);
    }

    #[tokio::test]
    async fn what_a_shell_has_started_ends_with_it() {
        let file = std::env::temp_dir().join(format!("freehold-heartbeat-{}", std::process::id()));
        std::fs::write(&file, "").unwrap();
        let line = format!("(while :; do echo >> '{}'; sleep 0.02; done) & wait", file.display());
        let beats = || std::fs::metadata(&file).unwrap().len();
        let process = program(line).start().await.unwrap();
        while beats() < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(process);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let last = beats();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(beats(), last);
        std::fs::remove_file(&file).unwrap();
    }
}
