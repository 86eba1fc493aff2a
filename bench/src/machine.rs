//! What the figures were measured on.

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
