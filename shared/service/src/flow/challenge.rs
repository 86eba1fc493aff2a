//! Mails that ask something, and the answers to them.

use std::time::Duration;

use freehold_crypto::code::Code;
use freehold_domain::challenge::{Challenge, ChallengeToken, OnDemand, Purpose};
use freehold_domain::email::Email;
use freehold_domain::envelope::SealedFor;
use freehold_domain::language::Language;
use freehold_domain::mail::{Kind, Mail};
use freehold_domain::name::DisplayName;
use freehold_domain::trigger::Metadata;
use freehold_domain::user::{Status, User};
use freehold_domain::{Error, MailId, UserId};
use futures::future::{BoxFuture, join};
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::migrate::{known_account, migrated_at_forgot_password};
use crate::App;
use crate::store::{ChallengeMail, GuessedAt};

/// What a mailed link carries. It names the account, so that nothing else can.
#[derive(Clone)]
pub struct Link {
    /// The account.
    pub user: UserId,
    /// The token that was mailed.
    pub token: ChallengeToken,
}

impl Link {
    /// Reads what a link or a form carries. What is no token of ours is refused like one that is no longer valid.
    ///
    /// # Errors
    /// [`Error::InvalidAnswer`].
    pub fn parse(purpose: Purpose, user: &str, token: &str) -> Result<Self, Error> {
        let user = UserId::parse(user).ok_or(Error::InvalidAnswer)?;
        let token = ChallengeToken::parse(purpose, token).ok_or(Error::InvalidAnswer)?;
        Ok(Self { user, token })
    }
}

/// How somebody answers a mail.
pub enum Answer {
    /// With its link.
    Link(Link),
    /// With the code beside the link, typed on another device than the one that the mail is read on.
    Code {
        /// The address that the mail was sent to.
        email: Email,
        /// The code.
        code: Code,
    },
}

impl Answer {
    /// Reads an address and a code. What can be neither is refused like a wrong code.
    ///
    /// # Errors
    /// [`Error::InvalidAnswer`].
    pub fn parse_code(email: &str, code: &str) -> Result<Self, Error> {
        let email = Email::parse(email).ok_or(Error::InvalidAnswer)?;
        let code = Code::parse(code).ok_or(Error::InvalidAnswer)?;
        Ok(Self::Code { email, code })
    }
}

/// What a link would do: nothing is consumed by looking, since programs that scan mail follow every link.
///
/// # Errors
/// [`Error::InvalidAnswer`].
pub fn linked_challenge<'a>(app: &'a App, purpose: Purpose, link: &'a Link) -> BoxFuture<'a, Result<Challenge, Error>> {
    Box::pin(async move {
        let challenge = app.store.challenge(purpose, link.user).await?;
        challenge.filter(|challenge| challenge.is_answered_by(&link.token, app.clock.now())).ok_or(Error::InvalidAnswer)
    })
}

/// The challenge that somebody answers rightly. A guess at a code is counted before it is compared, and forgotten by who
/// then does what the challenge is for.
pub(super) async fn answered_challenge(app: &App, purpose: Purpose, answer: &Answer) -> Result<Challenge, Error> {
    match answer {
        Answer::Link(link) => linked_challenge(app, purpose, link).await,
        Answer::Code { email, code } => {
            let now = app.clock.now();
            let (secrets, pool) = (app.secrets()?, &app.config.pool);
            // Nobody has an id that is made here and now, and nobody knows the code of a challenge that is: an unknown
            // address costs what a wrong code costs, another look at the application secret among it.
            let account = app.store.claim(email).await?.and_then(|claim| claim.account());
            let guessed_at = account.map_or_else(|| GuessedAt::Nobody(email.clone()), GuessedAt::User);
            app.store.count_guess_at(&guessed_at, now).await?;
            let user = account.unwrap_or_else(|| UserId::new(now));
            let challenge = app.store.challenge_for_guess(purpose, user, now).await?;
            let challenge = challenge.unwrap_or_else(|| secrets.challenge(purpose, user, email.clone(), pool, now).0);
            let is_to_this_address = challenge.email.canonical() == email.canonical();
            let is_answer = secrets.is_answer(code, &challenge, pool, now).await?;
            if is_to_this_address && is_answer { Ok(challenge) } else { Err(Error::InvalidAnswer) }
        }
    }
}

/// What a request says of the one who sent it, for the mails and the triggers that follow.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The language that they prefer.
    pub language: Option<Language>,
    /// What their client hands to triggers.
    pub client_metadata: Option<Metadata>,
}

/// A challenge by a mail to a user's own address.
pub(super) fn challenge_to(
    app: &App,
    purpose: Purpose,
    user: &User,
    language: Option<Language>,
) -> Result<(Challenge, Mail), Error> {
    let (to, name, language) = (user.email.clone(), user.name.clone(), user.language(language));
    challenge_by_mail(app, purpose, user.id, to, name, language)
}

/// A challenge, and the mail that carries what answers it.
pub(super) fn challenge_by_mail(
    app: &App,
    purpose: Purpose,
    user: UserId,
    email: Email,
    name: Option<DisplayName>,
    language: Option<Language>,
) -> Result<(Challenge, Mail), Error> {
    let (secrets, pool, now) = (app.secrets()?, &app.config.pool, app.clock.now());
    let (challenge, answers) = secrets.challenge(purpose, user, email, pool, now);
    let id = MailId::new(now);
    let mail = Mail {
        id,
        kind: Kind::Question(purpose),
        user,
        to: challenge.email.clone(),
        name,
        language,
        sealed_secrets: Some(secrets.seal(pool, SealedFor::Mail(id), answers.expose().as_bytes())),
        is_repeated: false,
        sealed_metadata: None,
        expires_at: challenge.expires_at,
    };
    Ok((challenge, mail))
}

/// The mail, with what the request for it hands to triggers.
pub(super) fn with_metadata(app: &App, mail: Mail, client_metadata: Option<&Metadata>) -> Result<Mail, Error> {
    let Some(metadata) = client_metadata else { return Ok(mail) };
    let text = serde_json::to_vec(metadata.expose()).map(Zeroizing::new);
    let text = text.map_err(|_| Error::internal("metadata could not be written"))?;
    let sealed = app.secrets()?.seal(&app.config.pool, SealedFor::MailMetadata(mail.id), &text);
    Ok(Mail { sealed_metadata: Some(sealed), ..mail })
}

/// How long it takes at the least to ask for a mail, which is longer than the work mostly does. An account that is found is
/// transferred and parsed: that is some tenths of a millisecond, and thousands of requests would show them.
pub const LEAST_TIME_ON_DEMAND: Duration = Duration::from_millis(100);

/// Sends an address a mail that somebody asked for, if an account is found there that it is about. What is in the mail
/// replaces what was in the one before.
///
/// Where there is no such account it reads and writes as much, to where nobody looks, and nobody is answered before
/// [`LEAST_TIME_ON_DEMAND`]: neither the answer nor its time says which it was. More than 5 an hour are not sent, to any
/// address.
pub(super) async fn send_on_demand(
    app: &App,
    demand: OnDemand,
    email: &Email,
    caller: &Caller,
    is_about: impl Fn(Status) -> bool,
) -> Result<(), Error> {
    let (sent, ()) = join(send_if_known(app, demand, email, caller, is_about), sleep(LEAST_TIME_ON_DEMAND)).await;
    sent
}

async fn send_if_known(
    app: &App,
    demand: OnDemand,
    email: &Email,
    caller: &Caller,
    is_about: impl Fn(Status) -> bool,
) -> Result<(), Error> {
    let (now, purpose) = (app.clock.now(), demand.purpose());
    let Caller { language, client_metadata } = caller;
    if !app.store.count_mail(purpose, email, now).await? {
        return Ok(());
    }
    let decoy = UserId::new(now);
    let claim = app.store.claim(email).await?;
    let user = app.store.user(known_account(app, claim).unwrap_or(decoy)).await?;
    let user = match (user, demand) {
        (None, OnDemand::ResetPassword) => {
            Box::pin(migrated_at_forgot_password(app, email, claim, client_metadata.as_ref())).await?
        }
        (user, OnDemand::ResetPassword | OnDemand::VerifyEmail) => user,
    };
    let finish = |mail: Mail| {
        let is_repeated = demand == OnDemand::VerifyEmail;
        with_metadata(app, Mail { is_repeated, ..mail }, client_metadata.as_ref())
    };
    let mail = if let Some(user) = user.filter(|user| is_about(user.status)) {
        let (challenge, mail) = challenge_to(app, purpose, &user, *language)?;
        ChallengeMail::Sent(challenge, finish(mail)?, user.status)
    } else {
        let (challenge, mail) = challenge_by_mail(app, purpose, decoy, email.clone(), None, *language)?;
        ChallengeMail::Decoy(challenge, finish(mail)?)
    };
    app.store.write_challenge_mail(demand, &mail).await
}
