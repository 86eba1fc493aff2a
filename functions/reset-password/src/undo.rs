use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::error::FieldError;
use freehold_domain::password::ChosenPassword;
use freehold_http::page::{self, Page};
use freehold_http::{Body, Request, Response, StatusCode, answer, body, challenge_answer, language};
use freehold_service::flow::challenge::{Link, linked_challenge};
use freehold_service::{App, flow};
use serde::Deserialize;

const PURPOSE: Purpose = Purpose::UndoEmailChange;
const FIELD: &str = "new_password";

#[derive(Deserialize)]
struct Wire {
    user_id: Option<String>,
    token: Option<String>,
    new_password: Option<String>,
}

/// The page asks for a password and does nothing by itself: programs that scan mail open every link.
pub(crate) async fn show(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    ask_for_password(app, &challenge_answer::in_query(request, PURPOSE)?, None).await
}

async fn ask_for_password(app: &App, link: &Link, refused: Option<&FieldError>) -> Result<Response<Body>, Error> {
    let challenge = linked_challenge(app, PURPOSE, link).await?;
    let sentence = format!(
        "The account gets its address {} back. Choose another password for it: every session of it will end.",
        challenge.email.as_str()
    );
    let button = ("Undo the change", "/email/undo");
    page::ask_for_password(("Undo the change of address", &sentence), link, (FIELD, button), refused)
}

pub(crate) async fn undo_form(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let link = challenge_answer::in_form(request, PURPOSE)?;
    let undone = match ChosenPassword::read(FIELD, body::form_field(request, FIELD)?.as_deref()) {
        Err(refused) => Err(Error::InvalidFields(vec![refused])),
        Ok(chosen) => flow::undo_email_change(app, &link, chosen, language(request)).await,
    };
    match undone {
        Err(Error::InvalidFields(refused)) => ask_for_password(app, &link, refused.first()).await,
        Err(error) => Err(error),
        Ok(()) => {
            let sentences = &["Your account has its address back. Sign in with the new password."];
            Page { title: "Thank you", sentences, form: None }.answer(StatusCode::OK)
        }
    }
}

pub(crate) async fn undo(app: &App, request: &Request) -> Result<Response<Body>, Error> {
    let Wire { user_id, token, new_password } = body::json(request)?;
    let chosen = ChosenPassword::read(FIELD, new_password.as_deref());
    let chosen = chosen.map_err(|error| Error::InvalidFields(vec![error]))?;
    let link = Link::parse(PURPOSE, &user_id.unwrap_or_default(), &token.unwrap_or_default())?;
    flow::undo_email_change(app, &link, chosen, language(request)).await?;
    answer::message(StatusCode::OK, "The account has its address back, and the new password.")
}
