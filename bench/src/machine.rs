//! What the figures were measured on.

use anyhow::{Context as _, bail};
use freehold_service::Clock;
use time::OffsetDateTime;

/// One line each for the day, the processor, the system and the compiler.
pub(crate) fn describe() -> anyhow::Result<String> {
    let seconds = i64::try_from(Clock::system().now().as_seconds())?;
    let day = OffsetDateTime::from_unix_timestamp(seconds)?.date();
    let first = |path: &str, name: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim_start_matches([' ', '\t', ':']).to_owned()
    };
    let flags = first("/proc/cpuinfo", "flags");
    let has = |flag: &str| flags.split(' ').any(|found| found == flag);
    let extensions: Vec<&str> =
        ["avx2", "avx512f", "avx512ifma", "sha_ni"].into_iter().filter(|flag| has(flag)).collect();
    let rustc = std::process::Command::new("rustc").arg("--version").output()?;
    Ok(format!(
        "- Measured on {day}.\n- {cpus} processors of {model} ({extensions}), {memory} of memory.\n- Linux {kernel}, {rustc}.\n",
        cpus = std::thread::available_parallelism()?,
        model = first("/proc/cpuinfo", "model name"),
        extensions = extensions.join(", "),
        memory = first("/proc/meminfo", "MemTotal"),
        kernel = first("/proc/sys/kernel/osrelease", ""),
        rustc = String::from_utf8(rustc.stdout)?.trim(),
    ))
}

/// This process, with all of its threads, on some processors, and on those that it had before once this is dropped.
/// What it starts meanwhile is there too, unless that chooses others.
pub(crate) struct Pinned {
    before: String,
}

impl Pinned {
    pub(crate) fn to(processors: &str) -> anyhow::Result<Self> {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let before = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let pinned = Self { before: before.context("the status of a process has its processors")?.trim().to_owned() };
        pin(processors)?;
        Ok(pinned)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Err(error) = pin(&self.before) {
            eprintln!("the processors {} are not given back: {error}", self.before);
        }
    }
}

fn pin(processors: &str) -> anyhow::Result<()> {
    let this = std::process::id().to_string();
    let mut said = String::new();
    // taskset gives up where a thread ends while it goes through them, and idle ones do.
    for _ in 0..3 {
        let mut taskset = std::process::Command::new("taskset");
        let output = taskset.args(["--all-tasks", "--cpu-list", "--pid", processors, &this]).output()?;
        if output.status.success() {
            return Ok(());
        }
        said = String::from_utf8_lossy(&output.stderr).into_owned();
    }
    bail!("taskset says: {said}")
}
