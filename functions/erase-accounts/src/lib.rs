//! Deletes the accounts whose time has come. A schedule runs it, and what it is told does not matter.

use freehold_domain::Error;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde_json::{Value, json};

/// Answers an event: how many accounts there are of which nothing is left.
pub fn handle(app: &App, _event: Value) -> BoxFuture<'_, Result<Value, Error>> {
    Box::pin(async move { Ok(json!({"erased": flow::erase_accounts(app).await?})) })
}
