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
/// Spaces stand in for what a participant has less than this, as all have: the length of what is sealed shows, and would tell an
/// id from an address that nobody has.
const PARTICIPANT_BYTES: usize = 512;

#[derive(Serialize, Deserialize)]
struct Sealed {
    participant: SealedParticipant,
    rounds: Vec<SealedRound>,
    pending: SealedPending,
}

#[derive(Serialize, Deserialize)]
enum SealedParticipant {
    User { id: String, generation: u32 },
    Nobody(String),
}

#[derive(Serialize, Deserialize)]
struct SealedRound {
    challenge: String,
    passed: bool,
    metadata: Option<String>,
}

#[derive(Serialize, Deserialize)]
enum SealedPending {
    Password,
    Custom { private_parameters: BTreeMap<String, String>, metadata: Option<String> },
}

/// Seals a conversation.
///
/// # Errors
/// [`Error::TriggerFailed`], where the functions keep more in it than a client can send back.
pub(super) fn seal(app: &App, conversation: &Conversation) -> Result<String, Error> {
    let Conversation { step, participant, rounds, pending } = conversation;
    let participant = match participant {
        Participant::User { id, generation } => SealedParticipant::User { id: id.to_string(), generation: *generation },
        Participant::Nobody(email) => SealedParticipant::Nobody(email.as_str().to_owned()),
    };
    let rounds = rounds.iter().map(|round| SealedRound {
        challenge: round.challenge.as_str().to_owned(),
        passed: round.passed,
        metadata: round.metadata.clone(),
    });
    let pending = match pending {
        Pending::Password => SealedPending::Password,
        Pending::Custom { private_parameters, metadata } => {
            SealedPending::Custom { private_parameters: private_parameters.0.clone(), metadata: metadata.clone() }
        }
    };
    let written = |_| Error::internal("a conversation could not be written");
    let of_participant = serde_json::to_vec(&participant).map_err(written)?.len();
    let sealed = Sealed { participant, rounds: rounds.collect(), pending };
    let mut text = serde_json::to_vec(&sealed).map(Zeroizing::new).map_err(written)?;
    let of_the_rest = text.len() - of_participant;
    if of_the_rest > MAX_BYTES {
        return Err(Error::trigger_failed(Trigger::CreateAuthChallenge, "its parameters are too long"));
    }
    text.resize(of_the_rest + PARTICIPANT_BYTES, b' ');
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
    let participant = match sealed.participant {
        SealedParticipant::User { id, generation } => Participant::User { id: UserId::parse(&id)?, generation },
        SealedParticipant::Nobody(email) => Participant::Nobody(Email::parse(&email)?),
    };
    let round = |SealedRound { challenge, passed, metadata }| {
        Some(Round { challenge: ChallengeName::parse(&challenge)?, passed, metadata })
    };
    let rounds = sealed.rounds.into_iter().map(round).collect::<Option<_>>()?;
    let pending = match sealed.pending {
        SealedPending::Password => Pending::Password,
        SealedPending::Custom { private_parameters, metadata } => {
            Pending::Custom { private_parameters: PrivateParameters(private_parameters), metadata }
        }
    };
    Some(Conversation { step, participant, rounds, pending })
}
