//! What a user pool does.
//!
//! - [`flow`]: one file per use case, a list of sentences over what follows.
//! - [`store`]: the DynamoDB table. Its conditional writes are the security.
//! - [`mail`]: what a mail says, and handing it to SES.
//! - [`triggers`]: the owner's own functions, called as Cognito calls its Lambda triggers.
//! - [`App`]: what a function keeps between requests: clients, the secret, the hashing memory and cached settings.
//! - [`Environment`] and [`Config`]: what a process starts from.

mod app;
mod breached_passwords;
mod clock;
mod config;
pub mod flow;
mod hashing;
pub mod mail;
mod secrets;
mod settings;
pub mod store;
pub mod triggers;

pub use app::{App, Environment};
pub use clock::Clock;
pub use config::{Config, StartError};
