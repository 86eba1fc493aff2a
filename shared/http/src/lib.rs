//! The edge: the only crate that knows how clients speak.
//!
//! - [`serve()`] and [`serve_events`]: what a function's `main` calls.
//! - [`body`], [`attributes`], [`challenge_answer`], [`credentials`], [`site`], [`device()`], [`language()`],
//!   [`caller()`]: reading a request.
//! - [`answer`], [`tokens`], [`page`], [`problem`], [`session_cookie`]: writing a response.

pub mod answer;
pub mod attributes;
pub mod body;
mod caller;
pub mod challenge_answer;
pub mod credentials;
mod device;
mod language;
pub mod page;
pub mod problem;
mod response;
mod serve;
pub mod session_cookie;
pub mod site;
pub mod tokens;

pub use caller::caller;
pub use device::device;
pub use lambda_http::http::StatusCode;
pub use lambda_http::{Body, Request, RequestExt, Response};
pub use language::language;
pub use serve::{Assemble, EventHandler, Handler, serve, serve_events};
