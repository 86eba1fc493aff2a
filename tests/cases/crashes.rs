//! `kill -9`, over and over: at any moment, inside the transaction, and between sending a mail and forgetting it. After a
//! restart every address is wholly registered and its mail is sent, or it is free.
//!
//! A handful of each here; `FREEHOLD_CRASHES=200` for the whole drill.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use freehold_domain::Timestamp;
use freehold_service::Clock;
use local::{Local, Options};
use serde_json::{Value, json};
use tests::{PASSWORD, Proxy, compiled, crashes};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The local server, as a process that can be killed.
struct Victim {
    process: Child,
    _output: Lines<BufReader<ChildStdout>>,
    /// What it printed first: its addresses by what they are.
    addresses: Vec<(String, String)>,
}

impl Victim {
    async fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(compiled().await.join("local"));
        command.args(["--port", "0", "--data"]).arg(data).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut addresses = Vec::new();
        while addresses.len() < 5 {
            let line = tokio::time::timeout(Duration::from_mins(1), output.next_line()).await.expect("it starts");
            let line = line.unwrap().expect("it prints its addresses");
            let (name, address) = line.split_once("  ").expect("a name and an address");
            addresses.push((name.to_owned(), address.trim().to_owned()));
        }
        Self { process, _output: output, addresses }
    }

    fn address(&self, name: &str) -> String {
        let found = self.addresses.iter().find(|(other, _)| other == name);
        found.unwrap_or_else(|| panic!("it printed no {name}")).1.clone()
    }

    fn killer(&self) -> impl FnOnce() + Send + 'static {
        let id = self.process.id().unwrap().to_string();
        move || assert!(std::process::Command::new("kill").args(["-KILL", &id]).status().unwrap().success())
    }

    async fn dies(mut self) {
        tokio::time::timeout(Duration::from_secs(20), self.process.wait()).await.expect("it was killed").unwrap();
    }
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("freehold-crashes-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

async fn register(url: &str, email: &str) -> Option<u16> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let account = json!({"email": email, "password": PASSWORD});
    let answer = client.post(format!("{url}/register")).json(&account).send().await.ok()?;
    Some(answer.status().as_u16())
}

async fn post(url: &str, body: &Value) -> (u16, String) {
    let client = reqwest::Client::builder().build().unwrap();
    let answer = client.post(url).json(body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json::<Value>().await.unwrap_or_default()["code"].as_str().unwrap_or_default().to_owned())
}

/// The functions in this process, over the services of a victim, with something between them and the table.
async fn functions_over(victim: &Victim, proxy: &Proxy) -> Local {
    let services = victim.address("SES, SQS");
    let environment =
        ["AWS_ENDPOINT_URL_SESV2", "AWS_ENDPOINT_URL_SQS"].map(|name| (name.to_owned(), services.clone()));
    let secret = std::fs::read_to_string(victim.address("Env file")).unwrap();
    let secret = secret.lines().find_map(|line| line.strip_prefix("APPLICATION_SECRET=")).unwrap();
    let secret = secret.trim_matches('\'').to_owned();
    let mut environment: std::collections::BTreeMap<String, String> = environment.into();
    environment.insert("APPLICATION_SECRET".to_owned(), secret);
    let options = Options { dynamodb_endpoint: Some(proxy.url().to_owned()), environment, ..Options::default() };
    Local::start(options).await.unwrap()
}

/// Every address is wholly registered, and its mail was sent; or it is free. How many of them were registered.
async fn assert_whole(data: &Path, emails: &[String]) -> usize {
    // Five minutes later, when every lease has ended.
    let later = Clock::new(|| Timestamp::from_millis(Clock::system().now().as_millis() + 300_000));
    let pool = Local::start(Options { data: Some(data.to_owned()), clock: later, ..Options::default() }).await.unwrap();
    pool.drain().await.unwrap();
    let mut registered = 0;
    for email in emails {
        let account = json!({"email": email, "password": PASSWORD});
        let answer = post(&format!("{}/login", pool.url()), &account).await;
        if answer == (401, "invalid_credentials".to_owned()) {
            assert_eq!(register(pool.url(), email).await, Some(201), "{email} is neither registered nor free");
            assert!(pool.mailbox().newest_to(email).is_none(), "{email} got a mail about nothing");
            continue;
        }
        assert_eq!(answer, (403, "email_not_verified".to_owned()), "{email}");
        let mail = pool.mailbox().newest_to(email).unwrap_or_else(|| panic!("no mail went to {email}"));
        let (_, query) = mail.text.split_once("/verify-email?user=").unwrap();
        let (user, token) = query.lines().next().unwrap().split_once("&token=").unwrap();
        let link = json!({"user_id": user, "token": token});
        assert_eq!(post(&format!("{}/verify-email", pool.url()), &link).await.0, 200, "{email}");
        assert_eq!(post(&format!("{}/login", pool.url()), &account).await.0, 200, "{email}");
        registered += 1;
    }
    pool.shutdown().await;
    std::fs::remove_dir_all(data).unwrap();
    registered
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_every_address_is_whole_or_free() {
    let data = folder();
    let mut emails = Vec::new();
    for round in 0..crashes() {
        let victim = Victim::start(&data, &[]).await;
        let (email, url, kill) = (format!("ann{round}@example.com"), victim.address("Freehold"), victim.killer());
        let wait = Duration::from_micros(rand_up_to(400_000));
        tokio::join!(register(&url, &email), async {
            tokio::time::sleep(wait).await;
            kill();
        });
        victim.dies().await;
        emails.push(email);
    }
    let registered = assert_whole(&data, &emails).await;
    eprintln!("killed {} times at any moment: {registered} registered", emails.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_inside_the_transaction_every_address_is_whole_or_free() {
    let data = folder();
    let mut emails = Vec::new();
    let mut unanswered = 0;
    for round in 0..crashes().div_ceil(2) {
        let victim = Victim::start(&data, &["--services-only"]).await;
        let proxy = Proxy::start(victim.address("DynamoDB")).await;
        let pool = functions_over(&victim, &proxy).await;
        let kill = victim.killer();
        // The request is on its way, and its answer has not come.
        let wait = Duration::from_micros(rand_up_to(3_000));
        proxy.before("TransactWriteItems", move || {
            std::thread::spawn(move || {
                std::thread::sleep(wait);
                kill();
            });
        });
        let email = format!("ann{round}@example.com");
        unanswered += usize::from(register(pool.url(), &email).await != Some(201));
        victim.dies().await;
        emails.push(email);
    }
    let registered = assert_whole(&data, &emails).await;
    eprintln!(
        "killed {unanswered} times inside the transaction, {} after it: {registered} registered",
        emails.len() - unanswered
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_sending_and_forgetting_the_mail_was_sent_and_may_be_again() {
    let data = folder();
    let mut emails = Vec::new();
    let killed = Arc::new(AtomicUsize::new(0));
    for round in 0..crashes().div_ceil(4) {
        let victim = Victim::start(&data, &["--services-only"]).await;
        let proxy = Proxy::start(victim.address("DynamoDB")).await;
        let pool = functions_over(&victim, &proxy).await;
        let (kill, killed) = (victim.killer(), Arc::clone(&killed));
        proxy.before("DeleteItem", move || {
            kill();
            killed.fetch_add(1, Ordering::SeqCst);
        });
        let email = format!("ann{round}@example.com");
        assert_eq!(register(pool.url(), &email).await, Some(201));
        // The victim's own schedule may be first; then it is this drain that finds nothing, and the victim lives.
        pool.drain().await.ok();
        drop(victim);
        emails.push(email);
    }
    let registered = assert_whole(&data, &emails).await;
    assert_eq!(registered, emails.len());
    let killed = killed.load(Ordering::SeqCst);
    assert!(killed > 0, "the victim's own schedule was first each time");
    eprintln!("killed {killed} times between sending and forgetting");
}

/// A moment that differs from run to run, as crashes do.
fn rand_up_to(micros: u64) -> u64 {
    u64::from_be_bytes(uuid::Uuid::new_v4().as_bytes()[8..].try_into().unwrap()) % micros
}
