use std::collections::BTreeMap;

use freehold_domain::Error;
use freehold_domain::error::{FieldCode, FieldError};
use freehold_domain::trigger::Metadata;
use freehold_http::tokens::{self, TokenIn};
use freehold_http::{Body, Request, Response, StatusCode, answer, body, device, site};
use freehold_service::flow::custom_login::{Answer, Asked, Turn};
use freehold_service::{App, flow};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Wire {
    session: Option<String>,
    answer: Option<String>,
    token_in: Option<String>,
    client_metadata: Option<BTreeMap<String, String>>,
}

/// What the client is asked, and what it sends back with the answer.
#[derive(Serialize)]
struct WireAsked<'a> {
    challenge: &'static str,
    session: &'a str,
    parameters: &'a BTreeMap<String, String>,
}

pub(crate) async fn challenge(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    site::check(request, &app.config)?;
    let Wire { session, answer, token_in, client_metadata } = body::json(request)?;
    let missing = || FieldError::new("answer", FieldCode::InvalidAnswer, "This field is missing.");
    let (answer, token_in) = match (answer.ok_or_else(missing), TokenIn::read(token_in.as_deref())) {
        (Ok(answer), Ok(token_in)) => (answer, token_in),
        (answer, token_in) => {
            return Err(Error::InvalidFields([answer.err(), token_in.err()].into_iter().flatten().collect()));
        }
    };
    if token_in == TokenIn::Body {
        site::refuse_browsers(request)?;
    }
    let session = session.ok_or(Error::InvalidSession)?;
    let client_metadata = client_metadata.map(Metadata::new);
    let turn =
        flow::answer_challenge(app, Answer { session, answer, device: device(request), client_metadata }).await?;
    answer_of(turn, token_in)
}

/// What becomes of a step: tokens, or another question.
pub(crate) fn answer_of(turn: Turn, token_in: TokenIn) -> Result<Response<Body>, Error> {
    match turn {
        Turn::SignedIn(signed_in) => tokens::answer(signed_in.access_token, Some(&signed_in.session_token), token_in),
        Turn::Asked(Asked { challenge, session, parameters }) => {
            let asked = WireAsked { challenge: challenge.as_str(), session: &session, parameters: &parameters };
            answer::json(StatusCode::OK, &asked)
        }
    }
}
