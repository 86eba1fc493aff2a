//! `POST /register`: signs up.

use std::collections::BTreeMap;

use freehold_domain::Error;
use freehold_domain::password::ChosenPassword;
use freehold_domain::trigger::Metadata;
use freehold_http::attributes::WireChanges;
use freehold_http::{Body, Request, Response, StatusCode, answer, body, caller};
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
    validation_data: Option<BTreeMap<String, String>>,
    client_metadata: Option<BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct Registered {
    user_id: String,
    user_confirmed: bool,
    message: &'static str,
}

/// Every field that is wrong is named, not the first one alone.
fn complete(wire: Wire, request: &Request) -> Result<Input, Error> {
    let email = body::email("email", wire.email.as_deref());
    let password = ChosenPassword::read("password", wire.password.as_deref());
    let name = wire.name.as_deref().map(body::name).transpose();
    match (email, password, name) {
        (Ok(email), Ok(password), Ok(name)) => {
            let attributes = wire.attributes.unwrap_or_default().into();
            let validation_data = wire.validation_data.map(Metadata::new);
            let caller = caller(request, wire.client_metadata);
            Ok(Input { email, password, name, attributes, caller, validation_data })
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
    let input = complete(body::json(request)?, request)?;
    let registered = flow::register(app, input).await?;
    let (user_id, user_confirmed) = (registered.id.to_string(), registered.is_confirmed);
    let message = if user_confirmed {
        "The account can be signed in to."
    } else {
        "The account waits for its address to be verified: open the link in the mail."
    };
    answer::json(StatusCode::CREATED, &Registered { user_id, user_confirmed, message })
}
