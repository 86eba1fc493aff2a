//! What the end-to-end cases stand on.
//!
//! - [`Pool`]: a user pool to talk to over HTTP: one in this process, or a deployed one.
//! - [`Answer`]: an answer, which was held against `openapi.yaml` before a case saw it.
//! - [`Proxy`]: what stands before the database, counts and times what comes by, and makes it fail.
//! - [`Triggers`]: functions of a pool's owner, called as Lambda calls them.
//! - [`RuntimeApi`]: what a compiled function asks for events.
//!
//! `FREEHOLD_URL` runs the cases against a deployed stage, with `FREEHOLD_MAIL` naming its mailbox, and skips, saying so, the
//! ones that need what it does not have. `FREEHOLD_DYNAMODB` puts the pools of this process on another DynamoDB.

mod answer;
mod clock;
mod compiled;
mod contract;
mod pool;
mod proxy;
mod round_trips;
mod runtime_api;
mod table;
mod triggers;

pub use answer::{Answer, claims};
pub use clock::TestClock;
pub use compiled::compiled;
pub use contract::{check, operations, root};
pub use pool::{APP, Link, Need, PASSWORD, Pool, SignedIn, crashes};
pub use proxy::{Fault, Passed, Proxy, is_read};
pub use runtime_api::{Answered, RuntimeApi};
pub use table::Table;
pub use triggers::{Reply, Triggers};
