//! What the work itself costs, on this machine and compiled as the functions are: the least that an action can take.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::events::Action;
use crate::figures::{Table, mean, millis, short};
use crate::function::Function;

/// What one repetition of a piece of work costs, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
}

/// The pieces of work, as their costs are kept, and as the page calls them.
const PIECES: [(&str, &str); 9] = [
    ("hash", "Argon2id, 64 MiB, in memory that is kept and wiped"),
    ("hash-unwiped", "the same, not wiped"),
    ("hash-on-one-thread", "the same, wiped, on one processor"),
    (AFTER_REST, "as the first, after a rest of 10 ms, with its event"),
    (NOTHING, "an event that asks for nothing, after such a hash and another rest"),
    ("key-pair", "a new RSA-2048 key pair"),
    ("open", "a private key out of its envelope"),
    ("sign", "an RS256 signature, with a key that has signed before"),
    ("first-sign", "the same, with a key that is read from PEM for it"),
];

/// A hash that comes as those of sign-ins do: others are measured in a row, which keeps processor and caches at it.
const AFTER_REST: &str = "hash-after-rest";
const NOTHING: &str = "nothing";
const REST: Duration = Duration::from_millis(10);

/// The function that does only the work, and what each piece cost whenever it was measured.
pub(crate) struct Work {
    function: Function,
    costs: BTreeMap<&'static str, Vec<Cost>>,
}

impl Work {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Ok(Self { function: Function::start("work", &BTreeMap::new()).await?, costs: BTreeMap::new() })
    }

    /// Goes on in a new process, whose memory lies elsewhere.
    pub(crate) async fn restart(self) -> anyhow::Result<Self> {
        self.function.stop().await?;
        Ok(Self { function: Function::start("work", &BTreeMap::new()).await?, costs: self.costs })
    }

    /// The least that an action can cost, measured now: what it would take with nothing around its cryptography. Nothing,
    /// where it has none to speak of.
    pub(crate) async fn floor(&mut self, action: Action, times: u32) -> anyhow::Result<Option<Cost>> {
        if action == Action::Login {
            let (hash, open, sign) =
                (self.cost("hash", times).await?, self.cost("open", times).await?, self.cost("sign", times).await?);
            self.cost("hash-unwiped", times).await?;
            self.costs_after_rests(times).await?;
            return Ok(Some(Cost { cpu: hash.cpu + open.cpu + sign.cpu, wall: hash.wall + open.wall + sign.wall }));
        }
        if action == Action::Refresh {
            let (open, sign) = (self.cost("open", times).await?, self.cost("sign", times).await?);
            self.cost("first-sign", times).await?;
            return Ok(Some(Cost { cpu: open.cpu + sign.cpu, wall: open.wall + sign.wall }));
        }
        if action == Action::Register {
            // Each registration waits for the longer of the two, one beside the other on two processors. The mean of that
            // is more than the longer of their means: how long a key pair takes is a matter of luck.
            let mut sum = Cost { cpu: 0.0, wall: 0.0 };
            for _ in 0..times {
                let (hash, key_pair) = (self.cost("hash-on-one-thread", 1).await?, self.cost("key-pair", 1).await?);
                sum = Cost { cpu: sum.cpu + hash.cpu + key_pair.cpu, wall: sum.wall + hash.wall.max(key_pair.wall) };
            }
            return Ok(Some(Cost { cpu: sum.cpu / f64::from(times), wall: sum.wall / f64::from(times) }));
        }
        Ok(None)
    }

    /// What the floor of a sign-in would be of itself with hashes that leave their memory as it is.
    pub(crate) fn unwiped(&self) -> f64 {
        self.with_hashes_of(self.cpu("hash-unwiped"))
    }

    /// What it would be with hashes that come after a rest.
    pub(crate) fn after_rest(&self) -> f64 {
        self.with_hashes_of(self.cpu(AFTER_REST) - self.cpu(NOTHING))
    }

    fn with_hashes_of(&self, cpu: f64) -> f64 {
        let others = self.cpu("open") + self.cpu("sign");
        (cpu + others) / (self.cpu("hash") + others)
    }

    fn cpu(&self, piece: &str) -> f64 {
        mean(self.costs.get(piece).into_iter().flatten().map(|cost| cost.cpu))
    }

    async fn cost(&mut self, work: &'static str, times: u32) -> anyhow::Result<Cost> {
        let cost = self.once(work, times).await?;
        self.costs.entry(work).or_default().push(cost);
        Ok(cost)
    }

    /// Hashes and events that ask for nothing, by turns: so both come after a rest, and what an event takes is what it takes
    /// where a hash has emptied the caches. What a function does after its answer counts, and is done in the rest.
    async fn costs_after_rests(&mut self, times: u32) -> anyhow::Result<()> {
        tokio::time::sleep(REST).await;
        for _ in 0..times {
            for (piece, work) in [(AFTER_REST, "hash"), (NOTHING, "nothing")] {
                let before = self.function.cpu_ms()?;
                let invocation = self.function.invoke(&json!({"work": work, "times": 1})).await?;
                tokio::time::sleep(REST).await;
                let cost = Cost { cpu: self.function.cpu_ms()? - before, wall: millis(invocation.wall) };
                self.costs.entry(piece).or_default().push(cost);
            }
        }
        Ok(())
    }

    /// One event that asks for a piece of work so many times.
    async fn once(&mut self, work: &str, times: u32) -> anyhow::Result<Cost> {
        let before = self.function.cpu_ms()?;
        let invocation = self.function.invoke(&json!({"work": work, "times": times})).await?;
        let cpu = (self.function.cpu_ms()? - before) / f64::from(times);
        Ok(Cost { cpu, wall: millis(invocation.wall / times) })
    }

    /// The table of what the work cost.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::new(["the work itself", "CPU ms", "wall ms"]);
        for (piece, name) in PIECES {
            let of = |figure: fn(&Cost) -> f64| short(mean(self.costs.get(piece).into_iter().flatten().map(figure)));
            table.row([&name, &of(|cost| cost.cpu), &of(|cost| cost.wall)]);
        }
        table.text()
    }
}
