//! `POST /register`: signs up.

use freehold_domain::Error;
use freehold_domain::language::Language;
use freehold_domain::password::ChosenPassword;
use freehold_http::attributes::WireChanges;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, language};
use freehold_service::flow::register::Input;
use freehold_service::{App, flow};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Wire {
    email: Option<String>,
    password: Option<String>,
    name: Option<String>,
    attributes: Option<WireChanges>,
}

#[derive(Serialize)]
struct Registered {
    user_id: String,
    message: &'static str,
}

/// Every field that is wrong is named, not the first one alone.
fn complete(wire: Wire, language: Option<Language>) -> Result<Input, Error> {
    let email = body::email("email", wire.email.as_deref());
    let password = ChosenPassword::read("password", wire.password.as_deref());
    let name = wire.name.as_deref().map(body::name).transpose();
    match (email, password, name) {
        (Ok(email), Ok(password), Ok(name)) => {
            Ok(Input { email, password, name, attributes: wire.attributes.unwrap_or_default().into(), language })
        }
        (email, password, name) => {
            let errors = [email.err(), password.err(), name.err()];
            Err(Error::InvalidFields(errors.into_iter().flatten().collect()))
        }
    }
}

/// Answers a request.
pub fn handle(app: &App, request: Request) -> BoxFuture<'_, Response<Body>> {
    Box::pin(async move { answer::of(register(app, &request).await) })
}

async fn register(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let input = complete(body::json(request)?, language(request))?;
    let user = flow::register(app, input).await?;
    let message = "The account waits for its address to be verified: open the link in the mail.";
    answer::json(StatusCode::CREATED, &Registered { user_id: user.to_string(), message })
}
