//! Measures what the functions cost, and writes it to `RESULTS.md`. How to run and to read it: `bench/README.md`.

mod aws;
mod cold_starts;
mod events;
mod figures;
mod floors;
mod function;
mod growth;
mod invocations;
mod load;
mod machine;
mod money;
mod peers;
mod results;
mod timing;

use anyhow::{Context as _, ensure};
use clap::Parser;
use tests::{Need, Pool, root};
use tokio::process::Command;

use crate::results::Results;

/// Measures what the functions cost, and writes it to bench/RESULTS.md.
#[derive(Parser)]
struct Arguments {
    /// One round, a tenth of the repetitions, a small table, neither load nor peers, and nothing written: to see that the
    /// instruments work.
    #[arg(long)]
    quick: bool,
    /// How many rounds there are; what is written are their medians.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    rounds: usize,
    quick: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Arguments { quick, rounds } = Arguments::parse();
    let effort = Effort { rounds: if quick { 1 } else { rounds }, quick };
    if !quick {
        // The functions and the floors in one go, so that they share all that they can.
        let lambda = ["lambda", "build", "--release", "--locked", "--workspace"];
        cargo(&[&lambda[..], &["--exclude", "local", "--exclude", "tests", "--exclude", "bench"]].concat()).await?;
        // With this package, so that the features of what both share are the same, and nothing is compiled twice.
        cargo(&["build", "--release", "--locked", "--package", "bench", "--package", "local"]).await?;
    }
    // Only now, since the clock of a pool in this process stands still, and the functions would find its tokens expired.
    let pool = Pool::with([Need::Inside, Need::Mailbox]).await.context("a pool in this process")?;
    let cold_starts = cold_starts::measure(&pool, effort).await?;
    let invocations = invocations::measure(&pool, effort).await?;
    let timing = timing::measure(&pool, effort).await?;
    drop(pool);
    let growth = growth::measure(effort).await?;
    let money = money::compute(&invocations.bills, growth.bytes_per_user)?;
    let under_load = if quick { None } else { Some((load::measure(effort).await?, peers::measure(effort).await?)) };
    let text =
        Results { rounds: effort.rounds, cold_starts, invocations, timing, growth, money, under_load }.write()?;
    if quick {
        println!("One quick round: it shows that the instruments work, and its ratios mean little.\n\n{text}");
    } else {
        std::fs::write(root().join("bench/RESULTS.md"), text)?;
    }
    Ok(())
}

async fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(env!("CARGO")).args(arguments).current_dir(root()).status().await?;
    ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}
