//! Hands mail over to SES. It has two doors: the table's stream, which says where new mail lies, and a schedule, which looks
//! for whatever else is due.

use std::collections::BTreeSet;

use freehold_domain::mail::Shard;
use freehold_domain::{Error, Timestamp};
use freehold_service::flow::send_mail::shard_of;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde_json::{Value, json};

/// Answers an event. No record is ever reported as failed: what could not be sent waits in the table for the schedule.
pub fn handle(app: &App, event: Value) -> BoxFuture<'_, Result<Value, Error>> {
    Box::pin(async move {
        let mut result = Ok(json!({"batchItemFailures": []}));
        let mut oldest = None;
        // A shard that cannot be read does not hold up the others, and its error is what Lambda counts.
        for shard in shards(app, &event) {
            match flow::drain(app, shard).await {
                Ok(waiting) => oldest = [oldest, waiting].into_iter().flatten().min(),
                Err(error) => result = Err(error),
            }
        }
        if event.get("Records").is_none() {
            measure(app.clock.now(), oldest);
        }
        result
    })
}

/// Says how long mail waits. The template makes a metric of this line, whose alarm takes silence for trouble: it is written
/// at every run of the schedule and whatever the log level.
fn measure(now: Timestamp, oldest: Option<Timestamp>) {
    let age = oldest.map_or(0, |oldest| now.since(oldest).as_secs());
    tracing::info!(target: "metric", oldest_unsent_mail_seconds = age);
}

/// The shards that an event is about: those of a stream's records, or all.
fn shards(app: &App, event: &Value) -> BTreeSet<Shard> {
    let Some(records) = event.get("Records").and_then(Value::as_array) else { return Shard::all().collect() };
    let partitions = records.iter().filter_map(|record| record.pointer("/dynamodb/Keys/pk/S")?.as_str());
    partitions.filter_map(|pk| shard_of(app, pk)).collect()
}
