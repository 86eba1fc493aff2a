use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::error::FieldError;
use freehold_domain::password::ChosenPassword;
use freehold_http::page::{self, Page};
use freehold_http::{Body, Request, Response, StatusCode, answer, body, challenge_answer, language};
use freehold_service::flow::challenge::{Answer, Link, linked_challenge};
use freehold_service::{App, flow};
use serde::Deserialize;

const PURPOSE: Purpose = Purpose::ResetPassword;
const FIELD: &str = "new_password";

#[derive(Deserialize)]
struct Wire {
    user_id: Option<String>,
    token: Option<String>,
    email: Option<String>,
    code: Option<String>,
    new_password: Option<String>,
}

/// The page asks for a password and does nothing by itself: programs that scan mail open every link.
pub(crate) async fn show(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_query(request, PURPOSE)?;
    ask(app, &link, None).await
}

pub(crate) async fn reset_form(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_form(request, PURPOSE)?;
    let chosen = ChosenPassword::read(FIELD, body::form_field(request, FIELD)?.as_deref());
    let reset = match chosen {
        Err(refused) => Err(Error::InvalidFields(vec![refused])),
        Ok(chosen) => flow::reset_password(app, &Answer::Link(link.clone()), chosen, language(request)).await,
    };
    match reset {
        Err(Error::InvalidFields(refused)) => ask(app, &link, refused.first()).await,
        Err(error) => Err(error),
        Ok(()) => {
            let sentences = &["Your password is changed, and every session has ended. Sign in with the new one."];
            Page { title: "Thank you", sentences, form: None }.answer(StatusCode::OK)
        }
    }
}

/// Asks for a password, again where the one before broke a rule.
async fn ask(app: &App, link: &Link, refused: Option<&FieldError>) -> Result<Response<Body>, Error> {
    let challenge = linked_challenge(app, PURPOSE, link).await?;
    let account = format!("It is for the account of {}. Every session of it will end.", challenge.email.as_str());
    page::ask_for_password(
        ("Choose another password", &account),
        link,
        (FIELD, ("Change it", "/password/reset")),
        refused,
    )
}

pub(crate) async fn reset(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { user_id, token, email, code, new_password } = body::json(request)?;
    let chosen = ChosenPassword::read(FIELD, new_password.as_deref());
    let chosen = chosen.map_err(|error| Error::InvalidFields(vec![error]))?;
    let answer = challenge_answer::of_fields(PURPOSE, (user_id, token), (email, code))?;
    flow::reset_password(app, &answer, chosen, language(request)).await?;
    answer::message(StatusCode::OK, "The password is changed.")
}
