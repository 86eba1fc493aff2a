//! `cargo dev`: the whole user pool on this machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use local::{Local, Options, StartError};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The address at which `cargo lambda watch` serves functions unless it is told otherwise.
const WATCH_URL: &str = "http://127.0.0.1:9000";

/// Runs the whole user pool on this machine: functions, DynamoDB and a mailbox that you can read.
#[derive(Parser)]
struct Arguments {
    /// The port of the HTTP API.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// The folder to keep users, mail and the application secret in; without it they end with the program.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The template that says what is deployed; the repository's own unless given.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// A folder of templates of mail that take the place of Freehold's.
    #[arg(long, value_name = "DIR")]
    mail_templates: Option<PathBuf>,
    /// Your own functions that are called as Cognito calls its Lambda triggers: a JSON object from a trigger to the URL
    /// of a function that speaks Lambda's Invoke API, or to a command line that is a Lambda runtime.
    #[arg(long, value_name = "FILE")]
    triggers: Option<PathBuf>,
    /// Leave the functions out: only DynamoDB, the mailbox and what fills it, for `cargo lambda watch`.
    #[arg(long)]
    services_only: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    // The database warns of every condition that fails, and here conditions fail by design.
    let levels = Targets::new().with_default(LevelFilter::WARN).with_target("dynoxide", LevelFilter::ERROR);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines).with(levels).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), StartError> {
    let mut environment = BTreeMap::new();
    if arguments.services_only {
        environment.insert("PUBLIC_URL".to_owned(), WATCH_URL.to_owned());
    }
    if let Some(folder) = arguments.mail_templates {
        environment.insert("MAIL_TEMPLATES".to_owned(), folder.display().to_string());
    }
    let usual = Options::default();
    let local = Local::start(Options {
        port: arguments.port,
        data: arguments.data.clone(),
        template: arguments.template.unwrap_or(usual.template),
        triggers: arguments.triggers,
        drain: true,
        hashes_at_a_time: std::thread::available_parallelism().map_or(1, usize::from),
        services_only: arguments.services_only,
        log: true,
        environment,
        ..Options::default()
    })
    .await?;

    let port = local.url().rsplit(':').next().unwrap_or_default();
    let env_file = match arguments.data {
        Some(folder) => folder.join("functions.env"),
        None => std::env::temp_dir().join(format!("freehold-{port}.env")),
    };
    local.write_environment(&env_file)?;

    println!("Freehold    {}", local.url());
    println!("Sent mail   {}/_local/mail", local.url());
    println!("DynamoDB    {}", local.dynamodb_endpoint());
    println!("SES, SQS    {}", local.services_endpoint());
    if let Some(url) = local.triggers_endpoint() {
        println!("Triggers    {url}");
    }
    println!("Env file    {}", env_file.display());
    if arguments.services_only {
        println!("\nNow run the functions:\n\n  cargo lambda watch --env-file '{}'\n", env_file.display());
    } else {
        println!("{}", what_to_try(local.url()));
    }

    until_told_to_stop().await;
    local.shutdown().await;
    Ok(())
}

fn what_to_try(url: &str) -> String {
    let json = "-H 'content-type: application/json'";
    let alice = r#""email": "alice@example.com", "password": "correct horse battery staple""#;
    let token = r#"sed 's/.*"access_token": *"\([^"]*\)".*/\1/'"#;
    format!(
        "\nSign up, then open the mailbox, click the link in the mail and confirm:\n\n  \
         curl -i {url}/register {json} -d '{{{alice}}}'\n\n\
         Sign in, and see who is signed in:\n\n  \
         TOKEN=$(curl -s {url}/login {json} -d '{{{alice}, \"token_in\": \"body\"}}' | {token})\n  \
         curl -i {url}/me -H \"authorization: Bearer $TOKEN\"\n"
    )
}

async fn until_told_to_stop() {
    let interrupted = async { tokio::signal::ctrl_c().await.is_ok() };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await.is_some(),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<bool>();
    tokio::select! {
        _ = interrupted => {}
        _ = terminated => {}
    }
}
