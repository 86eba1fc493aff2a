//! Servers under load: one processor for the server, the other for wrk and everything else.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use reqwest::redirect::Policy;
use serde::Deserialize;
use serde_json::{Value, json};
use tests::{PASSWORD, root};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::Effort;
use crate::figures::{Table, median, short};
use crate::function::cpu_ms;
use crate::machine::Pinned;

const SERVER_CPU: &str = "0";
/// Where this process is while servers are under load, and so is wrk, which it starts.
pub(crate) const CLIENT_CPU: &str = "1";
/// How long a run lasts: so long that a tenth of the sign-ins, of which there are ten to twenty a second, is not just
/// the slowest few.
pub(crate) const SECONDS: u32 = 10;
const PATIENCE: Duration = Duration::from_mins(1);

/// A command that becomes a program on the server's processor.
pub(crate) fn alone(program: impl AsRef<OsStr>) -> Command {
    // Not by its name alone: a function has an environment of its own, without a path.
    let mut command = Command::new("/usr/bin/taskset");
    command.args(["--cpu-list", SERVER_CPU]).arg(program);
    command
}

/// A server that runs on a processor of its own.
pub(crate) struct Server {
    process: Child,
    output: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
        let output = BufReader::new(process.stdout.take().context("its output is a pipe")?).lines();
        Ok(Self { process, output })
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> anyhow::Result<String> {
        self.output.next_line().await?.context("the server ended")
    }

    /// The processor time that it has used, in milliseconds.
    pub(crate) fn cpu_ms(&self) -> anyhow::Result<f64> {
        cpu_ms(self.process.id().context("the server ended")?)
    }
}

/// A kind of request that many people send in turn: see `load/turns.lua`.
pub(crate) struct Turns {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) headers: Vec<&'static str>,
    pub(crate) body: String,
    pub(crate) tokens: Vec<String>,
    pub(crate) connections: u32,
}

/// What wrk says of a run.
#[derive(Deserialize)]
pub(crate) struct Run {
    requests: f64,
    failed: u64,
    seconds: f64,
    p50: f64,
    p90: f64,
    #[serde(skip)]
    pub(crate) cpu_ms: f64,
}

impl Run {
    pub(crate) fn per_second(&self) -> f64 {
        self.requests / self.seconds
    }
}

/// Runs wrk once. The tokens are used up where they rotate.
pub(crate) async fn run(server: &Server, url: &str, turns: &Turns) -> anyhow::Result<Run> {
    let tokens = std::env::temp_dir().join(format!("freehold-bench-{}.tokens", std::process::id()));
    std::fs::write(&tokens, turns.tokens.join("\n"))?;
    let before = server.cpu_ms()?;
    let output = Command::new("wrk")
        .args(["--threads", "1"])
        .args(["--connections", &turns.connections.to_string(), "--duration", &format!("{SECONDS}s"), "--latency"])
        .arg("--script")
        .arg(root().join("bench/load/turns.lua"))
        .args([url, "--"])
        .arg(&tokens)
        .args([turns.method, turns.path])
        .args(&turns.headers)
        .arg(&turns.body)
        .output()
        .await
        .context("wrk does not start: it is a package of most systems")?;
    let cpu_ms = server.cpu_ms()? - before;
    std::fs::remove_file(&tokens)?;
    let text = String::from_utf8(output.stdout)?;
    let line = text
        .lines()
        .find(|line| line.starts_with('{'))
        .with_context(|| format!("wrk says: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
    let run: Run = serde_json::from_str(line)?;
    ensure!(run.failed == 0 && run.requests > 0.0, "{} of {}: {text}", turns.method, turns.path);
    let cpu_ms = cpu_ms / run.requests;
    Ok(Run { cpu_ms, ..run })
}

/// The local server with people in it.
pub(crate) struct Freehold {
    pub(crate) server: Server,
    pub(crate) url: String,
    http: reqwest::Client,
    emails: Vec<String>,
}

impl Freehold {
    /// Starts it and signs so many people up.
    pub(crate) async fn start(people: usize) -> anyhow::Result<Self> {
        let mut command = alone(program());
        command.args(["--port", "0"]);
        let mut server = Server::start(command)?;
        let url = loop {
            let line = server.line().await?;
            if let Some(url) = line.strip_prefix("Freehold") {
                break url.trim().to_owned();
            }
        };
        let http = reqwest::Client::builder().redirect(Policy::none()).timeout(PATIENCE).build()?;
        let emails = (0..people).map(|number| format!("user-{number}@example.com")).collect();
        let freehold = Self { server, url, http, emails };
        freehold.sign_up().await?;
        Ok(freehold)
    }

    async fn sign_up(&self) -> anyhow::Result<()> {
        for email in &self.emails {
            self.post("/register", json!({"email": email, "password": PASSWORD})).await?;
        }
        let mut verified = 0;
        while verified < self.emails.len() {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let mailbox = self.http.get(format!("{}/_local/mail", self.url)).header("accept", "application/json");
            let mails: Vec<Value> = mailbox.send().await?.json().await?;
            // The newest is first.
            for mail in mails.iter().rev().skip(verified) {
                let text = mail["text"].as_str().context("a mail has a text")?;
                let link = text.lines().find_map(|line| line.split_once("/verify-email?user=")).context("a link")?.1;
                let (user, token) = link.split_once("&token=").context("a token")?;
                self.post("/verify-email", json!({"user_id": user, "token": token})).await?;
                verified += 1;
            }
        }
        Ok(())
    }

    async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let answer = self.http.post(format!("{}{path}", self.url)).json(&body).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Signs everybody in: what each got.
    async fn sign_in(&self, token: &str) -> anyhow::Result<Vec<String>> {
        let mut tokens = Vec::new();
        for email in &self.emails {
            let body = json!({"email": email, "password": PASSWORD, "token_in": "body"});
            let signed_in = self.post("/login", body).await?;
            tokens.push(signed_in[token].as_str().with_context(|| format!("no {token}"))?.to_owned());
        }
        Ok(tokens)
    }

    pub(crate) fn sign_ins(&self) -> Turns {
        Turns {
            method: "POST",
            path: "/login",
            headers: vec!["content-type: application/json"],
            body: json!({"email": "{token}", "password": PASSWORD, "token_in": "body"}).to_string(),
            tokens: self.emails.clone(),
            connections: 4,
        }
    }

    pub(crate) async fn refreshes(&self) -> anyhow::Result<Turns> {
        Ok(Turns {
            method: "POST",
            path: "/refresh",
            headers: vec!["content-type: application/json"],
            body: json!({"refresh_token": "{token}"}).to_string(),
            tokens: self.sign_in("refresh_token").await?,
            connections: 8,
        })
    }

    async fn who_am_i(&self) -> anyhow::Result<Turns> {
        Ok(Turns {
            method: "GET",
            path: "/me",
            headers: vec!["authorization: Bearer {token}"],
            body: String::new(),
            tokens: self.sign_in("access_token").await?,
            connections: 8,
        })
    }
}

/// The local server, compiled beside this program and with its profile.
fn program() -> PathBuf {
    let this = std::env::current_exe().unwrap_or_default();
    this.with_file_name("local")
}

/// The local server under load.
pub(crate) async fn measure(effort: Effort) -> anyhow::Result<String> {
    let _pinned = Pinned::to(CLIENT_CPU)?;
    let freehold = Freehold::start(50).await?;
    let mut table = Table::new(["", "connections", "a second", "CPU ms", "p50 ms", "p90 ms"]);
    let mut runs: [Vec<Run>; 3] = Default::default();
    let mut connections = [0; 3];
    let rounds = effort.rounds;
    for round in 1..=rounds {
        eprintln!("load: round {round} of {rounds}");
        let turns = [freehold.sign_ins(), freehold.refreshes().await?, freehold.who_am_i().await?];
        for ((turns, runs), connections) in turns.iter().zip(&mut runs).zip(&mut connections) {
            runs.push(run(&freehold.server, &freehold.url, turns).await?);
            *connections = turns.connections;
        }
    }
    for ((name, runs), connections) in ["sign-ins", "refreshes", "`/me`"].into_iter().zip(&runs).zip(connections) {
        let figure = |figure: fn(&Run) -> f64| short(median(runs.iter().map(figure)));
        table.row([
            &name,
            &connections,
            &figure(Run::per_second),
            &figure(|run| run.cpu_ms),
            &figure(|run| run.p50),
            &figure(|run| run.p90),
        ]);
    }
    Ok(table.text())
}
