//! Triggers: the owner's own functions, called at the points and with the events of Amazon Cognito's Lambda triggers.

use std::collections::BTreeMap;

/// A point at which a function of the owner's may have a say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// Before an account is made: it may refuse it, or confirm it at once.
    PreSignUp,
    /// After an account was confirmed, or its password reset.
    PostConfirmation,
    /// Before a password is looked at.
    PreAuthentication,
    /// After somebody has shown who they are.
    PostAuthentication,
    /// Before an access token is made, also by a refresh.
    PreTokenGeneration,
    /// Where somebody signs in or forgot a password whom the pool does not know.
    UserMigration,
    /// Decides what comes next in a sign-in that the owner's functions conduct.
    DefineAuthChallenge,
    /// Makes a challenge of such a sign-in.
    CreateAuthChallenge,
    /// Compares the answer to one.
    VerifyAuthChallengeResponse,
    /// Before a mail that asks something: it may write it.
    CustomMessage,
    /// Sends such a mail in the place of SES.
    CustomEmailSender,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 11] = [
        Self::PreSignUp,
        Self::PostConfirmation,
        Self::PreAuthentication,
        Self::PostAuthentication,
        Self::PreTokenGeneration,
        Self::UserMigration,
        Self::DefineAuthChallenge,
        Self::CreateAuthChallenge,
        Self::VerifyAuthChallengeResponse,
        Self::CustomMessage,
        Self::CustomEmailSender,
    ];

    /// The name that Cognito gives it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreSignUp => "PreSignUp",
            Self::PostConfirmation => "PostConfirmation",
            Self::PreAuthentication => "PreAuthentication",
            Self::PostAuthentication => "PostAuthentication",
            Self::PreTokenGeneration => "PreTokenGeneration",
            Self::UserMigration => "UserMigration",
            Self::DefineAuthChallenge => "DefineAuthChallenge",
            Self::CreateAuthChallenge => "CreateAuthChallenge",
            Self::VerifyAuthChallengeResponse => "VerifyAuthChallengeResponse",
            Self::CustomMessage => "CustomMessage",
            Self::CustomEmailSender => "CustomEmailSender",
        }
    }

    /// Reads a trigger's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.as_str() == name)
    }
}

impl std::fmt::Display for Trigger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a client hands to the triggers of an action, names and texts. A text may be a secret, so that it does not print itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// Takes what a client sent.
    #[must_use]
    pub fn new(entries: BTreeMap<String, String>) -> Self {
        Self(entries)
    }

    /// What the client sent, for a trigger.
    #[must_use]
    pub fn expose(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl std::fmt::Debug for Metadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metadata(..)")
    }
}
