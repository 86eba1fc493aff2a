//! What the work itself costs, on this machine and compiled as the functions are: the least that an action can take.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::events::Action;
use crate::figures::{Table, mean, millis, short};
use crate::function::Function;

/// What one repetition of a piece of work costs, in milliseconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) cpu: f64,
    pub(crate) wall: f64,
}

/// The processor time of an action, and of its floor beside it, in milliseconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Compared {
    pub(crate) action: f64,
    pub(crate) floor: f64,
}

/// The pieces of work, as their costs are kept, and as the page calls them.
const PIECES: [(&str, &str); 9] = [
    ("hash", "Argon2id, 64 MiB, in memory that is kept and wiped"),
    ("hash-unwiped", "the same, not wiped"),
    ("hash-on-one-thread", "one event of a hash that is wiped, on one processor"),
    ("key-pair", "one event of a new RSA-2048 key pair"),
    ("open", "a private key out of its envelope"),
    ("sign", "an RS256 signature, with a key that has signed before"),
    ("first-sign", "the same, with a key that is read from PEM for it"),
    (SIGN_IN, "one event of hash, envelope and signature, by turns with sign-ins"),
    (NOTHING, "one event that asks for nothing, by turns with both"),
];

const SIGN_IN: &str = "sign-in";
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
    pub(crate) async fn restart(&mut self) -> anyhow::Result<()> {
        self.function.stop().await?;
        self.function = Function::start("work", &BTreeMap::new()).await?;
        // As often as functions are warmed up.
        for work in ["nothing", "hash", "hash-unwiped", "hash-on-one-thread", "open", "sign", "first-sign"] {
            self.once(work, 5).await?;
        }
        Ok(())
    }

    /// The least that an action can cost, measured now: what it would take with nothing around its cryptography. Nothing,
    /// where it has none to speak of.
    pub(crate) async fn floor(&mut self, action: Action, times: u32) -> anyhow::Result<Option<Cost>> {
        if action == Action::Login {
            let (hash, open, sign) =
                (self.cost("hash", times).await?, self.cost("open", times).await?, self.cost("sign", times).await?);
            self.cost("hash-unwiped", times).await?;
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
            let mut sum = Cost::default();
            for _ in 0..times {
                let (hash, key_pair) = (self.cost("hash-on-one-thread", 1).await?, self.cost("key-pair", 1).await?);
                // Each was an event by itself, which a registration is once, and its floor not at all.
                let event = self.once(NOTHING, 1).await?;
                sum.cpu += hash.cpu + key_pair.cpu - 2.0 * event.cpu;
                sum.wall += hash.wall.max(key_pair.wall) - event.wall;
            }
            return Ok(Some(Cost { cpu: sum.cpu / f64::from(times), wall: sum.wall / f64::from(times) }));
        }
        Ok(None)
    }

    /// What the cryptography of a sign-in takes of the processor where it is done as sign-ins do it: once, after a rest, and
    /// by turns with them. The floor does it many times in a row, which keeps processor and caches at it. An event that asks
    /// for nothing is taken off, at what it takes where a hash has emptied the caches. What is done after an answer counts,
    /// and is done in the rest that follows.
    pub(crate) async fn by_turns(&mut self) -> anyhow::Result<f64> {
        let mut costs = [0.0; 2];
        tokio::time::sleep(REST).await;
        for (piece, cpu) in [SIGN_IN, NOTHING].into_iter().zip(&mut costs) {
            let before = self.function.cpu_ms()?;
            let invocation = self.function.invoke(&json!({"work": piece, "times": 1})).await?;
            tokio::time::sleep(REST).await;
            *cpu = self.function.cpu_ms()? - before;
            self.costs.entry(piece).or_default().push(Cost { cpu: *cpu, wall: millis(invocation.wall) });
        }
        let [sign_in, nothing] = costs;
        Ok(sign_in - nothing)
    }

    /// What the floor of a sign-in would be of itself with hashes that leave their memory as it is.
    pub(crate) fn unwiped(&self) -> f64 {
        let others = self.cpu("open") + self.cpu("sign");
        (self.cpu("hash-unwiped") + others) / (self.cpu("hash") + others)
    }

    /// Where the processor's time goes in a sign-in and in a refresh, as far as pieces of it are measured alone. All are
    /// means, so that they can be taken off one another.
    pub(crate) fn pieces_of(&self, sign_in: Compared, refresh: Compared) -> String {
        let first = self.cpu("first-sign") - self.cpu("sign");
        let remains = |of: Compared| of.action - of.floor - first;
        let mut table = Table::new(["where the processor's time goes, mean ms", "login", "refresh"]);
        for (name, sign_in, refresh) in [
            ("the floor: of a sign-in by turns with it, of a refresh in a row", sign_in.floor, refresh.floor),
            ("reading a key and checking it, and its blinding for the first signature", first, first),
            (
                "what remains: the runtime, requests to the table, JSON, logs, and caches that a hash emptied",
                remains(sign_in),
                remains(refresh),
            ),
        ] {
            table.row([&name, &short(sign_in), &short(refresh)]);
        }
        table.text()
    }

    fn cpu(&self, piece: &str) -> f64 {
        mean(self.costs.get(piece).into_iter().flatten().map(|cost| cost.cpu))
    }

    async fn cost(&mut self, work: &'static str, times: u32) -> anyhow::Result<Cost> {
        let cost = self.once(work, times).await?;
        self.costs.entry(work).or_default().push(cost);
        Ok(cost)
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
