//! What an invocation of each compiled function costs, beside the least that it can cost.

use std::collections::BTreeMap;
use std::time::Duration;

use tests::{Passed, Pool, is_read};

use crate::Effort;
use crate::events::{Action, People};
use crate::figures::{Table, mean, median, megabytes, millis, short, spread};
use crate::floors::{Compared, Cost, Work};
use crate::function::Function;

/// What one action cost in one round, each figure the mean of its invocations.
struct Round {
    cpu: f64,
    wall: f64,
    at_table: f64,
    floor: Option<Cost>,
    /// What it and its floor cost by turns, each after a rest.
    by_turns: Option<Compared>,
}

/// What one action costs.
#[derive(Default)]
struct Measured {
    rounds: Vec<Round>,
    units: Vec<Units>,
    peak_memory: u64,
}

/// What one invocation asks of the table.
#[derive(Default)]
pub(crate) struct Units {
    pub(crate) requests: BTreeMap<String, usize>,
    pub(crate) round_trips: usize,
    pub(crate) read: f64,
    pub(crate) write: f64,
}

/// What was found: ratios against floors, memory in MB, and what is paid for.
pub(crate) struct Invocations {
    pub(crate) text: String,
    pub(crate) sign_in: f64,
    pub(crate) sign_in_by_turns: f64,
    pub(crate) refresh: f64,
    pub(crate) register: f64,
    pub(crate) most_memory_hashing: f64,
    pub(crate) most_memory: f64,
    pub(crate) bills: BTreeMap<&'static str, Bill>,
}

/// What one action costs that is paid for.
pub(crate) struct Bill {
    pub(crate) cpu_ms: f64,
    pub(crate) units: Units,
}

/// Runs all actions in turn, in so many rounds.
pub(crate) async fn measure(pool: &Pool, effort: Effort) -> anyhow::Result<Invocations> {
    let rounds = effort.rounds;
    let mut work = Work::start().await?;
    let mut actions = Action::ALL.map(|action| (action, Measured::default()));
    for round in 1..=rounds {
        eprintln!("invocations: round {round} of {rounds}");
        // The functions have the system's clock: what this pool hands out is not to be too old for them.
        pool.catch_up();
        let mut people = People::of(pool, 20).await;
        for (action, measured) in &mut actions {
            self::round(pool, &mut people, &mut work, *action, measured, effort).await?;
        }
    }
    Ok(report(&work, actions))
}

async fn round(
    pool: &Pool,
    people: &mut People<'_>,
    work: &mut Work,
    action: Action,
    measured: &mut Measured,
    effort: Effort,
) -> anyhow::Result<()> {
    let processes = action.processes(effort);
    let in_each = action.repetitions(effort).div_ceil(processes);
    let (mut walls, mut at_table, mut cpu) = (Duration::ZERO, Duration::ZERO, 0.0);
    let (mut floor, mut by_turns) = (None, None);
    for process in 1..=processes {
        pool.catch_up();
        if action.has_floor() {
            work.restart().await?;
        }
        let mut function = Function::start(action.function(), pool.local().environment()).await?;
        // Connections are opened, settings read and pages touched.
        for _ in 0..5 {
            people.have_done(action, &mut function).await?;
        }
        let before = function.cpu_ms()?;
        for _ in 0..in_each {
            let done = people.have_done(action, &mut function).await?;
            walls += done.wall;
            at_table += waiting(&done.passed);
        }
        // Right after, so that a machine whose speed drifts slows both. Meanwhile the function does what comes after its last
        // answer, and sleeps; where there is no floor, what came after its last warming up counts for that.
        if let Some(now) = work.floor(action, in_each).await? {
            let sum = floor.unwrap_or(Cost::default());
            floor = Some(Cost { cpu: sum.cpu + now.cpu, wall: sum.wall + now.wall });
        }
        cpu += function.cpu_ms()? - before;
        if action == Action::Login {
            let sum = by_turns.get_or_insert_with(Compared::default);
            let before = function.cpu_ms()?;
            for _ in 0..in_each {
                people.have_done(action, &mut function).await?;
                sum.floor += work.by_turns().await?;
            }
            sum.action += function.cpu_ms()? - before;
        }
        if process == processes {
            measured.units.push(units(pool, people, action, &mut function).await?);
        }
        measured.peak_memory = measured.peak_memory.max(function.peak_memory()?);
        function.stop().await?;
    }
    let times = in_each * processes;
    let per_process = |sum: f64| sum / f64::from(processes);
    let floor = floor.map(|sum| Cost { cpu: per_process(sum.cpu), wall: per_process(sum.wall) });
    let (wall, at_table) = (millis(walls / times), millis(at_table / times));
    let per_invocation = |sum: f64| sum / f64::from(times);
    let by_turns =
        by_turns.map(|sum| Compared { action: per_invocation(sum.action), floor: per_invocation(sum.floor) });
    measured.rounds.push(Round { cpu: per_invocation(cpu), wall, at_table, floor, by_turns });
    Ok(())
}

/// How long at least one request was at the table.
fn waiting(passed: &[Passed]) -> Duration {
    let mut passed: Vec<&Passed> = passed.iter().collect();
    passed.sort_by_key(|request| request.from);
    let mut waited = Duration::ZERO;
    let mut until = None;
    for request in passed {
        let from = until.map_or(request.from, |until| request.from.max(until));
        waited += request.to.saturating_duration_since(from);
        until = Some(until.map_or(request.to, |until| request.to.max(until)));
    }
    waited
}

/// The most requests of which each came after the one before was answered.
fn round_trips(passed: &[Passed]) -> usize {
    let mut passed: Vec<&Passed> = passed.iter().collect();
    passed.sort_by_key(|request| request.to);
    let mut count = 0;
    let mut until = None;
    for request in passed {
        if until.is_none_or(|until| request.from >= until) {
            count += 1;
            until = Some(request.to);
        }
    }
    count
}

/// Counts what one invocation asks of the table. Requests that are examined take longer, so none is timed.
async fn units(pool: &Pool, people: &mut People<'_>, action: Action, function: &mut Function) -> anyhow::Result<Units> {
    pool.proxy().examine(true);
    let passed = people.have_done(action, function).await?.passed;
    pool.proxy().examine(false);
    let mut units = Units { requests: BTreeMap::new(), round_trips: round_trips(&passed), read: 0.0, write: 0.0 };
    for request in &passed {
        *units.requests.entry(request.operation.clone()).or_default() += 1;
        *(if is_read(&request.operation) { &mut units.read } else { &mut units.write }) += request.units;
    }
    Ok(units)
}

fn report(work: &Work, actions: impl IntoIterator<Item = (Action, Measured)>) -> Invocations {
    let mut costs = Table::new([
        "action",
        "CPU ms",
        "against its floor",
        "wall ms",
        "against its floor",
        "of it at the table, ms",
        "peak memory, MB",
    ]);
    let mut asked = Table::new(["action", "requests", "round trips", "read units", "write units"]);
    let mut found = Invocations {
        text: String::new(),
        sign_in: 0.0,
        sign_in_by_turns: 0.0,
        refresh: 0.0,
        register: 0.0,
        most_memory_hashing: 0.0,
        most_memory: 0.0,
        bills: BTreeMap::new(),
    };
    let (mut sign_in, mut refresh, mut by_turns) = (Compared::default(), Compared::default(), Vec::new());
    for (action, measured) in actions {
        let Measured { rounds, units, peak_memory } = measured;
        // Now and then a read of the settings is due, which is another request.
        let asked_least = |units: &Units| (units.round_trips, units.requests.values().sum::<usize>());
        let units = units.into_iter().min_by_key(asked_least).unwrap_or_default();
        let against = |ratio: fn(&Round, Cost) -> f64| {
            rounds.iter().filter_map(|round| Some(ratio(round, round.floor?))).collect::<Vec<f64>>()
        };
        let cpu = against(|round, floor| round.cpu / floor.cpu);
        let wall = against(|round, floor| round.wall / floor.wall);
        if action == Action::Login {
            found.sign_in = median(cpu.iter().copied());
            let compared = || rounds.iter().filter_map(|round| round.by_turns);
            sign_in = means(compared());
            by_turns = compared().map(|of| of.action / of.floor).collect();
            found.sign_in_by_turns = median(by_turns.iter().copied());
        } else if action == Action::Refresh {
            found.refresh = median(cpu.iter().copied());
            let compared = |round: &Round| Some(Compared { action: round.cpu, floor: round.floor?.cpu });
            refresh = means(rounds.iter().filter_map(compared));
        } else if action == Action::Register {
            found.register = median(wall.iter().copied());
        }
        let memory = megabytes(peak_memory);
        let most = if action.hashes() { &mut found.most_memory_hashing } else { &mut found.most_memory };
        *most = most.max(memory);

        let ratio = |ratios: &[f64]| if ratios.is_empty() { "-".to_owned() } else { spread(ratios) };
        let cpu_ms = median(rounds.iter().map(|round| round.cpu));
        costs.row([
            &action.function(),
            &short(cpu_ms),
            &ratio(&cpu),
            &short(median(rounds.iter().map(|round| round.wall))),
            &ratio(&wall),
            &short(median(rounds.iter().map(|round| round.at_table))),
            &short(memory),
        ]);
        let requests: Vec<String> =
            units.requests.iter().map(|(operation, count)| format!("{count} {operation}")).collect();
        asked.row([
            &action.function(),
            &requests.join(", "),
            &units.round_trips,
            &short(units.read),
            &short(units.write),
        ]);
        found.bills.insert(action.function(), Bill { cpu_ms, units });
    }
    let others = format!(
        "By turns with its floor, each after a rest, a sign-in takes {} of it. In a row, and against a hash that leaves its \
         memory as it is, it takes {}.\n",
        spread(&by_turns),
        short(found.sign_in / work.unwiped()),
    );
    let pieces = work.pieces_of(sign_in, refresh);
    found.text = [work.table(), others, costs.text(), pieces, asked.text()].join("\n");
    found
}

fn means(compared: impl Iterator<Item = Compared> + Clone) -> Compared {
    Compared { action: mean(compared.clone().map(|of| of.action)), floor: mean(compared.map(|of| of.floor)) }
}
