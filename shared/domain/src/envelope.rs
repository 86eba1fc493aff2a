//! What may be sealed, and for whom.

use crate::{MailId, PoolId, StepId, UserId};

/// The one item that an envelope belongs to.
#[derive(Debug, Clone, Copy)]
pub enum SealedFor {
    /// A user's private key.
    PrivateKey(UserId),
    /// The secret part of a mail.
    Mail(MailId),
    /// What a client handed over for the triggers of a mail.
    MailMetadata(MailId),
    /// A step of a sign-in, which the client keeps.
    Conversation(StepId),
}

impl SealedFor {
    /// The associated data of the envelope: moved to another pool, purpose or owner, it does not open.
    #[must_use]
    pub fn associated_data(self, pool: &PoolId) -> String {
        match self {
            Self::PrivateKey(user) => format!("freehold/v1|{pool}|private-key|{user}"),
            Self::Mail(mail) => format!("freehold/v1|{pool}|mail|{mail}"),
            Self::MailMetadata(mail) => format!("freehold/v1|{pool}|mail-metadata|{mail}"),
            Self::Conversation(step) => format!("freehold/v1|{pool}|conversation|{step}"),
        }
    }
}
