//! Which code a function's folder holds. Which requests it gets, the template says.

use freehold_http::Handler;

/// The handler of the function in a folder under `functions/` that HTTP requests lead to.
pub(crate) fn handler(folder: &str) -> Option<Handler> {
    Some(match folder {
        "cancel-registration" => cancel_registration::handle,
        "change-email" => change_email::handle,
        "change-password" => change_password::handle,
        "delete-account" => delete_account::handle,
        "forgot-password" => forgot_password::handle,
        "issuer" => issuer::handle,
        "login" => login::handle,
        "logout" => logout::handle,
        "me" => me::handle,
        "refresh" => refresh::handle,
        "register" => register::handle,
        "resend-verification" => resend_verification::handle,
        "reset-password" => reset_password::handle,
        "sessions" => sessions::handle,
        "verify-email" => verify_email::handle,
        _ => return None,
    })
}
