//! Whether the time of an answer says that somebody has an account: Welch's t-test over interleaved requests.

use anyhow::ensure;
use serde_json::json;
use tests::Pool;

use crate::Effort;
use crate::events::{Action, set_body};
use crate::figures::{Table, float, mean, median, millis, short};
use crate::function::Function;

/// How many mails an hour an address is sent: a sixth request is another one, for anybody.
const PER_ADDRESS: u32 = 5;
/// How many requests about each of the two.
const REQUESTS: u32 = 1_000;
/// Of how many hundred times the shortest are compared. The longest are the machine's, and would hide a difference.
const COMPARED: usize = 95;

/// What was found: the greatest t of any action.
pub(crate) struct Timing {
    pub(crate) text: String,
    pub(crate) greatest_t: f64,
}

/// Asks about addresses that have an account and about others, in turn.
pub(crate) async fn measure(pool: &Pool, effort: Effort) -> anyhow::Result<Timing> {
    let requests = if effort.quick { REQUESTS / 20 } else { REQUESTS };
    let mut table = Table::new(["action", "known, ms", "unknown, ms", "known is slower by, ms", "Welch's t"]);
    let mut greatest_t: f64 = 0.0;
    for action in [Action::ForgotPassword, Action::ResendVerification] {
        eprintln!("timing: {}", action.function());
        pool.catch_up();
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for _ in 0..requests / PER_ADDRESS {
            // Of one kind, so that nothing but the account tells them apart.
            known.push(pool.address("somebody"));
            unknown.push(pool.address("somebody"));
        }
        for email in &known {
            if action == Action::ForgotPassword {
                pool.verified(email).await;
            } else {
                pool.register(email).await.assert_status(201);
            }
        }
        let mut function = Function::start(action.function(), pool.local().environment()).await?;
        ask(&mut function, action, &pool.address("warm")).await?;
        let (mut of_known, mut of_unknown) = (Vec::new(), Vec::new());
        for number in 0..PER_ADDRESS {
            for (index, (known, unknown)) in known.iter().zip(&unknown).enumerate() {
                // Neither always comes first.
                if (index + number as usize).is_multiple_of(2) {
                    of_known.push(ask(&mut function, action, known).await?);
                    of_unknown.push(ask(&mut function, action, unknown).await?);
                } else {
                    of_unknown.push(ask(&mut function, action, unknown).await?);
                    of_known.push(ask(&mut function, action, known).await?);
                }
            }
        }
        function.stop().await?;
        let Difference { of_means, standard_error } = Difference::between(&shortest(&of_known), &shortest(&of_unknown));
        let t = (of_means / standard_error).abs();
        greatest_t = greatest_t.max(t);
        let (least, greatest) = (of_means - 2.0 * standard_error, of_means + 2.0 * standard_error);
        let slower = format!("{} ({} to {})", short(of_means), short(least), short(greatest));
        table.row([&action.function(), &short(median(of_known)), &short(median(of_unknown)), &slower, &short(t)]);
    }
    let text =
        format!("{}\n{requests} requests about each; two standard errors around the difference.\n", table.text());
    Ok(Timing { text, greatest_t })
}

async fn ask(function: &mut Function, action: Action, email: &str) -> anyhow::Result<f64> {
    let mut event = action.recorded()?;
    set_body(&mut event, &json!({"email": email}));
    let invocation = function.invoke(&event).await?;
    ensure!(action.is_done(&invocation.answer), "{action:?}: {}", invocation.answer);
    Ok(millis(invocation.wall))
}

fn shortest(times: &[f64]) -> Vec<f64> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.truncate(times.len() * COMPARED / 100);
    times
}

/// A difference of two means. Divided by its standard error it is Welch's t.
struct Difference {
    of_means: f64,
    standard_error: f64,
}

impl Difference {
    fn between(one: &[f64], other: &[f64]) -> Self {
        let error = |figures: &[f64]| {
            let (mean, count) = (mean(figures.iter().copied()), float(figures.len()));
            let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
            squares / (count - 1.0) / count
        };
        Self {
            of_means: mean(one.iter().copied()) - mean(other.iter().copied()),
            standard_error: (error(one) + error(other)).sqrt(),
        }
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn the_standard_error_is_that_of_both_means() {
        // Means 3 and 4, variances 2.5 and 2.5, five each: sqrt(0.5 + 0.5).
        let difference = Difference::between(&[1.0, 2.0, 3.0, 4.0, 5.0], &[2.0, 3.0, 4.0, 5.0, 6.0]);
        assert!((difference.of_means + 1.0).abs() < 1e-9);
        assert!((difference.standard_error - 1.0).abs() < 1e-9);
    }
}
