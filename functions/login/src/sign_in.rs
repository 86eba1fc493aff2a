use std::collections::BTreeMap;

use freehold_domain::Error;
use freehold_domain::email::Email;
use freehold_domain::error::{FieldCode, FieldError};
use freehold_domain::password::Password;
use freehold_domain::trigger::Metadata;
use freehold_http::tokens::{self, TokenIn};
use freehold_http::{Body, Request, Response, body, device, site};
use freehold_service::flow::{custom_login, login};
use freehold_service::{App, flow};
use serde::Deserialize;

use crate::challenge;

#[derive(Deserialize)]
struct Wire {
    email: Option<String>,
    password: Option<String>,
    flow: Option<String>,
    token_in: Option<String>,
    client_metadata: Option<BTreeMap<String, String>>,
}

/// How somebody signs in.
enum Way {
    /// With the password.
    Password(String),
    /// By a conversation with the owner's functions, into which a password may be brought along.
    Custom(Option<String>),
}

/// What is asked for, complete, with the address as it was typed.
struct Complete {
    email: String,
    way: Way,
    token_in: TokenIn,
    /// In Cognito's words the client metadata of the first request are validation data, and reach no other triggers.
    validation_data: Option<Metadata>,
}

pub(crate) async fn sign_in(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    site::check(request, &app.config)?;
    let Complete { email, way, token_in, validation_data } = complete(body::json(request)?)?;
    if token_in == TokenIn::Body {
        site::refuse_browsers(request)?;
    }
    // An address or a password that no account can have is refused like one that none happens to have.
    let email = Email::parse(&email).ok_or(Error::InvalidCredentials)?;
    let possible = |password: &String| Password::attempt(password).ok_or(Error::InvalidCredentials);
    let device = device(request);
    match way {
        Way::Password(password) => {
            let input = login::Input { email, password: possible(&password)?, device, validation_data };
            let signed_in = flow::login(app, input).await?;
            tokens::answer(signed_in.access_token, Some(&signed_in.session_token), token_in)
        }
        Way::Custom(password) => {
            let password = password.as_ref().map(possible).transpose()?;
            let input = custom_login::Input { email, password, device, validation_data };
            challenge::answer_of(flow::begin_custom_login(app, input).await?, token_in)
        }
    }
}

fn complete(wire: Wire) -> Result<Complete, Error> {
    let missing = |field, code| FieldError::new(field, code, "This field is missing.");
    let email = wire.email.ok_or_else(|| missing("email", FieldCode::InvalidEmail));
    let way = match wire.flow.as_deref() {
        None | Some("password") => {
            wire.password.map(Way::Password).ok_or_else(|| missing("password", FieldCode::InvalidPassword))
        }
        Some("custom") => Ok(Way::Custom(wire.password)),
        Some(_) => Err(FieldError::new("flow", FieldCode::InvalidFlow, "It is \"password\" or \"custom\".")),
    };
    match (email, way, TokenIn::read(wire.token_in.as_deref())) {
        (Ok(email), Ok(way), Ok(token_in)) => {
            Ok(Complete { email, way, token_in, validation_data: wire.client_metadata.map(Metadata::new) })
        }
        (email, way, token_in) => {
            let errors = [email.err(), way.err(), token_in.err()];
            Err(Error::InvalidFields(errors.into_iter().flatten().collect()))
        }
    }
}
