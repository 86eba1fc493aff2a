//! What a user pool is: types that cannot be wrong, and the rules between them. No I/O, no AWS, no HTTP.
//!
//! - [`id`], [`email`], [`name`], [`password`], [`public_url`]: what comes from outside, parsed once at the edge.
//! - [`user`], [`attributes`], [`session`], [`challenge`], [`mail`]: what a pool keeps, and how it changes.
//! - [`refresh_token`], [`access_token`], [`envelope`]: what is handed out or sealed, and for whom.
//! - [`password_policy`], [`guessing`]: which passwords people may choose, and how often one may be guessed at.
//! - [`language`], [`appearance`]: how mail is written, and how it looks.
//! - [`settings`]: what an owner may choose for a pool.
//! - [`trigger`], [`conversation`], [`token_customization`]: where the owner's own functions have a say, and how far it goes.
//! - [`time`]: the one notion of time.
//! - [`error`]: everything that can be refused or fail, each with its stable code.

pub mod access_token;
pub mod appearance;
pub mod attributes;
pub mod challenge;
pub mod conversation;
pub mod email;
pub mod envelope;
pub mod error;
pub mod guessing;
pub mod id;
pub mod language;
pub mod mail;
pub mod name;
pub mod password;
pub mod password_policy;
pub mod public_url;
pub mod refresh_token;
pub mod session;
pub mod settings;
pub mod time;
pub mod token_customization;
pub mod trigger;
pub mod user;

pub use error::{Error, FieldError};
pub use id::{MailId, PoolId, SessionId, StepId, UserId};
pub use time::Timestamp;
