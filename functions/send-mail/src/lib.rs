//! Hands mail over to SES. It has two doors: the table's stream, which says where new mail lies, and a schedule, which looks
//! for whatever else is due.

use std::collections::BTreeSet;

use freehold_domain::Error;
use freehold_domain::mail::Shard;
use freehold_service::flow::send_mail::shard_of;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde_json::{Value, json};

/// Answers an event. No record is ever reported as failed: what could not be sent waits in the table for the schedule.
pub fn handle(app: &App, event: Value) -> BoxFuture<'_, Result<Value, Error>> {
    Box::pin(async move {
        let mut result = Ok(json!({"batchItemFailures": []}));
        // A shard that cannot be read does not hold up the others, and its error is what Lambda counts.
        for shard in shards(app, &event) {
            if let Err(error) = flow::drain(app, shard).await {
                result = Err(error);
            }
        }
        result
    })
}

/// The shards that an event is about: those of a stream's records, or all.
fn shards(app: &App, event: &Value) -> BTreeSet<Shard> {
    let Some(records) = event.get("Records").and_then(Value::as_array) else { return Shard::all().collect() };
    let partitions = records.iter().filter_map(|record| record.pointer("/dynamodb/Keys/pk/S")?.as_str());
    partitions.filter_map(|pk| shard_of(app, pk)).collect()
}
