//! A sign-in of several steps: the pool asks, the client answers, and what came so far decides what comes next.
//!
//! Between two steps the client keeps the conversation, sealed. It is the frame of every sign-in that takes more than one
//! answer: what asks, and what the answer is compared with, is a [`Pending`] challenge.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::email::Email;
use crate::session::Factor;
use crate::{StepId, Timestamp, UserId};

/// How long an answer may take, as in Cognito.
pub const LIFETIME: Duration = Duration::from_mins(3);
/// How many rounds one conversation has at most, a password that is brought along among them. One that has more would never
/// come to an end.
pub const MAX_ROUNDS: usize = 10;

/// A conversation that waits for an answer.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// The step that waits. It is answered once.
    pub step: StepId,
    /// Who signs in.
    pub participant: Participant,
    /// What was asked and answered so far.
    pub rounds: Vec<Round>,
    /// What waits for an answer.
    pub pending: Pending,
}

/// Who signs in.
#[derive(Debug, Clone)]
pub enum Participant {
    /// A user, of the generation in which the conversation began: whoever ends all sessions ends it too.
    User {
        /// The user.
        id: UserId,
        /// The generation.
        generation: u32,
    },
    /// An address that nobody has. The conversation goes on as with anybody, and never ends well.
    Nobody(Email),
}

/// A challenge and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// What was asked.
    pub challenge: ChallengeName,
    /// Whether the answer was right.
    pub passed: bool,
    /// What the function that made the challenge noted for later rounds. The client never sees it.
    pub metadata: Option<String>,
}

/// The names that Cognito gives to challenges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeName {
    /// The client brought a password along: what stands for it at the beginning, as in Cognito's protocol.
    SrpA,
    /// The password.
    PasswordVerifier,
    /// Whatever the owner's functions ask for.
    Custom,
}

impl ChallengeName {
    /// The name on every wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SrpA => "SRP_A",
            Self::PasswordVerifier => "PASSWORD_VERIFIER",
            Self::Custom => "CUSTOM_CHALLENGE",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::SrpA, Self::PasswordVerifier, Self::Custom].into_iter().find(|known| known.as_str() == name)
    }
}

/// A challenge that waits, with what its answer is compared with.
#[derive(Debug, Clone)]
pub enum Pending {
    /// The password of the account.
    Password,
    /// What one of the owner's functions made, and another compares.
    Custom {
        /// What only the owner's functions see. They may hold the answer.
        private_parameters: PrivateParameters,
        /// What later rounds are told of this one.
        metadata: Option<String>,
    },
}

impl Pending {
    /// What is asked.
    #[must_use]
    pub fn challenge(&self) -> ChallengeName {
        match self {
            Self::Password => ChallengeName::PasswordVerifier,
            Self::Custom { .. } => ChallengeName::Custom,
        }
    }
}

/// What a challenge is compared with. It does not print itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PrivateParameters(pub BTreeMap<String, String>);

impl std::fmt::Debug for PrivateParameters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateParameters(..)")
    }
}

impl Conversation {
    /// When the step can no longer be answered.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.step.created_at() + LIFETIME
    }
}

/// What somebody has shown by their answers.
#[must_use]
pub fn factors(rounds: &[Round]) -> Vec<Factor> {
    let mut factors = Vec::new();
    for round in rounds.iter().filter(|round| round.passed) {
        let factor = match round.challenge {
            // It only says that a password is there to be looked at.
            ChallengeName::SrpA => continue,
            ChallengeName::PasswordVerifier => Factor::Password,
            ChallengeName::Custom => Factor::Custom,
        };
        if !factors.contains(&factor) {
            factors.push(factor);
        }
    }
    factors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_shown_is_what_was_answered_rightly_each_once() {
        let round = |challenge, passed| Round { challenge, passed, metadata: None };
        let rounds = [
            round(ChallengeName::SrpA, true),
            round(ChallengeName::PasswordVerifier, true),
            round(ChallengeName::Custom, false),
        ];
        assert_eq!(factors(&rounds), [Factor::Password]);
        let rounds = [round(ChallengeName::Custom, true), round(ChallengeName::Custom, true)];
        assert_eq!(factors(&rounds), [Factor::Custom]);
    }
}
