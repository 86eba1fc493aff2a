use std::collections::BTreeMap;

use freehold_domain::Error;
use freehold_domain::email::Email;
use freehold_domain::password::Password;
use freehold_http::credentials::bearer;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, caller};
use freehold_service::flow::change_email::Input;
use freehold_service::{App, flow};
use serde::Deserialize;

#[derive(Deserialize)]
struct Wire {
    new_email: Option<String>,
    current_password: Option<String>,
    client_metadata: Option<BTreeMap<String, String>>,
}

fn complete(new_email: Option<&str>, current_password: Option<String>) -> Result<(Email, Password), Error> {
    match (body::email("new_email", new_email), body::current_password(current_password)) {
        // A password that no account can have is refused like one that the account does not have.
        (Ok(email), Ok(current)) => Ok((email, Password::attempt(&current).ok_or(Error::InvalidCredentials)?)),
        (email, current) => Err(Error::InvalidFields([email.err(), current.err()].into_iter().flatten().collect())),
    }
}

pub(crate) async fn ask(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { new_email, current_password, client_metadata } = body::json(request)?;
    let (new_email, current_password) = complete(new_email.as_deref(), current_password)?;
    let input = Input { new_email, current_password, caller: caller(request, client_metadata) };
    flow::change_email(app, bearer(request).ok_or(Error::InvalidAccessToken)?, input).await?;
    answer::message(StatusCode::ACCEPTED, "The address is changed once the mail that goes there is answered.")
}
