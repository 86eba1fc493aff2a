//! Signing in by a conversation that the owner's functions conduct.
//!
//! One function defines what comes next, until it is satisfied or not; others make a challenge and compare its answer. Each
//! conversation counts as one guess at the account, made when it begins and forgotten when it ends well: whoever conducts it
//! decides how often it may be answered, up to a bound.

mod sealed;

use std::collections::BTreeMap;
use std::sync::Arc;

use freehold_domain::conversation::{ChallengeName, Conversation, MAX_ROUNDS, Participant, Pending, Round, factors};
use freehold_domain::email::Email;
use freehold_domain::error::{FieldCode, FieldError};
use freehold_domain::password::Password;
use freehold_domain::session::Device;
use freehold_domain::trigger::{Metadata, Trigger};
use freehold_domain::user::User;
use freehold_domain::{Error, StepId, UserId};
use futures::future::{BoxFuture, try_join};

use self::sealed::{open, seal};
use super::migrate::known_account;
use super::sign_in::{Proven, SignedIn, check_password, sign_in};
use crate::App;
use crate::store::{Credentials, GuessedAt};
use crate::triggers::{
    Definition, Step, Subject, create_challenge, define_challenge, pre_authentication, verify_answer,
};

/// Who begins to sign in.
pub struct Input {
    /// The address.
    pub email: Email,
    /// The password, where the client brings it along. It is looked at if it is what the client is asked for first, and is
    /// forgotten else: no conversation holds it.
    pub password: Option<Password>,
    /// Where from.
    pub device: Device,
    /// What the client hands to the function before passwords. As in Cognito it goes no further.
    pub validation_data: Option<Metadata>,
}

/// An answer.
pub struct Answer {
    /// The conversation, as the client was given it.
    pub session: String,
    /// What it answers.
    pub answer: String,
    /// Where from.
    pub device: Device,
    /// What the client hands to triggers.
    pub client_metadata: Option<Metadata>,
}

/// What comes of a step.
pub enum Turn {
    /// The conversation is over.
    SignedIn(SignedIn),
    /// It goes on.
    Asked(Asked),
}

/// What the client is asked.
pub struct Asked {
    /// What kind of answer it takes.
    pub challenge: ChallengeName,
    /// The conversation, sealed, to come back with the answer.
    pub session: String,
    /// What the owner's function tells the client.
    pub parameters: BTreeMap<String, String>,
}

/// Where a conversation stands while a request has it.
struct Standing {
    participant: Participant,
    account: Option<(User, Credentials)>,
    subject: Subject,
    rounds: Vec<Round>,
    password: Option<Arc<Password>>,
    device: Device,
    validation_data: Option<Metadata>,
    client_metadata: Option<Metadata>,
}

/// Begins a conversation, also with an address that nobody has.
///
/// # Errors
/// [`Error::InvalidFields`], where the pool has no function that conducts one; [`Error::InvalidCredentials`], where it ends at
/// once; [`Error::TooManyAttempts`]; [`Error::TriggerRefused`]; [`Error::TriggerFailed`]; and those of a sign-in.
pub fn begin_custom_login(app: &App, input: Input) -> BoxFuture<'_, Result<Turn, Error>> {
    Box::pin(async move {
        if !app.has_trigger(Trigger::DefineAuthChallenge) {
            let detail = "This pool has no such way to sign in.";
            return Err(Error::InvalidFields(vec![FieldError::new("flow", FieldCode::InvalidFlow, detail)]));
        }
        let Input { email, password, device, validation_data } = input;
        let now = app.clock.now();
        let account = known_account(app, app.store.claim(&email).await?);
        let guessed_at = account.map_or_else(|| GuessedAt::Nobody(email.clone()), GuessedAt::User);
        let counted = app.store.count_guess_at(&guessed_at, now);
        let id = account.unwrap_or_else(|| UserId::new(now));
        let (account, ()) = Box::pin(try_join(app.store.account(id), counted)).await?;
        let (participant, subject) = match &account {
            Some((user, _)) => (Participant::User { id: user.id, generation: user.generation }, Subject::of(user)),
            None => (Participant::Nobody(email.clone()), Subject::unknown(&email)),
        };
        let begun =
            password.is_some().then_some(Round { challenge: ChallengeName::SrpA, passed: true, metadata: None });
        let password = password.map(Arc::new);
        let rounds = begun.into_iter().collect();
        let client_metadata = None;
        let standing =
            Standing { participant, account, subject, rounds, password, device, validation_data, client_metadata };
        go_on(app, standing).await
    })
}

/// Takes an answer.
///
/// # Errors
/// [`Error::InvalidSession`], where the conversation is over, another's, or no conversation; [`Error::InvalidCredentials`], where
/// it ends without success; [`Error::TriggerRefused`]; [`Error::TriggerFailed`]; and those of a sign-in.
pub fn answer_challenge(app: &App, answer: Answer) -> BoxFuture<'_, Result<Turn, Error>> {
    Box::pin(async move {
        let Answer { session, answer, device, client_metadata } = answer;
        let now = app.clock.now();
        let Conversation { step, participant, rounds, pending } =
            open(app, &session).await?.filter(|it| it.expires_at() > now).ok_or(Error::InvalidSession)?;
        let (account, subject) = match &participant {
            Participant::User { id, generation } => {
                let account = app.store.account(*id).await?.filter(|(user, _)| user.generation == *generation);
                let account = account.ok_or(Error::InvalidSession)?;
                let subject = Subject::of(&account.0);
                (Some(account), subject)
            }
            Participant::Nobody(email) => (None, Subject::unknown(email)),
        };
        // Before anybody looks at the answer: of any number of parallel ones one is looked at.
        if !app.store.use_step(step, now).await? {
            return Err(Error::InvalidSession);
        }
        let (password, validation_data) = (None, None);
        let mut standing =
            Standing { participant, account, subject, rounds, password, device, validation_data, client_metadata };
        match pending {
            Pending::Password => {
                let password = Password::attempt(&answer).ok_or(Error::InvalidCredentials)?;
                with_password(app, standing, Arc::new(password)).await
            }
            Pending::Custom { private_parameters, metadata } => {
                let passed = verify_answer(app, standing.step(), &private_parameters, &answer).await?;
                standing.rounds.push(Round { challenge: ChallengeName::Custom, passed, metadata });
                go_on(app, standing).await
            }
        }
    })
}

/// Has the owner's function say what comes next, and does it.
fn go_on(app: &App, mut standing: Standing) -> BoxFuture<'_, Result<Turn, Error>> {
    Box::pin(async move {
        match define_challenge(app, standing.step()).await? {
            Definition::Fail => Err(Error::InvalidCredentials),
            // Whoever brought a password along and is let in without it has shown nothing by it: that a password is there looks
            // like a round that was passed.
            Definition::IssueTokens if standing.password.is_some() => Err(Error::InvalidCredentials),
            Definition::IssueTokens => {
                let (user, credentials) = standing.account.ok_or(Error::InvalidCredentials)?;
                let (device, client_metadata) = (standing.device, standing.client_metadata);
                let factors = factors(&standing.rounds);
                let settings = app.settings().await?;
                let proven = Proven { user, credentials, factors, device, client_metadata };
                sign_in(app, &settings, proven).await.map(Turn::SignedIn)
            }
            Definition::Password | Definition::Custom if standing.rounds.len() >= MAX_ROUNDS => {
                Err(Error::InvalidCredentials)
            }
            Definition::Password => match standing.password.take() {
                Some(password) => with_password(app, standing, password).await,
                None => ask(app, standing, Pending::Password, BTreeMap::new()),
            },
            Definition::Custom => {
                let created = create_challenge(app, standing.step()).await?;
                let (private_parameters, metadata) = (created.private_parameters, created.metadata);
                let pending = Pending::Custom { private_parameters, metadata };
                ask(app, standing, pending, created.public_parameters)
            }
        }
    })
}

/// Compares the password. A wrong one ends the conversation, as in Cognito: it was one guess.
async fn with_password(app: &App, mut standing: Standing, password: Arc<Password>) -> Result<Turn, Error> {
    pre_authentication(app, &standing.subject, standing.validation_data.as_ref()).await?;
    standing.account = Some(check_password(app, standing.account, &password).await?);
    standing.rounds.push(Round { challenge: ChallengeName::PasswordVerifier, passed: true, metadata: None });
    go_on(app, standing).await
}

fn ask(app: &App, standing: Standing, pending: Pending, parameters: BTreeMap<String, String>) -> Result<Turn, Error> {
    let challenge = pending.challenge();
    let (step, Standing { participant, rounds, .. }) = (StepId::new(app.clock.now()), standing);
    let session = seal(app, &Conversation { step, participant, rounds, pending })?;
    Ok(Turn::Asked(Asked { challenge, session, parameters }))
}

impl Standing {
    fn step(&self) -> Step<'_> {
        Step { subject: &self.subject, rounds: &self.rounds, client_metadata: self.client_metadata.as_ref() }
    }
}
