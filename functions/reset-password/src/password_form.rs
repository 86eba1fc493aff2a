use freehold_domain::Error;
use freehold_domain::challenge::Purpose;
use freehold_domain::email::Email;
use freehold_domain::error::FieldError;
use freehold_domain::language::Language;
use freehold_domain::password::ChosenPassword;
use freehold_http::page::{Form, Page};
use freehold_http::{Body, Request, Response, StatusCode, body, challenge_answer, language};
use freehold_service::App;
use freehold_service::flow::challenge::{Link, linked_challenge};
use futures::future::BoxFuture;

/// The field of the new password, in a form and in JSON.
pub(crate) const FIELD: &str = "new_password";

/// What a link does once a password is chosen.
type SetPassword = for<'a> fn(&'a App, &'a Link, ChosenPassword, Option<Language>) -> BoxFuture<'a, Result<(), Error>>;

/// The page behind a mailed link that sets another password.
pub(crate) struct PasswordForm {
    pub(crate) purpose: Purpose,
    pub(crate) title: &'static str,
    /// What is said of the account, by its address.
    pub(crate) sentence: fn(&Email) -> String,
    /// The label of the button, and where it sends the form.
    pub(crate) button: (&'static str, &'static str),
    pub(crate) set: SetPassword,
    /// What is said once it is done.
    pub(crate) done: &'static str,
}

impl PasswordForm {
    /// The page asks for a password and does nothing by itself: programs that scan mail open every link.
    pub(crate) async fn show(&self, app: &App, request: &Request) -> Result<Response<Body>, Error> {
        self.ask(app, &challenge_answer::in_query(request, self.purpose)?, None).await
    }

    /// Answers the form. A password that is refused is asked for again, and the link goes on working.
    pub(crate) async fn answer(&self, app: &App, request: &Request) -> Result<Response<Body>, Error> {
        let link = challenge_answer::in_form(request, self.purpose)?;
        let set = match read(body::form_field(request, FIELD)?.as_deref()) {
            Ok(chosen) => (self.set)(app, &link, chosen, language(request)).await,
            Err(refused) => Err(refused),
        };
        match set {
            Err(Error::InvalidFields(refused)) => self.ask(app, &link, refused.first()).await,
            Err(error) => Err(error),
            Ok(()) => Page { title: "Thank you", sentences: &[self.done], form: None }.answer(StatusCode::OK),
        }
    }

    async fn ask(&self, app: &App, link: &Link, refused: Option<&FieldError>) -> Result<Response<Body>, Error> {
        let challenge = linked_challenge(app, self.purpose, link).await?;
        let sentence = (self.sentence)(&challenge.email);
        let sentences: Vec<&str> = refused.map(|error| &*error.detail).into_iter().chain([&*sentence]).collect();
        let (user, token) = (link.user.to_string(), link.token.expose());
        let form = Form {
            fields: &[("user", &user), ("token", &token)],
            new_password: Some((FIELD, "New password")),
            buttons: &[self.button],
        };
        let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        Page { title: self.title, sentences: &sentences, form: Some(form) }.answer(status)
    }
}

/// Reads the new password.
pub(crate) fn read(text: Option<&str>) -> Result<ChosenPassword, Error> {
    ChosenPassword::read(FIELD, text).map_err(|refused| Error::InvalidFields(vec![refused]))
}
