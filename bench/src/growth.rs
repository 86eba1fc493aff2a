//! Whether sign-in and refresh become slower as the table grows, and as one user's partition does.

use anyhow::Context as _;
use dynoxide::{Database, ImportOptions, Item};
use freehold_domain::{SessionId, Timestamp, UserId};
use freehold_service::Clock;
use serde_json::json;
use tests::{Need, Pool};

use crate::Effort;
use crate::events::{Action, People};
use crate::figures::{Table, median, millis, short, spread};
use crate::function::Function;

const ACTIONS: [Action; 2] = [Action::Login, Action::Refresh];
const USERS: [u32; 3] = [1_000, 100_000, 1_000_000];
const SESSIONS: [u32; 4] = [1, 10, 100, 1_000];
/// How many items are written at a time.
const CHUNK: usize = 20_000;

/// Some people of a pool that has grown, and the functions that they use.
struct Grown<'a> {
    size: u32,
    people: People<'a>,
    functions: Vec<(Action, Function, Vec<f64>)>,
}

impl<'a> Grown<'a> {
    async fn new(size: u32, pool: &'a Pool, people: People<'a>) -> anyhow::Result<Self> {
        let mut functions = Vec::new();
        for action in ACTIONS {
            let function = Function::start(action.function(), pool.local().environment()).await?;
            functions.push((action, function, Vec::new()));
        }
        Ok(Self { size, people, functions })
    }

    /// One round: the median time of an answer, of each action.
    async fn measure(&mut self, effort: Effort) -> anyhow::Result<()> {
        for (action, function, rounds) in &mut self.functions {
            let mut walls = Vec::new();
            for _ in 0..action.repetitions(effort) {
                walls.push(millis(self.people.have_done(*action, function).await?.wall));
            }
            rounds.push(median(walls));
        }
        Ok(())
    }
}

impl Grown<'_> {
    /// The times of one of the actions against those of another pool, round by round.
    fn ratio(&self, action: usize, first: &Self) -> Vec<f64> {
        let (walls, first) = (&self.functions[action].2, &first.functions[action].2);
        walls.iter().zip(first).map(|(wall, first)| wall / first).collect()
    }
}

/// What one user has in the table, to be copied.
struct Copied {
    database: Database,
    table: String,
    items: Vec<Item>,
    /// The user's id, address and session, which no copy shares.
    own: [String; 3],
}

impl Copied {
    /// What the only user of a pool has.
    fn of(pool: &Pool) -> anyhow::Result<Self> {
        let database = pool.database().context("the database is in this process")?.clone();
        let table = pool.local().environment()["TABLE_NAME"].clone();
        let scan = serde_json::from_value(json!({"TableName": table}))?;
        let items = database.scan(scan)?.items.unwrap_or_default();
        let text = |kind: &str, name: &str| {
            let item = pool_item(&items, kind).with_context(|| format!("no {kind}"))?;
            let value = serde_json::to_value(&item[name])?;
            anyhow::Ok(value["S"].as_str().unwrap_or_default().to_owned())
        };
        let id = text("claim", "user_id")?;
        let email = text("user", "email")?;
        let session = text("session", "sk")?.trim_start_matches("SESSION#").to_owned();
        let items =
            ["user", "credentials", "claim", "session"].iter().filter_map(|kind| pool_item(&items, kind).cloned());
        Ok(Self { database, table, items: items.collect(), own: [id, email, session] })
    }

    /// Copies of some items for others, whose own names are made of a number.
    fn write(
        &self,
        count: u32,
        is_copied: fn(&str) -> bool,
        others: impl Fn(u32) -> [String; 3],
    ) -> anyhow::Result<f64> {
        let (mut chunk, mut bytes) = (Vec::new(), 0.0);
        let originals: Vec<String> = self
            .items
            .iter()
            .filter(|item| is_copied(&kind(item)))
            .map(serde_json::to_string)
            .collect::<Result<_, _>>()?;
        for number in 0..count {
            let others = others(number);
            for original in &originals {
                let mut copy = original.clone();
                for (own, other) in self.own.iter().zip(&others) {
                    copy = copy.replace(own, other);
                }
                chunk.push(serde_json::from_str(&copy)?);
            }
            if chunk.len() >= CHUNK || number + 1 == count {
                bytes += self.import(std::mem::take(&mut chunk))?;
            }
        }
        Ok(bytes)
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    fn import(&self, items: Vec<Item>) -> anyhow::Result<f64> {
        let options = ImportOptions { record_streams: false, set_cached_at: false };
        Ok(self.database.import_items(&self.table, items, options)?.bytes_imported as f64)
    }
}

fn kind(item: &Item) -> String {
    let kind = item.get("item_type").and_then(|kind| serde_json::to_value(kind).ok()).unwrap_or_default();
    kind["S"].as_str().unwrap_or_default().to_owned()
}

fn pool_item<'a>(items: &'a [Item], wanted: &str) -> Option<&'a Item> {
    items.iter().find(|item| kind(item) == wanted)
}

/// What was found: the ratios of the largest table against the smallest, and the size of a user with one session.
pub(crate) struct Growth {
    pub(crate) text: String,
    pub(crate) sign_in: f64,
    pub(crate) refresh: f64,
    pub(crate) bytes_per_user: f64,
}

/// Measures in turn pools of each size, and then users of one pool with more and more sessions.
pub(crate) async fn measure(effort: Effort) -> anyhow::Result<Growth> {
    let now = Clock::system().now();
    let sizes = &USERS[..if effort.quick { 1 } else { USERS.len() }];
    let mut pools = Vec::new();
    let mut bytes_per_user = 0.0;
    for &size in sizes {
        eprintln!("growth: {size} users");
        let pool = pool().await?;
        People::of(&pool, 1).await;
        let everything = |_: &str| true;
        let bytes = Copied::of(&pool)?.write(size, everything, |number| {
            // They came one after the other, a minute apart.
            let then = Timestamp::from_seconds(now.as_seconds() - u64::from(number) * 60);
            [UserId::new(then).to_string(), format!("copy-{number}@example.com"), SessionId::new(then).to_string()]
        })?;
        bytes_per_user = bytes / f64::from(size);
        pools.push((size, pool));
    }
    let mut grown = Vec::new();
    for (size, pool) in &pools {
        grown.push(Grown::new(*size, pool, People::of(pool, 20).await).await?);
    }
    let users = report("users", &mut grown, effort).await?;
    let (sign_in, refresh) =
        grown.last().map(|last| (last.ratio(0, &grown[0]), last.ratio(1, &grown[0]))).unwrap_or_default();
    let (sign_in, refresh) = (median(sign_in), median(refresh));
    drop(grown);
    drop(pools);

    let mut pools = Vec::new();
    for size in SESSIONS {
        pools.push((size, pool().await?));
    }
    let mut grown = Vec::new();
    for (size, pool) in &pools {
        let people = People::of(pool, 1).await;
        let copied = Copied::of(pool)?;
        let [id, email, _] = copied.own.clone();
        let is_session = |kind: &str| kind == "session";
        copied.write(size - 1, is_session, |_| [id.clone(), email.clone(), SessionId::new(now).to_string()])?;
        grown.push(Grown::new(*size, pool, people).await?);
    }
    let sessions = report("sessions of the user", &mut grown, effort).await?;
    Ok(Growth { text: format!("{users}\n{sessions}"), sign_in, refresh, bytes_per_user })
}

async fn pool() -> anyhow::Result<Pool> {
    Pool::with([Need::Inside, Need::Mailbox]).await.context("a pool in this process")
}

async fn report(of: &str, grown: &mut [Grown<'_>], effort: Effort) -> anyhow::Result<String> {
    for round in 1..=effort.rounds {
        eprintln!("growth: {of}, round {round} of {}", effort.rounds);
        for one in &mut *grown {
            one.measure(effort).await?;
        }
    }
    let mut table = Table::new([of, "sign-in, ms", "against the first", "refresh, ms", "against the first"]);
    for one in &*grown {
        let figures =
            |at: usize| (short(median(one.functions[at].2.iter().copied())), spread(&one.ratio(at, &grown[0])));
        let (sign_in, refresh) = (figures(0), figures(1));
        table.row([&one.size, &sign_in.0, &sign_in.1, &refresh.0, &refresh.1]);
    }
    Ok(table.text())
}
