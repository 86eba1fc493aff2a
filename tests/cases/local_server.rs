//! `cargo dev` as a person uses it: the compiled program and what it prints.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{PASSWORD, compiled};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

async fn program() -> Command {
    let mut command = Command::new(compiled().await.join("local"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The program while it runs.
struct Running {
    process: Child,
    /// It is held open: a program whose output nobody takes is ended by it.
    _output: Lines<BufReader<ChildStdout>>,
    url: String,
    printed: String,
}

impl Running {
    async fn stop(mut self) -> std::process::ExitStatus {
        let id = self.process.id().unwrap().to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        tokio::time::timeout(Duration::from_secs(20), self.process.wait()).await.expect("it stops").unwrap()
    }
}

/// Starts the program, and waits until it is ready.
async fn started(data: Option<&Path>) -> Running {
    let mut command = program().await;
    command.args(["--port", "0"]);
    if let Some(data) = data {
        command.arg("--data").arg(data);
    }
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut printed = String::new();
    let deadline = Duration::from_mins(1);
    while let Some(line) = tokio::time::timeout(deadline, lines.next_line()).await.expect("it starts").unwrap() {
        printed.push_str(&line);
        printed.push('\n');
        if line.contains("/me ") {
            break;
        }
    }
    let url = printed.lines().next().and_then(|line| line.split_whitespace().last()).expect("it prints its address");
    let url = url.to_owned();
    Running { process, _output: lines, url, printed }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("freehold-{name}-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn post(url: &str, body: &Value) -> (u16, Value) {
    let client = reqwest::Client::builder().build().unwrap();
    let answer = client.post(url).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

async fn mails(url: &str) -> Vec<Value> {
    let client = reqwest::Client::builder().build().unwrap();
    for _ in 0..100 {
        let request = client.get(format!("{url}/_local/mail")).header("accept", "application/json");
        let mails: Vec<Value> = request.send().await.unwrap().json().await.unwrap();
        if !mails.is_empty() {
            return mails;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no mail came")
}

async fn refusal(command: &mut Command) -> String {
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(printed.lines().count(), 1, "{printed}");
    printed
}

#[tokio::test]
async fn the_lines_that_it_prints_work_as_printed() {
    let running = started(None).await;
    let (url, printed) = (&running.url, &running.printed);
    let lines: Vec<&str> = printed.lines().map(str::trim).filter(|line| line.contains("curl ")).collect();
    assert_eq!(lines.len(), 3, "{printed}");
    let run = async |script: String| {
        let output = Command::new("sh").args(["-c", &script]).output().await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let registered = run(lines[0].to_owned()).await;
    assert!(registered.starts_with("HTTP/1.1 201"), "{registered}");
    let mail = mails(url).await.remove(0);
    let link = mail["text"].as_str().unwrap().lines().find(|line| line.starts_with(url)).unwrap().to_owned();
    let (_, query) = link.split_once("?user=").unwrap();
    let (user, token) = query.split_once("&token=").unwrap();
    assert_eq!(post(&format!("{url}/verify-email"), &json!({"user_id": user, "token": token})).await.0, 200);
    let me = run(format!("{}\n{}", lines[1], lines[2])).await;
    assert!(me.starts_with("HTTP/1.1 200") && me.contains("alice@example.com"), "{me}");
}

#[tokio::test]
async fn what_is_kept_is_there_after_a_restart_and_it_stops_cleanly() {
    let data = folder("data");
    let running = started(Some(&data)).await;
    let url = running.url.clone();
    let account = json!({"email": "ann@example.com", "password": PASSWORD});
    assert_eq!(post(&format!("{url}/register"), &account).await.0, 201);
    mails(&url).await;
    assert!(running.stop().await.success());

    let running = started(Some(&data)).await;
    let url = running.url.clone();
    assert_eq!(mails(&url).await.len(), 1, "the mail is forgotten");
    let (status, problem) = post(&format!("{url}/login"), &account).await;
    assert_eq!((status, problem["code"].as_str()), (403, Some("email_not_verified")));
    assert!(running.stop().await.success());
    std::fs::remove_dir_all(data).unwrap();
}

#[tokio::test]
async fn what_it_cannot_use_is_one_clear_line() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert!(refusal(program().await.args(["--port", &port])).await.contains(&port));

    let folder = folder("refusals");
    let file = folder.join("file");
    std::fs::write(&file, "").unwrap();
    let line = refusal(program().await.args(["--port", "0", "--data"]).arg(&file)).await;
    assert!(line.contains("file"), "{line}");

    let template = folder.join("template.yaml");
    let line = refusal(program().await.args(["--port", "0", "--template"]).arg(&template)).await;
    assert!(line.contains("template.yaml"), "{line}");
    std::fs::write(&template, "Resources: [").unwrap();
    let line = refusal(program().await.args(["--port", "0", "--template"]).arg(&template)).await;
    assert!(line.contains("template.yaml"), "{line}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn the_mailbox_is_a_page_for_people_and_json_for_programs() {
    let running = started(None).await;
    let url = &running.url;
    let account = json!({"email": "ann@example.com", "password": PASSWORD, "name": "<i>Ann"});
    assert_eq!(post(&format!("{url}/register"), &account).await.0, 201);
    let mail = mails(url).await.remove(0);
    let names: Vec<&str> = mail.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["from", "html", "sent_at", "subject", "text", "to"]);
    let client = reqwest::Client::builder().build().unwrap();
    let page = client.get(format!("{url}/_local/mail")).header("accept", "text/html").send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains(&format!("<a href=\"{url}/verify-email?user=")) && !page.contains("<i>Ann"), "{page}");
    let index = client.get(url).send().await.unwrap().text().await.unwrap();
    assert!(index.contains("/register") && index.contains("/_local/mail"));
}
