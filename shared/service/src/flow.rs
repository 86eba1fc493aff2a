//! The use cases: one file each, one list of sentences each.
//!
//! They are given out as boxes. The body of an `async fn` is compiled into whatever awaits it, so that each function would
//! compile the AWS SDK's calls anew; a box is compiled here, once.

pub mod authenticate;
pub mod cancel_registration;
pub mod challenge;
pub mod change_password;
pub mod forgot_password;
mod guessing;
mod issue_tokens;
pub mod issuer;
pub mod login;
pub mod logout;
mod new_password;
pub mod refresh;
pub mod register;
pub mod resend_verification;
pub mod reset_password;
pub mod send_mail;
pub mod sessions;
pub mod verify_email;

pub use authenticate::authenticate;
pub use cancel_registration::cancel_registration;
pub use change_password::change_password;
pub use forgot_password::forgot_password;
pub use issue_tokens::SessionToken;
pub use issuer::issuer;
pub use login::login;
pub use logout::logout;
pub use refresh::refresh;
pub use register::register;
pub use resend_verification::resend_verification;
pub use reset_password::reset_password;
pub use send_mail::drain;
pub use sessions::{end_other_sessions, end_session, sessions};
pub use verify_email::verify_email;
