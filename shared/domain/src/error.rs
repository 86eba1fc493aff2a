//! Everything that can be refused or fail. The codes are stable: clients branch on them, and no other part of an answer.

use std::borrow::Cow;
use std::time::Duration;

use crate::trigger::Trigger;

/// A refusal or a failure. It knows nothing of any wire format, and carries nothing that a caller sent but the names of
/// fields. What a trigger of the owner's says is for the caller, and never for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The body is not the JSON object that the action takes.
    InvalidJson,
    /// The body has more than 16 KiB.
    BodyTooLarge,
    /// The body is of another media type.
    UnsupportedMediaType,
    /// A web page of another site sent the request.
    CrossSite,
    /// Fields are missing, unknown or wrong. The first one's code is the code of the whole.
    InvalidFields(Vec<FieldError>),
    /// The address belongs to an account.
    EmailTaken,
    /// What answers a challenge, the token of a mailed link or the code beside it, is unknown, used, expired, guessed too
    /// often, of another user or of another purpose.
    InvalidAnswer,
    /// Nobody has this address with this password.
    InvalidCredentials,
    /// The password is right, and the address not verified.
    EmailNotVerified,
    /// The answers are right, and the account came from elsewhere without its password, which must be set anew.
    PasswordResetRequired,
    /// A sign-in of several steps has ended: it took too long, an answer was sent twice, or it never began here.
    InvalidSession,
    /// The refresh token is no token of a session that lives.
    InvalidRefreshToken,
    /// There is no access token, or it is no token of a session that lives.
    InvalidAccessToken,
    /// What is asked for needs a sign-in of the last minutes.
    RecentLoginRequired,
    /// Passwords or codes were guessed wrongly too often, or too many mails were asked for: it may be tried again after so
    /// long.
    TooManyAttempts(Duration),
    /// The account has had another address until a few days ago, whose owner may still take it back.
    EmailChangedRecently,
    /// The account is to be deleted, and its address stays until it is kept.
    DeletionPending,
    /// A trigger refuses the action, in the words of its owner.
    TriggerRefused(Trigger, String),
    /// A trigger crashes, takes too long, or does not answer as it must.
    TriggerFailed(Cause),
    /// There is no such thing.
    NotFound,
    /// Something that is needed does not answer, for now.
    Unavailable(Cause),
    /// Something is as it must never be.
    Internal(Cause),
}

/// What went wrong inside, for the log and nobody else. It holds names of operations and codes, never data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause(String);

impl Cause {
    /// A cause in a few words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }

    /// The words, for the log.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.0
    }
}

/// One field that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field, by its name on the wire.
    pub field: String,
    /// What is wrong, for programs.
    pub code: FieldCode,
    /// What is wrong, for people.
    pub detail: Cow<'static, str>,
}

impl FieldError {
    /// One of the fields that an action takes.
    #[must_use]
    pub fn new(field: &str, code: FieldCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.to_owned(), code, detail: detail.into() }
    }
}

/// What can be wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldCode {
    /// The address cannot be sent to.
    InvalidEmail,
    /// The password is missing, or is none.
    InvalidPassword,
    /// The password breaks a rule.
    Password(PasswordRule),
    /// The name is empty, too long or not printable.
    InvalidName,
    /// It says neither "cookie" nor "body".
    InvalidTokenIn,
    /// It says neither "password" nor "custom".
    InvalidFlow,
    /// The answer to a challenge is missing.
    InvalidAnswer,
    /// The pool has no such attribute.
    UnknownAttribute,
    /// The attribute cannot be set, or not any longer.
    ReadOnlyAttribute,
    /// The attribute has another kind of value, or is too long.
    InvalidAttribute,
    /// The attribute must be there.
    RequiredAttribute,
    /// The action takes no such field.
    UnknownField,
}

/// The rules about passwords that people choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordRule {
    /// It has fewer characters than the pool asks for.
    TooShort,
    /// It has more characters or bytes than any password may have.
    TooLong,
    /// The pool asks for a lower-case letter.
    NeedsLowerCase,
    /// The pool asks for an upper-case letter.
    NeedsUpperCase,
    /// The pool asks for a digit.
    NeedsDigit,
    /// The pool asks for a character that is neither letter nor digit nor space.
    NeedsSymbol,
    /// Many people have it.
    TooCommon,
    /// It contains the address, the name or the product's name.
    ContainsPersonalData,
    /// A program that knows how people choose would find it soon.
    TooGuessable,
    /// It was in a leak.
    Breached,
}

impl FieldCode {
    /// The code on every wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidEmail => "invalid_email",
            Self::InvalidPassword => "invalid_password",
            Self::Password(PasswordRule::TooShort) => "password_too_short",
            Self::Password(PasswordRule::TooLong) => "password_too_long",
            Self::Password(PasswordRule::NeedsLowerCase) => "password_needs_lower_case",
            Self::Password(PasswordRule::NeedsUpperCase) => "password_needs_upper_case",
            Self::Password(PasswordRule::NeedsDigit) => "password_needs_digit",
            Self::Password(PasswordRule::NeedsSymbol) => "password_needs_symbol",
            Self::Password(PasswordRule::TooCommon) => "password_too_common",
            Self::Password(PasswordRule::ContainsPersonalData) => "password_contains_personal_data",
            Self::Password(PasswordRule::TooGuessable) => "password_too_guessable",
            Self::Password(PasswordRule::Breached) => "password_breached",
            Self::InvalidName => "invalid_name",
            Self::InvalidTokenIn => "invalid_token_in",
            Self::InvalidFlow => "invalid_flow",
            Self::InvalidAnswer => "invalid_answer",
            Self::UnknownAttribute => "unknown_attribute",
            Self::ReadOnlyAttribute => "read_only_attribute",
            Self::InvalidAttribute => "invalid_attribute",
            Self::RequiredAttribute => "required_attribute",
            Self::UnknownField => "unknown_field",
        }
    }
}

impl Error {
    /// A trigger does not do as it must, in a few words.
    #[must_use]
    pub fn trigger_failed(trigger: Trigger, words: &str) -> Self {
        Self::TriggerFailed(Cause::new(format!("{trigger}: {words}")))
    }

    /// Something is as it must never be, in a few words.
    pub fn internal(words: impl Into<String>) -> Self {
        Self::Internal(Cause::new(words))
    }

    /// Something that is needed does not answer, in a few words.
    pub fn unavailable(words: impl Into<String>) -> Self {
        Self::Unavailable(Cause::new(words))
    }

    /// What went wrong inside, for the log; nothing for a refusal.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::TriggerFailed(cause) | Self::Unavailable(cause) | Self::Internal(cause) => Some(cause.words()),
            Self::InvalidJson
            | Self::BodyTooLarge
            | Self::UnsupportedMediaType
            | Self::CrossSite
            | Self::InvalidFields(_)
            | Self::EmailTaken
            | Self::InvalidAnswer
            | Self::InvalidCredentials
            | Self::EmailNotVerified
            | Self::PasswordResetRequired
            | Self::InvalidSession
            | Self::InvalidRefreshToken
            | Self::InvalidAccessToken
            | Self::RecentLoginRequired
            | Self::TooManyAttempts(_)
            | Self::EmailChangedRecently
            | Self::DeletionPending
            | Self::TriggerRefused(..)
            | Self::NotFound => None,
        }
    }

    /// The code on every wire.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidJson => "invalid_json",
            Self::BodyTooLarge => "body_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::CrossSite => "cross_site",
            Self::InvalidFields(fields) => fields.first().map_or("invalid_json", |field| field.code.as_str()),
            Self::EmailTaken => "email_taken",
            Self::InvalidAnswer | Self::InvalidAccessToken => "invalid_token",
            Self::InvalidCredentials => "invalid_credentials",
            Self::EmailNotVerified => "email_not_verified",
            Self::PasswordResetRequired => "password_reset_required",
            Self::InvalidSession => "invalid_session",
            Self::InvalidRefreshToken => "invalid_refresh_token",
            Self::RecentLoginRequired => "recent_login_required",
            Self::TooManyAttempts(_) => "too_many_attempts",
            Self::EmailChangedRecently => "email_changed_recently",
            Self::DeletionPending => "deletion_pending",
            Self::TriggerRefused(..) => "trigger_refused",
            Self::TriggerFailed(_) => "trigger_failed",
            Self::NotFound => "not_found",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }
}
