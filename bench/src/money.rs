//! What it costs in AWS: list prices times what was counted and measured here.

use std::collections::BTreeMap;

use ::tests::root;
use anyhow::Context as _;
use serde::Deserialize;

use crate::figures::{Table, short};
use crate::invocations::Bill;

/// What a function has by the template's default: one processor.
const MEMORY_GB: f64 = 1_769.0 / 1_024.0;
/// How long a request to DynamoDB takes from a function in the same region, which cannot be measured here.
const ROUND_TRIP_MS: f64 = 5.0;
/// How many invocations of a hundred start a container, and what that adds: the start, two reads of the secret, and the first
/// TLS handshakes.
const COLD_PERCENT: f64 = 1.0;
const COLD_MS: f64 = 200.0;
/// What Lambda and the gateway log of a request, and what goes out with an answer.
const LOG_KB: f64 = 0.8;
const ANSWER_KB: f64 = 2.0;
/// Minutes, and thereby runs of the schedule, in a month of 730 hours.
const MINUTES: f64 = 43_800.0;
const SHARDS: f64 = 16.0;
const ALARMS: f64 = 6.0;

/// What one monthly active user does.
const HABITS: [(&str, f64); 5] =
    [("login", 4.0), ("refresh", 60.0), ("authorizer", 60.0), ("logout", 1.0), (REGISTRATION, 0.1)];
/// A registration with its mail and the click in it.
const REGISTRATION: &str = "registration";

#[derive(Deserialize)]
struct Prices {
    as_of: String,
    region: String,
    lambda: Lambda,
    http_api: PerMillion,
    dynamodb: DynamoDb,
    ses: Ses,
    cloudwatch: CloudWatch,
    secrets_manager: SecretsManager,
    kms: Kms,
    data_transfer: DataTransfer,
    cognito: BTreeMap<String, Cognito>,
}

#[derive(Deserialize)]
struct Lambda {
    requests_per_million: f64,
    gb_second_x86_64: f64,
}

#[derive(Deserialize)]
struct PerMillion {
    requests_per_million: f64,
}

#[derive(Deserialize)]
struct DynamoDb {
    read_units_per_million: f64,
    write_units_per_million: f64,
    storage_gb_month: f64,
    point_in_time_recovery_gb_month: f64,
}

#[derive(Deserialize)]
struct Ses {
    essentials: Mail,
}

#[derive(Deserialize)]
struct Mail {
    tiers: Vec<MailTier>,
}

#[derive(Deserialize)]
struct MailTier {
    per_thousand: f64,
}

#[derive(Deserialize)]
struct CloudWatch {
    log_ingestion_gb: f64,
    alarm_month: f64,
    metric_month: f64,
}

#[derive(Deserialize)]
struct SecretsManager {
    secret_month: f64,
    calls_per_ten_thousand: f64,
}

#[derive(Deserialize)]
struct Kms {
    requests_per_ten_thousand: f64,
}

#[derive(Deserialize)]
struct DataTransfer {
    out_gb: f64,
}

#[derive(Deserialize)]
struct Cognito {
    free_users: f64,
    tiers: Vec<UserTier>,
}

#[derive(Deserialize)]
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

/// What one invocation costs, by where the money goes, in dollars.
#[derive(Clone, Copy, Default)]
struct Cost {
    lambda: f64,
    gateway: f64,
    table: f64,
    mail: f64,
    rest: f64,
}

impl Cost {
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

    /// One invocation behind the gateway.
    fn invocation(&self, bill: &Bill) -> Cost {
        let cold = COLD_PERCENT / 100.0;
        let gigabyte = 1_000_000.0;
        let secret = cold * 2.0 * self.secrets_manager.calls_per_ten_thousand / 10_000.0;
        Cost {
            lambda: self.lambda.requests_per_million / 1e6
                + billed_ms(bill) / 1_000.0 * MEMORY_GB * self.lambda.gb_second_x86_64,
            gateway: self.http_api.requests_per_million / 1e6,
            table: self.units(bill.units.read, bill.units.write),
            mail: 0.0,
            rest: secret
                + LOG_KB / gigabyte * self.cloudwatch.log_ingestion_gb
                + ANSWER_KB / gigabyte * self.data_transfer.out_gb,
        }
    }

    fn units(&self, read: f64, write: f64) -> f64 {
        (read * self.dynamodb.read_units_per_million + write * self.dynamodb.write_units_per_million) / 1e6
    }

    /// A registration: the function, the mail and who sends it, the page behind the link, and the click.
    fn registration(&self, bills: &BTreeMap<&str, Bill>) -> anyhow::Result<Cost> {
        let bill = |name: &str| bills.get(name).with_context(|| format!("{name} was not measured"));
        let page = Cost { table: 0.0, ..self.invocation(bill("verify-email")?) };
        let per_mail = self.ses.essentials.tiers.first().context("SES has a price")?.per_thousand / 1_000.0;
        // Streams are read for nothing by Lambda, and no gateway stands before this one.
        let sender = Cost { gateway: 0.0, mail: per_mail, ..self.invocation(bill("send-mail")?) };
        let (registered, verified) = (self.invocation(bill("register")?), self.invocation(bill("verify-email")?));
        Ok(registered.plus(sender).plus(page).plus(verified))
    }

    /// What a month costs before anybody comes: the secret, the alarms and their metric, the schedule, and the requests to
    /// KMS of 11 functions that ask again every five minutes.
    fn idle_month(&self, send_mail: &Bill) -> f64 {
        let run = (self.lambda.requests_per_million / 1e6)
            + (send_mail.cpu_ms + SHARDS * ROUND_TRIP_MS) / 1_000.0 * MEMORY_GB * self.lambda.gb_second_x86_64
            + self.units(SHARDS, 0.0);
        self.secrets_manager.secret_month
            + ALARMS * self.cloudwatch.alarm_month
            + self.cloudwatch.metric_month
            + MINUTES * run
            + 11.0 * MINUTES / 5.0 * self.kms.requests_per_ten_thousand / 10_000.0
    }

    fn storage_month(&self, bytes: f64) -> f64 {
        bytes / 1e9 * (self.dynamodb.storage_gb_month + self.dynamodb.point_in_time_recovery_gb_month)
    }
}

/// What Lambda bills on average: the processor's time, the waiting, and a hundredth of a cold start.
fn billed_ms(bill: &Bill) -> f64 {
    let trips: u32 = u32::try_from(bill.units.round_trips).unwrap_or(u32::MAX);
    (bill.cpu_ms + f64::from(trips) * ROUND_TRIP_MS).ceil() + COLD_PERCENT / 100.0 * COLD_MS
}

/// What a million of each action costs, and a month of so many users beside Cognito.
pub(crate) fn compute(bills: &BTreeMap<&'static str, Bill>, bytes_per_user: f64) -> anyhow::Result<String> {
    let prices = Prices::read()?;
    let mut costs: BTreeMap<&str, Cost> = bills.iter().map(|(name, bill)| (*name, prices.invocation(bill))).collect();
    costs.insert(REGISTRATION, prices.registration(bills)?);
    let cost = |name: &str| costs.get(name).with_context(|| format!("{name} was not measured"));

    let mut millions =
        Table::new(["a million of", "$", "Lambda", "gateway", "DynamoDB", "SES", "logs, secret, transfer"]);
    for (name, what) in [
        ("login", "sign-ins"),
        ("refresh", "refreshes"),
        (REGISTRATION, "registrations, with mail and click"),
        ("authorizer", "checks by the authorizer"),
    ] {
        let cost = cost(name)?;
        let dollars = |figure: f64| short(figure * 1e6);
        millions.row([
            &what,
            &dollars(cost.sum()),
            &dollars(cost.lambda),
            &dollars(cost.gateway),
            &dollars(cost.table),
            &dollars(cost.mail),
            &dollars(cost.rest),
        ]);
    }

    let mut active = 0.0;
    for (name, times) in HABITS {
        // The authorizer stands behind a gateway that somebody else's API has anyway.
        let cost = cost(name)?;
        let own_gateway = if name == "authorizer" { cost.gateway } else { 0.0 };
        active += times * (cost.sum() - own_gateway);
    }
    let idle = prices.idle_month(bills.get("send-mail").context("send-mail was not measured")?);
    let mut months =
        Table::new(["monthly users", "Freehold, $", "Cognito Lite, $", "Cognito Essentials, $", "Cognito Plus, $"]);
    for users in [10_000.0, 100_000.0, 1_000_000.0] {
        let ours = idle + users * active + prices.storage_month(users * bytes_per_user);
        let cognito = |plan: &str| prices.cognito.get(plan).map_or("-".to_owned(), |plan| dollars(plan.month(users)));
        months.row([&users, &dollars(ours), &cognito("lite"), &cognito("essentials"), &cognito("plus")]);
    }
    Ok(format!(
        "{millions}\n{months}\n{inputs}",
        millions = millions.text(),
        months = months.text(),
        inputs = inputs(&prices, idle, bytes_per_user)
    ))
}

fn dollars(figure: f64) -> String {
    format!("{figure:.2}")
}

fn inputs(prices: &Prices, idle: f64, bytes_per_user: f64) -> String {
    let habits: Vec<String> = HABITS.iter().map(|(name, times)| format!("{times} × {name}")).collect();
    format!(
        "Prices: `prices.toml`, {region}, as of {as_of}. No free amounts are counted but Cognito's own.\n\n\
         - An invocation: request + billed ms × {MEMORY_GB:.3} GB × price (x86_64) + gateway + read units + write units + \
         {LOG_KB} KB of logs + {ANSWER_KB} KB out + {COLD_PERCENT} % × 2 reads of the secret.\n\
         - Billed ms: CPU ms as measured here + round trips × {ROUND_TRIP_MS} ms, rounded up, + {COLD_PERCENT} % × {COLD_MS} ms of \
         a cold start. The {ROUND_TRIP_MS} ms and the {COLD_MS} ms are assumptions.\n\
         - A registration: `register`, `send-mail` and SES's Essentials plan, the page behind the link and the click.\n\
         - A month of one user: {habits}; the gateway of the API that the authorizer protects is not counted.\n\
         - A month before anybody comes: ${idle:.2} for the secret, {ALARMS} alarms and a metric, {MINUTES} runs of the schedule, and \
         KMS.\n\
         - Storage with point-in-time recovery: {bytes_per_user:.0} bytes for a user with one session.\n",
        region = prices.region,
        as_of = prices.as_of,
        habits = habits.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_count_the_free_users_within_their_bounds() {
        let cognito = Prices::read().unwrap().cognito;
        // Amazon's own example: 950,000 users on Lite.
        assert!((cognito["lite"].month(950_000.0) - 4_405.0).abs() < 0.001);
        assert!((cognito["essentials"].month(10_000.0)).abs() < 0.001);
        assert!((cognito["plus"].month(100_000.0) - 2_000.0).abs() < 0.001);
    }
}
