//! What people would run instead, under the same load and with the same Argon2id.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tests::{Need, PASSWORD, Pool, root};
use tokio::process::Command;
use tokio::time::{Duration, Instant};

use crate::Effort;
use crate::events::{Action, People};
use crate::figures::{Table, median, short, spread};
use crate::function::{Function, bootstrap};
use crate::load::{CLIENT_CPU, Freehold, Run, SECONDS, Server, Turns, alone, run};
use crate::machine::Pinned;

const PEOPLE: usize = 50;
/// How many people sign in at a time where wrk cannot do it.
const AT_A_TIME: usize = 4;

/// A peer that is ready.
struct Peer<Own> {
    server: Server,
    ready: Ready<Own>,
    http: reqwest::Client,
}

/// What a peer says of itself once it is ready: see `ready` in `peers/shared.mjs`.
#[derive(Deserialize)]
struct Ready<Own> {
    name: String,
    version: String,
    url: String,
    node: String,
    /// The version of `@node-rs/argon2`.
    argon2: String,
    /// Those of Argon2id, as a PHC string has them.
    parameters: String,
    signature: String,
    #[serde(flatten)]
    own: Own,
}

/// better-auth says nothing else.
#[derive(Deserialize)]
struct BetterAuth {}

/// oidc-provider also says what the app is that people sign in to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OidcProvider {
    client_id: String,
    redirect_uri: String,
}

impl<Own: DeserializeOwned> Peer<Own> {
    async fn start(script: &str) -> anyhow::Result<Self> {
        let mut command = alone("node");
        command.arg(script).current_dir(root().join("bench/peers"));
        // It is given one processor, so it hashes with one lane, as Freehold does there.
        command.envs([("NODE_ENV", "production"), ("LANES", "1"), ("USERS", "50")]);
        let mut server = Server::start(command)?;
        let ready = serde_json::from_str(&server.line().await?)?;
        let http = reqwest::Client::builder().redirect(Policy::none()).build()?;
        Ok(Self { server, ready, http })
    }

    fn name(&self) -> String {
        format!("{} {}", self.ready.name, self.ready.version)
    }

    async fn run(&self, turns: &Turns) -> anyhow::Result<Run> {
        run(&self.server, &self.ready.url, turns).await
    }
}

impl Peer<BetterAuth> {
    /// A sign-in begins a session, whose cookie is good for a JWT.
    fn sign_ins() -> Turns {
        Turns {
            method: "POST",
            path: "/api/auth/sign-in/email",
            headers: vec!["content-type: application/json"],
            body: json!({"email": "{token}", "password": PASSWORD}).to_string(),
            tokens: emails().collect(),
            connections: 4,
        }
    }

    async fn refreshes(&self) -> anyhow::Result<Turns> {
        let mut tokens = Vec::new();
        for email in emails() {
            let body = json!({"email": email, "password": PASSWORD});
            let url = format!("{}/api/auth/sign-in/email", self.ready.url);
            tokens.push(cookie(&self.http.post(url).json(&body).send().await?, "better-auth.session_token")?);
        }
        Ok(Turns {
            method: "GET",
            path: "/api/auth/token",
            headers: vec!["cookie: {token}"],
            body: String::new(),
            tokens,
            connections: 8,
        })
    }
}

impl Peer<OidcProvider> {
    /// The authorization code flow with PKCE, whose page with the password is ours. It ends in a refresh token.
    async fn sign_in(&self, email: &str) -> anyhow::Result<String> {
        // RFC 7636, appendix B.
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let Ready { url, own: OidcProvider { client_id, redirect_uri }, .. } = &self.ready;
        let query = [
            ("client_id", client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", redirect_uri),
            ("scope", "offline_access"),
            ("prompt", "consent"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ];
        let asked = self.http.get(Url::parse_with_params(&format!("{url}/auth"), query)?).send().await?;
        let interaction = format!("{url}{}", location(&asked)?);
        let begun = (cookie(&asked, "_interaction=")?, cookie(&asked, "_interaction.sig")?);
        let resume = (cookie(&asked, "_interaction_resume=")?, cookie(&asked, "_interaction_resume.sig")?);

        let form = json!({"email": email, "password": PASSWORD});
        let shown = self.http.post(interaction).header(COOKIE, format!("{}; {}", begun.0, begun.1)).json(&form);
        let resumed =
            self.http.get(location(&shown.send().await?)?).header(COOKIE, format!("{}; {}", resume.0, resume.1));
        let redirected = Url::parse(&location(&resumed.send().await?)?)?;
        let code =
            redirected.query_pairs().find(|(name, _)| name == "code").context("a code comes back")?.1.into_owned();

        let exchange = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", &code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let body = Url::parse_with_params("http://form", exchange)?.query().unwrap_or_default().to_owned();
        let form = self.http.post(format!("{url}/token")).header("content-type", "application/x-www-form-urlencoded");
        let tokens: BTreeMap<String, serde_json::Value> =
            form.body(body).send().await?.error_for_status()?.json().await?;
        Ok(tokens["refresh_token"].as_str().context("a refresh token")?.to_owned())
    }

    /// People who sign in, a few at a time, for some seconds.
    async fn sign_ins(&self) -> anyhow::Result<Round> {
        let (before, began) = (self.server.cpu_ms()?, Instant::now());
        let until = began + Duration::from_secs(SECONDS.into());
        let people = (0..AT_A_TIME).map(|number| async move {
            let mut count = 0.0;
            while Instant::now() < until {
                self.sign_in(&format!("user-{number}@example.com")).await?;
                count += 1.0;
            }
            anyhow::Ok(count)
        });
        let count: f64 = try_join_all(people).await?.iter().sum();
        let cpu_ms = (self.server.cpu_ms()? - before) / count;
        Ok(Round { per_second: count / began.elapsed().as_secs_f64(), cpu_ms })
    }

    async fn refreshes(&self) -> anyhow::Result<Turns> {
        let mut tokens = Vec::new();
        for email in emails() {
            tokens.push(self.sign_in(&email).await?);
        }
        Ok(Turns {
            method: "POST",
            path: "/token",
            headers: vec!["content-type: application/x-www-form-urlencoded"],
            body: format!("grant_type=refresh_token&client_id={}&refresh_token={{token}}", self.ready.own.client_id),
            tokens,
            connections: 8,
        })
    }
}

fn emails() -> impl Iterator<Item = String> {
    (0..PEOPLE).map(|number| format!("user-{number}@example.com"))
}

/// A cookie that an answer sets, as it is sent back.
fn cookie(answer: &Response, name: &str) -> anyhow::Result<String> {
    let set = answer.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let cookie = set.filter_map(|cookie| cookie.split(';').next()).find(|cookie| cookie.starts_with(name));
    cookie.map(str::to_owned).with_context(|| format!("{} sets no {name}", answer.url()))
}

fn location(answer: &Response) -> anyhow::Result<String> {
    ensure!(answer.status() == StatusCode::SEE_OTHER, "{} answers {}", answer.url(), answer.status());
    Ok(answer.headers().get(LOCATION).context("a redirection has a location")?.to_str()?.to_owned())
}

/// One round of everybody: a second, and CPU per operation.
struct Round {
    per_second: f64,
    cpu_ms: f64,
}

impl From<Run> for Round {
    fn from(run: Run) -> Self {
        Self { per_second: run.per_second(), cpu_ms: run.cpu_ms }
    }
}

/// A compiled function, on the servers' processor and one request at a time, as in Lambda, for as long as the others.
async fn function(action: Action, function: &mut Function, people: &mut People<'_>) -> anyhow::Result<Round> {
    let (before, mut seconds, mut count) = (function.cpu_ms()?, 0.0, 0.0);
    while seconds < f64::from(SECONDS) {
        seconds += people.have_done(action, function).await?.wall.as_secs_f64();
        count += 1.0;
    }
    let cpu_ms = (function.cpu_ms()? - before) / count;
    Ok(Round { per_second: count / seconds, cpu_ms })
}

/// A row of the table: who does what, in each round, and why it is not the same.
struct Row {
    name: String,
    rounds: Vec<Round>,
    unfair: &'static str,
}

impl Row {
    fn new(name: String, unfair: &'static str) -> Self {
        Self { name, rounds: Vec::new(), unfair }
    }
}

/// Freehold and its peers in turn.
pub(crate) async fn measure(effort: Effort) -> anyhow::Result<String> {
    let installed = Command::new("npm").args(["ci", "--silent"]).current_dir(root().join("bench/peers")).status().await;
    ensure!(installed.context("npm does not start")?.success(), "npm ci failed");
    // Before there is a pool, too, which hashes with as many lanes as it sees processors: with one, as everybody here.
    let _pinned = Pinned::to(CLIENT_CPU)?;
    let freehold = Freehold::start(PEOPLE).await?;
    let better_auth: Peer<BetterAuth> = Peer::start("better-auth.mjs").await?;
    let oidc: Peer<OidcProvider> = Peer::start("oidc-provider.mjs").await?;
    let pool = Pool::with([Need::Inside, Need::Mailbox]).await.context("a pool in this process")?;
    let mut people = People::of(&pool, 20).await;
    let parameters = format!("$argon2id$v=19${}$", better_auth.ready.parameters);
    let is_alike =
        |item: &BTreeMap<String, String>| item.get("password_hash").is_none_or(|hash| hash.starts_with(&parameters));
    ensure!(pool.items().await.iter().all(is_alike), "the people of the functions have other hashes than {parameters}");
    let environment = pool.local().environment();
    let mut login = Function::start_by(alone(bootstrap("login")), "login", environment).await?;
    let mut refresh = Function::start_by(alone(bootstrap("refresh")), "refresh", environment).await?;

    let mut sign_ins = [
        Row::new("Freehold, local server".to_owned(), LOCAL),
        Row::new("Freehold, compiled function".to_owned(), FUNCTION),
        Row::new(better_auth.name(), "everything is in memory, without a database; a sign-in signs no token"),
        Row::new(
            oidc.name(),
            "everything is in memory; a sign-in is four requests, and the page with the password is ours",
        ),
    ];
    let mut refreshes = [
        Row::new("Freehold, local server".to_owned(), LOCAL),
        Row::new("Freehold, compiled function".to_owned(), FUNCTION),
        Row::new(
            format!("{}, `GET /token`", better_auth.name()),
            "looks a session up in memory and signs with the server's one RSA key; rotates and writes nothing",
        ),
        Row::new(
            format!("{}, `POST /token`", oidc.name()),
            "rotates, in memory; signs with the server's one RSA key, which stays open",
        ),
    ];
    let rounds = effort.rounds;
    for round in 1..=rounds {
        eprintln!("peers: round {round} of {rounds}");
        sign_ins[0].rounds.push(run(&freehold.server, &freehold.url, &freehold.sign_ins()).await?.into());
        sign_ins[1].rounds.push(function(Action::Login, &mut login, &mut people).await?);
        sign_ins[2].rounds.push(better_auth.run(&Peer::<BetterAuth>::sign_ins()).await?.into());
        sign_ins[3].rounds.push(oidc.sign_ins().await?);
        refreshes[0].rounds.push(run(&freehold.server, &freehold.url, &freehold.refreshes().await?).await?.into());
        refreshes[1].rounds.push(function(Action::Refresh, &mut refresh, &mut people).await?);
        refreshes[2].rounds.push(better_auth.run(&better_auth.refreshes().await?).await?.into());
        refreshes[3].rounds.push(oidc.run(&oidc.refreshes().await?).await?.into());
    }
    let alike = alike(&better_auth.ready)?;
    Ok(format!("{alike}\n{}\n{}", table("sign-in", &sign_ins), table("refresh", &refreshes)))
}

/// What everybody has in common, by what one of the peers says, and what they hash and sign with.
fn alike<Own>(peer: &Ready<Own>) -> anyhow::Result<String> {
    let Ready { node, argon2, parameters, signature, .. } = peer;
    // What is said of argon2-rust was read in its source, 1.1.0, and in what @node-rs/argon2 2.2.1 has compiled of it.
    Ok(format!(
        "Everybody verifies Argon2id with {parameters}, on one processor, and signs tokens with {signature}. Freehold \
         does it with argon2 {} and aws-lc-rs {}. The peers run on Node {node} and verify with @node-rs/argon2 \
         {argon2}, which is part of what the ratios of sign-ins say: it wraps another implementation, argon2-rust, \
         which uses AVX-512 where there is any, and asks for new memory for each hash, in huge pages. Freehold's goes \
         no further than AVX2 and keeps its memory, in pages of the usual size. Both wipe it after each hash.\n",
        locked("argon2")?,
        locked("aws-lc-rs")?,
    ))
}

/// The version of a crate that all of this is compiled with.
fn locked(name: &str) -> anyhow::Result<String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock"))?;
    let entry = format!("\nname = \"{name}\"\nversion = \"");
    let (_, from) = lock.split_once(&entry).with_context(|| format!("{name} is not in Cargo.lock"))?;
    Ok(from.split('"').next().unwrap_or_default().to_owned())
}

const LOCAL: &str =
    "its table is an emulated DynamoDB over SQLite, behind HTTP, in the same process and on the same processor";
const FUNCTION: &str = "one request at a time, the table in another process and on the other processor";

fn table(what: &str, rows: &[Row]) -> String {
    let mut table =
        Table::new([what, "a second on one CPU", "CPU ms", "CPU against the first", "what makes it unfair"]);
    for Row { name, rounds, unfair } in rows {
        let ratios: Vec<f64> =
            rounds.iter().zip(&rows[0].rounds).map(|(theirs, ours)| theirs.cpu_ms / ours.cpu_ms).collect();
        table.row([
            name,
            &short(median(rounds.iter().map(|round| round.per_second))),
            &short(median(rounds.iter().map(|round| round.cpu_ms))),
            &spread(&ratios),
            unfair,
        ]);
    }
    table.text()
}
