//! How long a function takes from nothing to its first answer, beside one that only builds the same clients.

use std::collections::BTreeMap;
use std::process::Stdio;

use anyhow::Context as _;
use serde_json::{Value, json};
use tests::Pool;
use tokio::process::Command;

use crate::Effort;
use crate::aws::{TlsDoor, secrets_manager};
use crate::events::{Action, People};
use crate::figures::{Table, median, megabytes, millis, short, spread};
use crate::function::{Function, bootstrap};
use crate::load::alone;

pub(crate) struct ColdStarts {
    pub(crate) text: String,
    /// The greatest of the functions' ratios, each the median of its rounds.
    pub(crate) worst_ratio: f64,
    /// The size of the largest function, zipped, in MB.
    pub(crate) largest_zip: f64,
}

/// How often a function and its floor are started in a round. One start of some milliseconds can take half as long as the
/// next, or twice.
const STARTS: usize = 20;
/// How often the first request of somebody is answered, in a round.
const FIRST_REQUESTS: usize = 5;

/// Starts each function and its floor in turn.
pub(crate) async fn measure(pool: &Pool, effort: Effort) -> anyhow::Result<ColdStarts> {
    let rounds = effort.rounds;
    let starts = if effort.quick { STARTS / 4 } else { STARTS };
    let environment = pool.local().environment();
    let nothing = json!({
        "version": "2.0", "rawPath": "/", "headers": {}, "requestContext": {"http": {"method": "GET", "path": "/"}}
    });
    let mut table = Table::new(["function", "first answer, ms", "against its floor", "MB", "MB zipped"]);
    let (mut worst_ratio, mut largest_zip) = (0.0_f64, 0.0_f64);
    for name in ["hello-world", "table-client", "mail-clients"] {
        let mut answered = Vec::new();
        for _ in 0..rounds * starts {
            answered.push(first_answer(name, environment, &nothing).await?);
        }
        let (bytes, zipped) = size(name).await?;
        table.row([&name, &short(median(answered)), &"-", &short(bytes), &short(zipped)]);
    }
    for action in Action::ALL {
        eprintln!("cold starts: {}", action.function());
        let event = action.trivial_event()?;
        let (mut answered, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let (mut floors, mut functions) = (Vec::new(), Vec::new());
            for _ in 0..starts {
                floors.push(first_answer(action.floor(), environment, &nothing).await?);
                functions.push(first_answer(action.function(), environment, &event).await?);
            }
            ratios.push(median(functions.iter().copied()) / median(floors));
            answered.extend(functions);
        }
        let (bytes, zipped) = size(action.function()).await?;
        worst_ratio = worst_ratio.max(median(ratios.iter().copied()));
        largest_zip = largest_zip.max(zipped);
        table.row([&action.function(), &short(median(answered)), &spread(&ratios), &short(bytes), &short(zipped)]);
    }
    let text = format!("{}\n{}", table.text(), apart(pool, &nothing, rounds * FIRST_REQUESTS).await?);
    Ok(ColdStarts { text, worst_ratio, largest_zip })
}

/// From the start of a process to its first answer, in milliseconds.
async fn first_answer(name: &str, environment: &BTreeMap<String, String>, event: &Value) -> anyhow::Result<f64> {
    answer_to(Function::start(name, environment).await?, event).await
}

/// The same with one processor, as Lambda has one for a function with the memory of the template.
async fn first_answer_on_one_processor(
    name: &str,
    environment: &BTreeMap<String, String>,
    event: &Value,
) -> anyhow::Result<f64> {
    answer_to(Function::start_by(alone(bootstrap(name)), name, environment).await?, event).await
}

async fn answer_to(mut function: Function, event: &Value) -> anyhow::Result<f64> {
    let answered = function.invoke(event).await?.since_start;
    function.stop().await?;
    Ok(millis(answered))
}

/// What a first answer also waits for in AWS: the pages of the hash, the secret's fetch, a first TLS handshake.
async fn apart(pool: &Pool, nothing: &Value, times: usize) -> anyhow::Result<String> {
    let plain = pool.local().environment();
    let address = plain["AWS_ENDPOINT_URL_DYNAMODB"].strip_prefix("http://").context("the table is behind HTTP")?;
    let door = TlsDoor::before(address.to_owned()).await?;
    let mut behind_tls = plain.clone();
    behind_tls.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), door.url.clone());
    behind_tls.insert("SSL_CERT_FILE".to_owned(), door.roots.display().to_string());

    let mut with_manager = plain.clone();
    let secret = with_manager.remove("APPLICATION_SECRET").context("there is a secret")?;
    with_manager.insert("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), secrets_manager(secret).await?);
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:application-secret";
    with_manager.insert("APPLICATION_SECRET_ARN".to_owned(), arn.to_owned());

    let mut people = People::of(pool, 2).await;
    let rows = [
        ("a sign-in that is the first request", Action::Login, plain),
        ("`/me` as the first request", Action::Me, plain),
        ("the same, with the table behind TLS", Action::Me, &behind_tls),
        ("a refresh as the first request", Action::Refresh, plain),
        ("the same, with the secret from Secrets Manager on this machine", Action::Refresh, &with_manager),
    ];
    let mut figures = vec![Vec::new(); rows.len()];
    for _ in 0..times {
        for ((_, action, environment), figures) in rows.iter().zip(&mut figures) {
            let mut function = Function::start(action.function(), environment).await?;
            figures.push(millis(people.have_done(*action, &mut function).await?.since_start));
            function.stop().await?;
        }
    }
    let mut table = Table::new(["reported apart", "first answer, ms"]);
    let refused = Action::Login.trivial_event()?;
    let (mut floors, mut functions) = (Vec::new(), Vec::new());
    for _ in 0..times {
        floors.push(first_answer_on_one_processor(Action::Login.floor(), plain, nothing).await?);
        functions.push(first_answer_on_one_processor(Action::Login.function(), plain, &refused).await?);
    }
    table.row([&"`login`, refused, on one processor", &spread(&functions)]);
    table.row([&"its floor, on one processor", &spread(&floors)]);
    for ((name, ..), figures) in rows.iter().zip(&figures) {
        table.row([name, &spread(figures)]);
    }
    Ok(table.text())
}

/// How large a function is, and how large when it is compressed as zip does, in MB.
async fn size(name: &str) -> anyhow::Result<(f64, f64)> {
    let path = bootstrap(name);
    let gzip = Command::new("gzip").arg("--stdout").arg(&path).stdout(Stdio::piped()).output().await?;
    let zipped = u64::try_from(gzip.stdout.len())?;
    Ok((megabytes(std::fs::metadata(path)?.len()), megabytes(zipped)))
}
