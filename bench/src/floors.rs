//! What the work itself costs, on this machine and compiled as the functions are: the least that an action can take.

use std::collections::BTreeMap;

use serde_json::json;

use crate::figures::{Table, median, millis, short};
use crate::function::Function;

/// What one repetition of a piece of work costs, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
}

/// What each piece of work costs, in one round.
pub(crate) struct Floors {
    pub(crate) hash: Cost,
    pub(crate) key_pair: Cost,
    pub(crate) open: Cost,
    pub(crate) sign: Cost,
    first_sign: Cost,
}

/// The function that does only the work.
pub(crate) struct Work(Function);

impl Work {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Ok(Self(Function::start("work", &BTreeMap::new()).await?))
    }

    /// Measures one round.
    pub(crate) async fn measure(&mut self) -> anyhow::Result<Floors> {
        Ok(Floors {
            hash: self.cost("hash", 60).await?,
            key_pair: self.cost("key-pair", 60).await?,
            open: self.cost("open", 500).await?,
            sign: self.cost("sign", 500).await?,
            first_sign: self.cost("first-sign", 500).await?,
        })
    }

    async fn cost(&mut self, work: &str, times: u32) -> anyhow::Result<Cost> {
        let before = self.0.cpu_ms()?;
        let invocation = self.0.invoke(&json!({"work": work, "times": times})).await?;
        Ok(Cost { cpu: (self.0.cpu_ms()? - before) / f64::from(times), wall: millis(invocation.wall / times) })
    }
}

/// The table of what the work costs.
pub(crate) fn table(rounds: &[Floors]) -> String {
    let mut table = Table::new(["the work itself", "CPU ms", "wall ms"]);
    let mut row = |name: &str, cost: fn(&Floors) -> Cost| {
        let of = |figure: fn(Cost) -> f64| short(median(rounds.iter().map(|round| figure(cost(round)))));
        table.row([&name, &of(|cost| cost.cpu), &of(|cost| cost.wall)]);
    };
    row("Argon2id, 64 MiB, in memory that is kept and wiped", |floors| floors.hash);
    row("a new RSA-2048 key pair", |floors| floors.key_pair);
    row("a private key out of its envelope", |floors| floors.open);
    row("an RS256 signature, with a key that has signed before", |floors| floors.sign);
    row("the same, with a key that is read from PEM for it", |floors| floors.first_sign);
    table.text()
}
