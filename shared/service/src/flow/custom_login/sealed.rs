//! A conversation as the client keeps it between two steps: `fh_cs_<step>.<envelope>`. It opens for its own step and pool
//! alone, so that nobody can read it, change it or move it.

use std::collections::BTreeMap;

use freehold_crypto::envelope::Envelope;
use freehold_domain::conversation::{ChallengeName, Conversation, Participant, Pending, PrivateParameters, Round};
use freehold_domain::email::Email;
use freehold_domain::envelope::SealedFor;
use freehold_domain::trigger::Trigger;
use freehold_domain::{Error, StepId, UserId};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::App;

const PREFIX: &str = "fh_cs_";
/// It must come back in a body of 16 KiB, sealed and as base64.
const MAX_BYTES: usize = 8 * 1024;

#[derive(Serialize, Deserialize)]
struct Sealed {
    user: Option<String>,
    generation: u32,
    email: Option<String>,
    rounds: Vec<SealedRound>,
    /// Nothing, where the password is asked for.
    private_parameters: Option<BTreeMap<String, String>>,
    metadata: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct SealedRound {
    challenge: String,
    passed: bool,
    metadata: Option<String>,
}

/// Seals a conversation.
///
/// # Errors
/// [`Error::TriggerFailed`], where the functions keep more in it than a client can send back.
pub(super) fn seal(app: &App, conversation: &Conversation) -> Result<String, Error> {
    let Conversation { step, participant, rounds, pending } = conversation;
    let (user, generation, email) = match participant {
        Participant::User { id, generation } => (Some(id.to_string()), *generation, None),
        Participant::Nobody(email) => (None, 0, Some(email.as_str().to_owned())),
    };
    let (private_parameters, metadata) = match pending {
        Pending::Password => (None, None),
        Pending::Custom { private_parameters, metadata } => (Some(private_parameters.0.clone()), metadata.clone()),
    };
    let rounds = rounds.iter().map(|round| SealedRound {
        challenge: round.challenge.as_str().to_owned(),
        passed: round.passed,
        metadata: round.metadata.clone(),
    });
    let rounds = rounds.collect();
    let sealed = Sealed { user, generation, email, rounds, private_parameters, metadata };
    let text = serde_json::to_vec(&sealed).map(Zeroizing::new);
    let text = text.map_err(|_| Error::internal("a conversation could not be written"))?;
    if text.len() > MAX_BYTES {
        return Err(Error::trigger_failed(Trigger::CreateAuthChallenge, "its parameters are too long"));
    }
    let envelope = app.secrets()?.seal(&app.config.pool, SealedFor::Conversation(*step), &text);
    Ok(format!("{PREFIX}{step}.{}", envelope.as_str()))
}

/// Opens a conversation; nothing, where it was not sealed here.
pub(super) async fn open(app: &App, text: &str) -> Result<Option<Conversation>, Error> {
    let Some((step, envelope)) = text.strip_prefix(PREFIX).and_then(|text| text.split_once('.')) else {
        return Ok(None);
    };
    let (Some(step), Some(envelope)) = (StepId::parse(step), Envelope::from_client(envelope)) else { return Ok(None) };
    let item = SealedFor::Conversation(step);
    let Some(opened) = app.secrets()?.open_from_client(&app.config.pool, item, &envelope).await? else {
        return Ok(None);
    };
    let broken = || Error::internal("a conversation is not as it was sealed");
    let sealed: Sealed = serde_json::from_slice(&opened).map_err(|_| broken())?;
    read(step, sealed).map(Some).ok_or_else(broken)
}

fn read(step: StepId, sealed: Sealed) -> Option<Conversation> {
    let participant = match (sealed.user, sealed.email) {
        (Some(user), None) => Participant::User { id: UserId::parse(&user)?, generation: sealed.generation },
        (None, Some(email)) => Participant::Nobody(Email::parse(&email)?),
        _ => return None,
    };
    let round = |round: SealedRound| {
        let challenge = ChallengeName::parse(&round.challenge)?;
        Some(Round { challenge, passed: round.passed, metadata: round.metadata })
    };
    let rounds = sealed.rounds.into_iter().map(round).collect::<Option<_>>()?;
    let pending = match sealed.private_parameters {
        None => Pending::Password,
        Some(private) => Pending::Custom { private_parameters: PrivateParameters(private), metadata: sealed.metadata },
    };
    Some(Conversation { step, participant, rounds, pending })
}
