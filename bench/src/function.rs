//! A compiled function as Lambda would run it: a process of its own, behind a Runtime API.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tests::RuntimeApi;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::figures::millis;

const PATIENCE: Duration = Duration::from_mins(1);

/// A function by the name of its folder, or a floor, as `cargo lambda build --release` leaves it beside this program.
pub(crate) fn bootstrap(name: &str) -> PathBuf {
    let this = std::env::current_exe().unwrap_or_default();
    let target = this.parent().and_then(Path::parent).unwrap_or(Path::new("target"));
    target.join("lambda").join(name).join("bootstrap")
}

/// A process of a function.
pub(crate) struct Function {
    name: String,
    process: Child,
    api: RuntimeApi,
    started: Instant,
}

/// One answer of a function.
pub(crate) struct Invocation {
    pub(crate) answer: Value,
    /// From the event to the answer, as the function's own caller sees it.
    pub(crate) wall: Duration,
    /// From the start of the process to the answer.
    pub(crate) since_start: Duration,
}

impl Function {
    /// Starts a function's process. It need not ask for an event yet.
    pub(crate) async fn start(name: &str, environment: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        Self::start_by(Command::new(bootstrap(name)), name, environment).await
    }

    /// Starts it by a command that becomes it, such as one that chooses its processor.
    pub(crate) async fn start_by(
        mut command: Command,
        name: &str,
        environment: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let api = RuntimeApi::start().await;
        let started = Instant::now();
        let process = command
            .env_clear()
            .envs(environment)
            .envs([("AWS_LAMBDA_RUNTIME_API", api.address()), ("AWS_LAMBDA_FUNCTION_NAME", name)])
            .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"), ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        Ok(Self { name: name.to_owned(), process, api, started })
    }

    /// Gives it an event once it asks for one.
    pub(crate) async fn invoke(&mut self, event: &Value) -> anyhow::Result<Invocation> {
        let event = event.to_string();
        let work = async {
            self.api.asked().await;
            let given = Instant::now();
            (self.api.invoke(event).await, given.elapsed())
        };
        let Ok((answered, wall)) = timeout(PATIENCE, work).await else { bail!("{} does not answer", self.name) };
        let since_start = self.started.elapsed();
        ensure!(answered.is_answer, "{} failed: {}", self.name, String::from_utf8_lossy(&answered.body));
        Ok(Invocation { answer: serde_json::from_slice(&answered.body)?, wall, since_start })
    }

    /// Ends its process and waits until its memory is free again, so that the next one starts in peace.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }

    /// The processor time that it has used, in user and system mode together, in milliseconds.
    pub(crate) fn cpu_ms(&self) -> anyhow::Result<f64> {
        cpu_ms(self.process.id().context("it has ended")?)
    }

    /// The most memory that it ever had, in bytes.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<u64> {
        let status = format!("/proc/{}/status", self.process.id().context("it has ended")?);
        let status = std::fs::read_to_string(&status).context(status)?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in the status")?;
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }
}

/// The processor time of a process, with that of its threads which have ended, in milliseconds.
#[cfg(target_os = "linux")]
pub(crate) fn cpu_ms(process: u32) -> anyhow::Result<f64> {
    let process = nix::unistd::Pid::from_raw(process.try_into()?);
    Ok(millis(nix::time::clock_gettime(nix::time::clock_getcpuclockid(process)?)?.into()))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn cpu_ms(_: u32) -> anyhow::Result<f64> {
    bail!("only Linux tells the processor time of another process")
}
