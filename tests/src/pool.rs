use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use dynoxide::Database;
use freehold_service::Clock;
use local::{Local, Options};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Fault, Proxy, Table, TestClock, Triggers, contract};

/// The password of every account that a case makes without saying otherwise.
pub const PASSWORD: &str = "correct horse battery staple";

/// The other origin that may call a pool, where a case needs [`Need::Cors`].
pub const APP: &str = "https://app.example";

/// What a case cannot do without, and a deployed stage may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Mail that can be read.
    Mailbox,
    /// The table.
    Table,
    /// [`APP`] as an allowed origin.
    Cors,
    /// The insides: a clock that moves, faults, the mailbox's refusals, and nobody else in the table.
    Inside,
}

/// A user pool to talk to.
pub struct Pool {
    id: String,
    url: String,
    public_url: String,
    http: reqwest::Client,
    mailbox_url: Option<String>,
    table: Option<Table>,
    inside: Option<Inside>,
}

/// What only a pool in this process has.
struct Inside {
    local: Local,
    clock: TestClock,
    proxy: Proxy,
    database: Option<Database>,
}

/// What a mail carries that asks something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The user.
    pub user: String,
    /// The token in its link.
    pub token: String,
    /// The code beside the link; empty, where the link stands alone.
    pub code: String,
}

/// What a sign-in gave.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Who signed in.
    pub email: String,
    /// The access token.
    pub access_token: String,
    /// The refresh token, out of the cookie.
    pub refresh_token: String,
}

struct DatabaseClock(Clock);

impl dynoxide::storage_backend::Clock for DatabaseClock {
    fn now_unix_secs(&self) -> u64 {
        self.0.now().as_seconds()
    }

    #[expect(clippy::cast_precision_loss, reason = "the interface asks for it, and the seconds of our era fit")]
    fn now_unix_secs_f64(&self) -> f64 {
        self.now_unix_secs() as f64
    }
}

impl Pool {
    /// A fresh pool in this process, or the one that `FREEHOLD_URL` names; nothing, where that one lacks what the case needs.
    pub async fn with<const N: usize>(needs: [Need; N]) -> Option<Self> {
        Self::with_environment(needs, []).await
    }

    /// The same, with variables of the functions set.
    ///
    /// # Panics
    /// Where it does not start.
    pub async fn with_environment<const N: usize, const M: usize>(
        needs: [Need; N],
        environment: [(&str, &str); M],
    ) -> Option<Self> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let http = http.timeout(Duration::from_secs(30)).build().expect("a client is built");
        let Some(url) = variable("FREEHOLD_URL") else {
            let allowed = if needs.contains(&Need::Cors) { APP } else { "" };
            let environment = [("ALLOWED_ORIGINS", allowed)].into_iter().chain(environment);
            return Some(Self::inside(http, environment).await);
        };
        let (mailbox_url, table) = (variable("FREEHOLD_MAIL"), variable("FREEHOLD_TABLE"));
        let lacks = |need: &Need| match need {
            Need::Mailbox => mailbox_url.is_none(),
            Need::Table => table.is_none(),
            Need::Cors => variable("FREEHOLD_ORIGIN").as_deref() != Some(APP),
            Need::Inside => true,
        };
        if M > 0 || needs.iter().any(lacks) {
            eprintln!("skipped: {url} does not have what this case needs: {needs:?}");
            return None;
        }
        let table = match table {
            Some(name) => Some(Table::deployed(name).await),
            None => None,
        };
        let id = variable("FREEHOLD_POOL").unwrap_or_else(|| "us-east-1_Freehold1".to_owned());
        let public_url = variable("FREEHOLD_PUBLIC_URL").unwrap_or_else(|| url.clone());
        Some(Self { id, url, public_url, http, mailbox_url, table, inside: None })
    }

    /// A fresh pool in this process with triggers, of which it has those that are named.
    pub async fn with_triggers<const N: usize>(triggers: &Triggers, names: [&str; N]) -> Option<Self> {
        let variable = Triggers::variable(names);
        Self::with_environment([Need::Inside], [("TRIGGERS", &*variable), ("AWS_ENDPOINT_URL_LAMBDA", triggers.url())])
            .await
    }

    async fn inside(http: reqwest::Client, environment: impl Iterator<Item = (&str, &str)>) -> Self {
        let clock = TestClock::default();
        let (upstream, database) = match variable("FREEHOLD_DYNAMODB") {
            Some(url) => (url, None),
            None => serve_database(clock.clock()).await,
        };
        let proxy = Proxy::start(upstream).await;
        let mut environment: BTreeMap<String, String> =
            environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        environment.entry("TABLE_NAME".to_owned()).or_insert_with(|| format!("freehold-{}", uuid::Uuid::new_v4()));
        let options = Options {
            clock: clock.clock(),
            dynamodb_endpoint: Some(proxy.url().to_owned()),
            environment,
            ..Options::default()
        };
        let local = Local::start(options).await.expect("the pool starts");
        let (id, table) = (local.environment()["POOL_ID"].clone(), &local.environment()["TABLE_NAME"]);
        let table = Some(Table::local(proxy.url(), table));
        let (url, public_url) = (local.url().to_owned(), local.url().to_owned());
        Self {
            id,
            url,
            public_url,
            http,
            mailbox_url: None,
            table,
            inside: Some(Inside { local, clock, proxy, database }),
        }
    }

    /// The pool's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The origin that links and issuers begin with.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Where the pool answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An address that nobody else has.
    #[must_use]
    pub fn address(&self, name: &str) -> String {
        format!("{name}-{}@example.com", uuid::Uuid::new_v4().simple())
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        self.get_inside().clock.pass(duration);
    }

    /// Lets time pass until the present.
    pub fn catch_up(&self) {
        self.get_inside().clock.catch_up();
    }

    /// What stands before the database.
    #[must_use]
    pub fn proxy(&self) -> &Proxy {
        &self.get_inside().proxy
    }

    /// The pool's process.
    #[must_use]
    pub fn local(&self) -> &Local {
        &self.get_inside().local
    }

    /// The database, where it is in this process. Another one cannot be told to expire items now.
    #[must_use]
    pub fn database(&self) -> Option<&Database> {
        let database = self.get_inside().database.as_ref();
        if database.is_none() {
            eprintln!("skipped: the database is not in this process");
        }
        database
    }

    fn get_inside(&self) -> &Inside {
        self.inside.as_ref().expect("the case said that it needs the insides")
    }

    /// The table.
    ///
    /// # Panics
    /// Where the case did not say that it needs it.
    #[must_use]
    pub fn table(&self) -> &Table {
        self.table.as_ref().expect("the case said that it needs the table")
    }

    /// Everything in the table: see [`Table::items`].
    pub async fn items(&self) -> Vec<BTreeMap<String, String>> {
        self.table().items().await
    }

    /// How many accounts there are.
    pub async fn accounts(&self) -> usize {
        self.items().await.iter().filter(|item| item["item_type"] == "user").count()
    }

    /// The partition key of a user.
    #[must_use]
    pub fn user_key(&self, user: &str) -> String {
        format!("{}#USER#{user}", self.id)
    }

    /// Sends a request with any headers and any body, and holds the answer against `openapi.yaml`.
    ///
    /// # Panics
    /// Where the pool does not answer, or not as `openapi.yaml` says.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let method_ = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method_, format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("the pool answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let body = String::from_utf8(response.bytes().await.expect("a body").to_vec()).expect("answers are UTF-8");
        let answer = Answer { status, headers, body };
        contract::check(method, path, &answer);
        answer
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_with(path, &[], body).await
    }

    /// Posts JSON with more headers.
    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.send("POST", path, &headers, body.to_string()).await
    }

    /// Gets.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Signs up with the usual password.
    pub async fn register(&self, email: &str) -> Answer {
        self.post("/register", json!({"email": email, "password": PASSWORD})).await
    }

    /// Signs up and verifies the address: the user's id.
    pub async fn verified(&self, email: &str) -> String {
        self.register(email).await.assert_status(201);
        let Link { user, token, .. } = self.link(email).await;
        self.post("/verify-email", json!({"user_id": user, "token": token})).await.assert_status(200);
        user
    }

    /// Asks for another password, and reads the mail that comes then.
    pub async fn forgot(&self, email: &str) -> Link {
        let before = self.links(email).await;
        self.post("/password/forgot", json!({"email": email})).await.assert_status(202);
        self.link_that(email, |link| link.token.starts_with("fh_pr_") && !before.contains(link)).await
    }

    /// Asks for another address, and reads the mail that goes there.
    pub async fn asked_for_email(&self, session: &SignedIn, new_email: &str) -> Link {
        let body = json!({"new_email": new_email, "current_password": PASSWORD});
        self.as_bearer(&session.access_token, "POST", "/me/email", body).await.assert_status(202);
        self.link_that(new_email, |link| link.token.starts_with("fh_ec_")).await
    }

    /// The link in the mail to an address that an account had, which takes the change back.
    pub async fn link_to_undo(&self, email: &str) -> Link {
        self.link_that(email, |link| link.token.starts_with("fh_eu_")).await
    }

    /// Has an account deleted, and reads the mail that says so.
    pub async fn asked_to_be_deleted(&self, session: &SignedIn) -> Link {
        let body = json!({"current_password": PASSWORD});
        self.as_bearer(&session.access_token, "DELETE", "/me", body).await.assert_status(202);
        self.link_that(&session.email, |link| link.token.starts_with("fh_ka_")).await
    }

    /// Writes settings of the pool, and lets the time pass that functions keep the old ones for.
    ///
    /// # Panics
    /// Where they are no object.
    pub async fn set(&self, settings: Value) {
        let key = json!({"pk": format!("{}#POOL", self.id), "sk": "SETTINGS", "item_type": "settings"});
        let (Value::Object(mut item), Value::Object(settings)) = (key, settings) else {
            panic!("settings are an object")
        };
        item.extend(settings);
        self.table().put(Value::Object(item)).await;
        self.pass(Duration::from_mins(1));
    }

    /// Posts a sign-in with the usual password.
    pub async fn login(&self, email: &str) -> Answer {
        self.post("/login", json!({"email": email, "password": PASSWORD})).await
    }

    /// Signs in.
    ///
    /// # Panics
    /// Where that is refused.
    pub async fn signed_in(&self, email: &str) -> SignedIn {
        let answer = self.login(email).await;
        answer.assert_status(200);
        let (refresh_token, _) = answer.session_cookie().expect("a sign-in sets the cookie");
        SignedIn { email: email.to_owned(), access_token: answer.text("access_token"), refresh_token }
    }

    /// Refreshes with a cookie.
    pub async fn refresh(&self, refresh_token: &str) -> Answer {
        let cookie = format!("__Host-refresh_token={refresh_token}");
        self.send("POST", "/refresh", &[("cookie", &cookie)], "").await
    }

    /// Signs out with a cookie.
    pub async fn logout(&self, refresh_token: &str) -> Answer {
        let cookie = format!("__Host-refresh_token={refresh_token}");
        self.send("POST", "/logout", &[("cookie", &cookie)], "").await
    }

    /// Asks who an access token is of.
    pub async fn me(&self, access_token: &str) -> Answer {
        self.send("GET", "/me", &[("authorization", &format!("Bearer {access_token}"))], "").await
    }

    /// Sends JSON as whoever an access token is of.
    pub async fn as_bearer(&self, access_token: &str, method: &str, path: &str, body: Value) -> Answer {
        let headers = [("authorization", &*format!("Bearer {access_token}")), ("content-type", "application/json")];
        self.send(method, path, &headers, if body.is_null() { String::new() } else { body.to_string() }).await
    }

    /// Sends again what a deployed stage answers with `unavailable`, as it may where many change one item at once. A pool in
    /// this process has no reason to.
    pub async fn until_available(&self, send: impl AsyncFn() -> Answer) -> Answer {
        for _ in 0..4 {
            let answer = send().await;
            if answer.status != 503 || self.inside.is_some() {
                return answer;
            }
        }
        send().await
    }

    /// The mails that were sent to an address, newest first, after whatever is due was sent.
    ///
    /// # Panics
    /// Where there is no mailbox.
    pub async fn mails(&self, email: &str) -> Vec<Value> {
        let all: Value = if let Some(inside) = &self.inside {
            inside.local.drain().await.expect("mail is sent");
            json!(inside.local.mailbox().mails())
        } else {
            let url = self.mailbox_url.as_ref().expect("the case said that it needs a mailbox");
            let request = self.http.get(url).header("accept", "application/json");
            request.send().await.expect("the mailbox answers").json().await.expect("the mailbox is JSON")
        };
        let is_to = |mail: &&Value| mail["to"].as_str().is_some_and(|to| to.eq_ignore_ascii_case(email));
        all.as_array().into_iter().flatten().filter(is_to).cloned().collect()
    }

    /// The link in the newest mail to an address that has one. A deployed stage is given some seconds to send it.
    ///
    /// # Panics
    /// Where no mail came.
    pub async fn link(&self, email: &str) -> Link {
        self.link_that(email, |_| true).await
    }

    /// The link in a mail that came after the one with `old`.
    ///
    /// # Panics
    /// Where none came.
    pub async fn newer_link(&self, email: &str, old: &Link) -> Link {
        self.link_that(email, |link| link != old).await
    }

    /// What the mails to an address carry that ask something, newest first.
    async fn links(&self, email: &str) -> Vec<Link> {
        let mails = self.mails(email).await;
        mails.iter().filter_map(|mail| link_in(mail["text"].as_str()?, &self.public_url)).collect()
    }

    async fn link_that(&self, email: &str, is_it: impl Fn(&Link) -> bool) -> Link {
        for _ in 0..if self.inside.is_some() { 1 } else { 100 } {
            if let Some(link) = self.links(email).await.into_iter().find(&is_it) {
                return link;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("no such mail came to {email}")
    }

    /// Runs work under a fault: the next writes of it fail so many times.
    pub async fn under<T>(&self, fault: Fault, times: usize, work: impl Future<Output = T>) -> T {
        self.proxy().inject(fault, times);
        let result = work.await;
        self.proxy().calm();
        result
    }
}

/// The code is empty where a mail has none.
fn link_in(text: &str, url: &str) -> Option<Link> {
    let query = text.lines().find_map(|line| line.strip_prefix(url)?.split_once("?user=").map(|(_, query)| query));
    let (user, token) = query?.split_once("&token=")?;
    let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
    let code = text.lines().find(is_code).unwrap_or_default();
    Some(Link { user: user.to_owned(), token: token.to_owned(), code: code.to_owned() })
}

async fn serve_database(clock: Clock) -> (String, Option<Database>) {
    let database = Database::memory_with_clock(Arc::new(DatabaseClock(clock))).expect("a database opens");
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
    tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
    (url, Some(database))
}

/// How many crashes a case about them makes: a handful, or what `FREEHOLD_CRASHES` says.
#[must_use]
pub fn crashes() -> usize {
    variable("FREEHOLD_CRASHES").and_then(|count| count.parse().ok()).unwrap_or(6)
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the tests read their environment")]
    std::env::var(name).ok()
}
