//! The use cases: one file each, one list of sentences each.
//!
//! They are given out as boxes. The body of an `async fn` is compiled into whatever awaits it, so that each function would
//! compile the AWS SDK's calls anew; a box is compiled here, once.

pub mod authenticate;
pub mod cancel_registration;
pub mod challenge;
pub mod change_email;
pub mod change_password;
pub mod confirm_email;
mod current_password;
pub mod custom_login;
pub mod delete_account;
pub mod erase_accounts;
pub mod export;
pub mod forgot_password;
mod guessing;
mod issue_tokens;
pub mod issuer;
pub mod keep_account;
pub mod login;
pub mod logout;
mod migrate;
mod new_password;
pub mod refresh;
pub mod register;
pub mod resend_verification;
pub mod reset_password;
pub mod send_mail;
pub mod sessions;
pub mod sign_in;
pub mod undo_email_change;
pub mod update_profile;
pub mod verify_email;

/// How often a request looks again at something that changed while it looked.
const MAX_LOOKS: usize = 5;
/// How often one does that takes an account back: so often that a thief who ends sessions without pause, and so changes the
/// account, does not win each time.
const MAX_LOOKS_BESIDE_A_THIEF: usize = 20;

pub use authenticate::authenticate;
pub use cancel_registration::cancel_registration;
pub use change_email::change_email;
pub use change_password::{change_password, change_password_page};
pub use confirm_email::confirm_email;
pub use custom_login::{answer_challenge, begin_custom_login};
pub use delete_account::delete_account;
pub use erase_accounts::erase_accounts;
pub use export::export;
pub use forgot_password::forgot_password;
pub use issue_tokens::SessionToken;
pub use issuer::issuer;
pub use keep_account::keep_account;
pub use login::login;
pub use logout::logout;
pub use refresh::refresh;
pub use register::register;
pub use resend_verification::resend_verification;
pub use reset_password::reset_password;
pub use send_mail::drain;
pub use sessions::{end_other_sessions, end_session, sessions};
pub use undo_email_change::undo_email_change;
pub use update_profile::update_profile;
pub use verify_email::verify_email;
