//! `POST /password/change`: sets another password for whoever is signed in and knows the old one. `GET
//! /.well-known/change-password`: where a person does that.

use freehold_domain::Error;
use freehold_domain::password::{ChosenPassword, Password};
use freehold_http::credentials::bearer;
use freehold_http::tokens::{self, TokenIn};
use freehold_http::{Body, Request, Response, answer, body, language};
use freehold_service::flow::change_password::Input;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::Deserialize;

#[derive(Deserialize)]
struct Wire {
    current_password: Option<String>,
    new_password: Option<String>,
}

fn complete(Wire { current_password, new_password }: Wire) -> Result<(Password, ChosenPassword), Error> {
    let new = ChosenPassword::read("new_password", new_password.as_deref());
    match (body::current_password(current_password), new) {
        // A password that no account can have is refused like one that the account does not have.
        (Ok(current), Ok(new)) => Ok((Password::attempt(&current).ok_or(Error::InvalidCredentials)?, new)),
        (current, new) => Err(Error::InvalidFields([current.err(), new.err()].into_iter().flatten().collect())),
    }
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move {
        answer::of(if request.method() == "GET" { send_on(app).await } else { change(app, &request).await })
    })
}

/// The front end's page is a setting of the pool (W3C, "A Well-Known URL for Changing Passwords").
async fn send_on(app: &App) -> Result<Response<Body>, Error> {
    answer::redirect(&flow::change_password_page(app).await?)
}

async fn change(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let (current_password, new_password) = complete(body::json(request)?)?;
    let input = Input { current_password, new_password, language: language(request) };
    let bearer = bearer(request).ok_or(Error::InvalidAccessToken)?;
    let access_token = flow::change_password(app, bearer, input).await?;
    tokens::answer(access_token, None, TokenIn::Cookie)
}
