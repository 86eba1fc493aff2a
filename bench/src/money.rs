//! What it costs in AWS: list prices times what was counted and measured here.

use std::collections::BTreeMap;

use ::tests::root;
use anyhow::Context as _;
use freehold_domain::mail::Shard;
use serde::Deserialize;

use crate::figures::{Table, float, short};
use crate::invocations::{Bill, Units};

/// What a function has by the template's default: one processor.
const MEMORY_GB: f64 = 1_769.0 / 1_024.0;
/// How long a request to DynamoDB takes from a function in the same region, which cannot be measured here.
const ROUND_TRIP_MS: f64 = 5.0;
/// How long SES takes to accept a mail, which cannot be measured here either.
const SES_MS: f64 = 100.0;
/// How many invocations of a hundred start a container, and what that adds: the start, two reads of the secret, and the
/// first TLS handshakes.
const COLD_PERCENT: f64 = 1.0;
const COLD_MS: f64 = 200.0;
/// A container does not wait a whole hour for its next event.
const COLD_PERCENT_HOURLY: f64 = 100.0;
/// What Lambda and the gateway log of a request, and what goes out with an answer.
const LOG_KB: f64 = 0.8;
const ANSWER_KB: f64 = 2.0;
/// In a month, and thereby how often either schedule runs.
const HOURS: f64 = 730.0;
const MINUTES: f64 = HOURS * 60.0;

/// What one monthly active user does.
const HABITS: [(&str, f64); 5] =
    [("login", 4.0), ("refresh", 60.0), (AUTHORIZER, 60.0), ("logout", 1.0), (REGISTRATION, 0.1)];
const AUTHORIZER: &str = "authorizer";
/// A registration with its mail and the click in it.
const REGISTRATION: &str = "registration";

/// An entry that is not among these is refused, so that the file has none which nothing reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Prices {
    as_of: String,
    region: String,
    lambda_requests_per_million: f64,
    lambda_gb_second: f64,
    http_api_requests_per_million: f64,
    dynamodb_read_units_per_million: f64,
    dynamodb_write_units_per_million: f64,
    dynamodb_gb_month: f64,
    dynamodb_recovery_gb_month: f64,
    ses_per_thousand: f64,
    log_gb: f64,
    alarm_month: f64,
    metric_month: f64,
    secret_month: f64,
    secret_reads_per_ten_thousand: f64,
    kms_requests_per_ten_thousand: f64,
    transfer_out_gb: f64,
    cognito: BTreeMap<String, Cognito>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cognito {
    free_users: f64,
    tiers: Vec<UserTier>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserTier {
    up_to: Option<f64>,
    per_user: f64,
}

impl Cognito {
    /// What so many monthly active users cost: each tier prices the users within its bounds, which count the free ones too.
    fn month(&self, users: f64) -> f64 {
        let (mut sum, mut from) = (0.0, self.free_users);
        for tier in &self.tiers {
            let to = tier.up_to.unwrap_or(f64::INFINITY).min(users);
            sum += (to - from).max(0.0) * tier.per_user;
            from = from.max(to);
        }
        sum
    }
}

/// How much the template deploys of what costs something even where nobody comes.
struct Deployed {
    functions: usize,
    alarms: usize,
    metrics: usize,
}

impl Deployed {
    fn of(template: &str) -> Self {
        let count = |entry: &str| template.lines().filter(|line| line.trim() == entry).count();
        Self {
            functions: count("Type: AWS::Serverless::Function"),
            alarms: count("Type: AWS::CloudWatch::Alarm"),
            metrics: count("Type: AWS::Logs::MetricFilter"),
        }
    }
}

/// What one action is charged, by where the money goes, in dollars.
#[derive(Clone, Copy, Default)]
struct Charges {
    lambda: f64,
    gateway: f64,
    table: f64,
    mail: f64,
    rest: f64,
}

impl Charges {
    fn sum(&self) -> f64 {
        self.lambda + self.gateway + self.table + self.mail + self.rest
    }

    fn plus(self, other: Self) -> Self {
        Self {
            lambda: self.lambda + other.lambda,
            gateway: self.gateway + other.gateway,
            table: self.table + other.table,
            mail: self.mail + other.mail,
            rest: self.rest + other.rest,
        }
    }
}

impl Prices {
    fn read() -> anyhow::Result<Self> {
        Ok(toml::from_str(&std::fs::read_to_string(root().join("bench/prices.toml"))?)?)
    }

    fn duration(&self, ms: f64) -> f64 {
        ms / 1_000.0 * MEMORY_GB * self.lambda_gb_second
    }

    /// What a container's reads of the secret add to each of the invocations that it is there for.
    fn secret(&self) -> f64 {
        COLD_PERCENT / 100.0 * 2.0 * self.secret_reads_per_ten_thousand / 10_000.0
    }

    /// One run of a function, whoever asks for it.
    fn run(&self, bill: &Bill, cold_percent: f64) -> Charges {
        let Units { read, write, .. } = bill.units;
        let table = read * self.dynamodb_read_units_per_million + write * self.dynamodb_write_units_per_million;
        Charges {
            lambda: self.lambda_requests_per_million / 1e6 + self.duration(billed_ms(bill, cold_percent)),
            table: table / 1e6,
            rest: LOG_KB / 1e6 * self.log_gb,
            ..Charges::default()
        }
    }

    /// One invocation behind the gateway.
    fn invocation(&self, bill: &Bill) -> Charges {
        let run = self.run(bill, COLD_PERCENT);
        let gateway = self.http_api_requests_per_million / 1e6;
        Charges { gateway, rest: run.rest + self.secret() + ANSWER_KB / 1e6 * self.transfer_out_gb, ..run }
    }

    /// A registration: the function, the mail and who sends it, the page behind the link, and the click.
    fn registration(&self, bills: &BTreeMap<&str, Bill>) -> anyhow::Result<Charges> {
        let registered = self.invocation(measured(bills, "register")?);
        // Streams are read for nothing by Lambda, and no gateway stands before this one. What waits for SES is billed too.
        let run = self.run(measured(bills, "send-mail")?, COLD_PERCENT);
        let lambda = run.lambda + self.duration(SES_MS);
        let sent = Charges { lambda, mail: self.ses_per_thousand / 1_000.0, rest: run.rest + self.secret(), ..run };
        let verify = measured(bills, "verify-email")?;
        // The page reads the challenge and then the profile.
        let page = self.invocation(&only_reading(verify, 2));
        Ok(registered.plus(sent).plus(page).plus(self.invocation(verify)))
    }

    /// What a month costs before anybody comes: the secret, the alarms and their metric, the runs of both schedules, and
    /// the requests to KMS. The database makes those every five minutes for each role that asks it, and each function has a
    /// role of its own. The rules that are the schedules cost nothing, nor does a queue where nothing comes.
    fn idle_month(&self, deployed: &Deployed, bills: &BTreeMap<&str, Bill>) -> anyhow::Result<f64> {
        let send_mail = only_reading(measured(bills, "send-mail")?, Shard::all().count());
        let erase_accounts = only_reading(measured(bills, "erase-accounts")?, 1);
        Ok(self.secret_month
            + float(deployed.alarms) * self.alarm_month
            + float(deployed.metrics) * self.metric_month
            + MINUTES * (self.run(&send_mail, COLD_PERCENT).sum() + self.secret())
            + HOURS * self.run(&erase_accounts, COLD_PERCENT_HOURLY).sum()
            + float(deployed.functions) * MINUTES / 5.0 * self.kms_requests_per_ten_thousand / 10_000.0)
    }
}

fn measured<'a>(bills: &'a BTreeMap<&str, Bill>, name: &str) -> anyhow::Result<&'a Bill> {
    bills.get(name).with_context(|| format!("{name} was not measured"))
}

/// A run that only reads, one small item or empty partition after the other. Its CPU time is taken to be that of a run which
/// does all that the function is for.
fn only_reading(whole: &Bill, reads: usize) -> Bill {
    let units = Units { round_trips: reads, read: float(reads), ..Units::default() };
    Bill { cpu_ms: whole.cpu_ms, units }
}

/// What Lambda bills on average: the processor's time, the waiting, and so much of a cold start.
fn billed_ms(bill: &Bill, cold_percent: f64) -> f64 {
    (bill.cpu_ms + float(bill.units.round_trips) * ROUND_TRIP_MS).ceil() + cold_percent / 100.0 * COLD_MS
}

/// What a million of each action costs, and a month of so many users beside Cognito.
pub(crate) fn compute(bills: &BTreeMap<&'static str, Bill>, bytes_per_user: f64) -> anyhow::Result<String> {
    let prices = Prices::read()?;
    let deployed = Deployed::of(&std::fs::read_to_string(root().join("template.yaml"))?);
    let mut costs: BTreeMap<&str, Charges> =
        bills.iter().map(|(name, bill)| (*name, prices.invocation(bill))).collect();
    costs.insert(REGISTRATION, prices.registration(bills)?);
    // Its gateway is that of somebody else's API, which also gets its answer, and it has no secret.
    costs.insert(AUTHORIZER, prices.run(measured(bills, AUTHORIZER)?, COLD_PERCENT));
    let cost = |name: &str| costs.get(name).with_context(|| format!("{name} was not measured"));

    let mut millions =
        Table::new(["a million of", "$", "Lambda", "gateway", "DynamoDB", "SES", "logs, secret, transfer"]);
    for (name, what) in [
        ("login", "sign-ins"),
        ("refresh", "refreshes"),
        (REGISTRATION, "registrations, with mail and click"),
        (AUTHORIZER, "checks by the authorizer"),
    ] {
        let cost = cost(name)?;
        let parts = [cost.sum(), cost.lambda, cost.gateway, cost.table, cost.mail, cost.rest];
        let [sum, lambda, gateway, table, mail, rest] = parts.map(|part| short(part * 1e6));
        millions.row([&what, &sum, &lambda, &gateway, &table, &mail, &rest]);
    }

    // With what is kept of a user, in the table and for its recovery.
    let mut active = bytes_per_user / 1e9 * (prices.dynamodb_gb_month + prices.dynamodb_recovery_gb_month);
    for (name, times) in HABITS {
        active += times * cost(name)?.sum();
    }
    let idle = prices.idle_month(&deployed, bills)?;
    let dollars = |figure: f64| format!("{figure:.2}");
    let mut months =
        Table::new(["monthly users", "Freehold, $", "Cognito Lite, $", "Cognito Essentials, $", "Cognito Plus, $"]);
    for users in [10_000.0, 100_000.0, 1_000_000.0] {
        let cognito = |plan: &str| prices.cognito.get(plan).map_or("-".to_owned(), |plan| dollars(plan.month(users)));
        let ours = dollars(idle + users * active);
        months.row([&users, &ours, &cognito("lite"), &cognito("essentials"), &cognito("plus")]);
    }
    let (millions, months) = (millions.text(), months.text());
    Ok(format!("{millions}\n{months}\n{inputs}", inputs = inputs(&prices, &deployed, idle, bytes_per_user)))
}

fn inputs(prices: &Prices, deployed: &Deployed, idle: f64, bytes_per_user: f64) -> String {
    let Prices { as_of, region, .. } = prices;
    let Deployed { functions, alarms, metrics } = deployed;
    let habits: Vec<String> = HABITS.iter().map(|(name, times)| format!("{times} × {name}")).collect();
    format!(
        "Prices: `prices.toml`, {region}, as of {as_of}. No free amounts are counted but Cognito's own.\n\n\
         - An invocation: request + billed ms × {MEMORY_GB:.3} GB × price (x86_64) + gateway + read units + write units \
         + logs + transfer of the answer + cold starts × 2 reads of the secret.\n\
         - Billed ms: CPU ms as measured here + round trips × their time, rounded up, + cold starts × their time.\n\
         - A check by the authorizer: without the gateway and the transfer, which the API that it protects has anyway, \
         and without the secret, which it does not read.\n\
         - A registration: `register`, `send-mail` with its wait for SES, SES's Essentials plan, the page behind the \
         link and the click.\n\
         - A month before anybody comes: ${idle:.2} for the secret, {alarms} alarms on metrics of which {metrics} is paid \
         for, {MINUTES} runs of `send-mail` with {shards} queries each, {HOURS} of `erase-accounts` with one, and requests \
         to KMS every five minutes for {functions} functions, as if all were always in use.\n\
         - Storage with point-in-time recovery: {bytes_per_user:.0} bytes for a user with one session.\n\
         - Assumed and not measured: a round trip to the table takes {ROUND_TRIP_MS} ms, and SES {SES_MS} ms for a mail; \
         {COLD_PERCENT} % of invocations are cold starts, and {COLD_PERCENT_HOURLY} % of the hourly ones, each of which \
         adds {COLD_MS} ms; an invocation logs {LOG_KB} KB, and an answer has {ANSWER_KB} KB; a run of a schedule that \
         finds nothing takes as much CPU time as one that does; and one user's month is {habits}.\n",
        shards = Shard::all().count(),
        habits = habits.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Action;

    #[test]
    fn tiers_count_the_free_users_within_their_bounds() {
        let cognito = Prices::read().unwrap().cognito;
        // Amazon's own example: 950,000 users on Lite.
        assert!((cognito["lite"].month(950_000.0) - 4_405.0).abs() < 0.001);
        assert!((cognito["essentials"].month(10_000.0)).abs() < 0.001);
        assert!((cognito["plus"].month(100_000.0) - 2_000.0).abs() < 0.001);
    }

    #[test]
    fn all_that_the_template_deploys_is_counted() {
        let template = std::fs::read_to_string(root().join("template.yaml")).unwrap();
        let deployed = Deployed::of(&template);
        assert_eq!(deployed.functions, Action::ALL.len());
        assert_eq!(deployed.alarms, template.matches("AlarmDescription:").count());
        assert_eq!(deployed.metrics, template.matches("MetricTransformations:").count());
    }

    #[test]
    fn an_idle_month_has_the_runs_of_both_schedules() {
        let prices = Prices::read().unwrap();
        let deployed = Deployed { functions: 2, alarms: 0, metrics: 0 };
        let month = |send_mail, erase_accounts| {
            let bill = |cpu_ms| Bill { cpu_ms, units: Units::default() };
            let bills = BTreeMap::from([("send-mail", bill(send_mail)), ("erase-accounts", bill(erase_accounts))]);
            prices.idle_month(&deployed, &bills).unwrap()
        };
        let (idle, second) = (month(1.0, 1.0), prices.duration(1_000.0));
        assert!((month(1_001.0, 1.0) - idle - 43_800.0 * second).abs() < 1e-6);
        assert!((month(1.0, 1_001.0) - idle - 730.0 * second).abs() < 1e-6);
    }
}
