//! The page that is written.

use crate::cold_starts::ColdStarts;
use crate::figures::{Table, float, short};
use crate::growth::Growth;
use crate::invocations::Invocations;
use crate::machine;
use crate::timing::Timing;

/// What the instruments found.
pub(crate) struct Results {
    pub(crate) rounds: usize,
    pub(crate) cold_starts: ColdStarts,
    pub(crate) invocations: Invocations,
    pub(crate) timing: Timing,
    pub(crate) growth: Growth,
    pub(crate) money: String,
    /// The local server under load, and its peers.
    pub(crate) under_load: Option<(String, String)>,
}

impl Results {
    /// The page, as Markdown.
    pub(crate) fn write(&self) -> anyhow::Result<String> {
        let Self { rounds, cold_starts, invocations, timing, growth, money, under_load } = self;
        let (load, peers) = under_load.clone().unwrap_or_default();
        let under_load = format!("## Under load\n\n{load}\n## Peers\n\n{peers}\n");
        Ok(format!(
            "# Results\n\nWritten by `cargo run --release --package bench`; what the figures mean, and what was tried, is in \
             [README.md](README.md).\n\n{machine}- Ratios are medians of {rounds} rounds, with the least and the \
             greatest in brackets.\n\n## Targets\n\n{targets}\n## Invocations\n\n{invocations}\n## Cold starts\n\n{cold_starts}\n## \
             Known and unknown addresses\n\n{timing}\n## Growth\n\n{growth}\n{under_load}## Money\n\n{money}",
            machine = machine::describe()?,
            targets = self.targets(),
            invocations = invocations.text,
            cold_starts = cold_starts.text,
            timing = timing.text,
            growth = growth.text,
            under_load = if load.is_empty() { "" } else { &under_load },
        ))
    }

    fn targets(&self) -> String {
        let Self { cold_starts, invocations, timing, growth, .. } = self;
        let mut table = Table::new(["target", "at most", "measured", ""]);
        let mut missed = false;
        let mut row = |name: &str, at_most: f64, measured: f64| {
            let met = measured <= at_most;
            missed |= !met;
            table.row([&name, &short(at_most), &short(measured), &if met { "met" } else { "**missed**" }]);
        };
        row("sign-in: CPU against its floor", 1.1, invocations.sign_in);
        row("the same, by turns with its floor", 1.1, invocations.sign_in_by_turns);
        row("refresh: CPU against its floor", 3.0, invocations.refresh);
        row("register: time on two CPUs against its floor", 1.15, invocations.register);
        for (function, at_most) in
            [("login", 3.0), ("refresh", 1.0), ("me", 1.0), ("authorizer", 1.0), ("register", 2.0)]
        {
            let round_trips = invocations.bills.get(function).map_or(0, |bill| bill.units.round_trips);
            row(&format!("{function}: round trips to the table"), at_most, float(round_trips));
        }
        row("cold start against its floor, the worst", 1.3, cold_starts.worst_ratio);
        row("a function zipped, the largest, MB", 6.0, cold_starts.largest_zip);
        row("sign-in with 1,000,000 users against 1,000", 1.2, growth.sign_in);
        row("refresh with 1,000,000 users against 1,000", 1.2, growth.refresh);
        row("peak memory of a function that hashes, MB", 110.0, invocations.most_memory_hashing);
        row("peak memory of any other, MB", 40.0, invocations.most_memory);
        row("known against unknown addresses, Welch's t", 4.5, timing.greatest_t);
        let why = "\nFor a target that is missed: [what was tried](README.md#what-was-tried), and [where the rest \
                   goes](README.md#where-the-rest-goes).\n";
        table.text() + if missed { why } else { "" }
    }
}
