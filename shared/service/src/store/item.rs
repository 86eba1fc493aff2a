use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use freehold_crypto::code::CodeMac;
use freehold_crypto::token::SecretHash;
use freehold_domain::challenge::Purpose;
use freehold_domain::{Error, Timestamp};

use super::{Key, text};

pub(super) type Map = HashMap<String, AttributeValue>;

/// What an item is. It is written into every item and checked whenever one is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemType {
    Settings,
    User,
    Credentials,
    Claim,
    Session,
    Challenge(Purpose),
    Mail,
    Limit,
    Deletion,
    Step,
    Decoy,
}

impl ItemType {
    /// Reads the type that is written into an item.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let challenges = Purpose::ALL.map(Self::Challenge);
        let others = [
            Self::Settings,
            Self::User,
            Self::Credentials,
            Self::Claim,
            Self::Session,
            Self::Mail,
            Self::Limit,
            Self::Deletion,
            Self::Step,
            Self::Decoy,
        ];
        others.into_iter().chain(challenges).find(|item_type| item_type.as_str() == text)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::User => "user",
            Self::Credentials => "credentials",
            Self::Claim => "claim",
            Self::Session => "session",
            Self::Challenge(Purpose::VerifyEmail) => "verification",
            Self::Challenge(Purpose::ResetPassword) => "password-reset",
            Self::Challenge(purpose @ (Purpose::ChangeEmail | Purpose::UndoEmailChange | Purpose::KeepAccount)) => {
                purpose.as_str()
            }
            Self::Deletion => "deletion",
            Self::Mail => "mail",
            Self::Limit => "limit",
            Self::Step => "step",
            Self::Decoy => "decoy",
        }
    }
}

/// A new item: its key, its type and its attributes. An attribute that is `None` is left out.
pub(super) fn item<const N: usize>(
    key: Key,
    item_type: ItemType,
    attributes: [(&str, Option<AttributeValue>); N],
) -> Map {
    let mut map = key.into_map();
    map.insert("item_type".to_owned(), text(item_type.as_str()));
    for (name, value) in attributes {
        if let Some(value) = value {
            map.insert(name.to_owned(), value);
        }
    }
    map
}

/// An item that was read and is of the type that was asked for.
pub(super) struct Item {
    map: Map,
    item_type: ItemType,
}

impl Item {
    pub(super) fn read(map: Map, item_type: ItemType) -> Result<Self, Error> {
        let item = Self { map, item_type };
        if item.text("item_type")? == item_type.as_str() { Ok(item) } else { Err(item.broken("item_type")) }
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, Error> {
        self.optional_text(name)?.ok_or_else(|| self.broken(name))
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&str>, Error> {
        let Some(value) = self.map.get(name) else { return Ok(None) };
        value.as_s().map(|value| Some(value.as_str())).map_err(|_| self.broken(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<&str>, Error> {
        let broken = |_| self.broken(name);
        let list = self.map.get(name).ok_or_else(|| self.broken(name))?.as_l().map_err(broken)?;
        list.iter().map(|value| value.as_s().map(String::as_str).map_err(broken)).collect()
    }

    pub(super) fn number(&self, name: &str) -> Result<u64, Error> {
        self.optional_number(name)?.ok_or_else(|| self.broken(name))
    }

    pub(super) fn optional_number(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(value) = self.map.get(name) else { return Ok(None) };
        let value = value.as_n().ok().and_then(|value| value.parse().ok());
        value.map(Some).ok_or_else(|| self.broken(name))
    }

    /// A map; nothing, where there is none.
    pub(super) fn map(&self, name: &str) -> Result<Option<&Map>, Error> {
        let Some(value) = self.map.get(name) else { return Ok(None) };
        value.as_m().map(Some).map_err(|_| self.broken(name))
    }

    /// A yes or a no; no, where there is none.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Error> {
        let Some(value) = self.map.get(name) else { return Ok(false) };
        value.as_bool().copied().map_err(|_| self.broken(name))
    }

    /// The attribute that DynamoDB expires items by: whole seconds.
    pub(super) fn expires_at(&self) -> Result<Timestamp, Error> {
        self.number("expires_at").map(Timestamp::from_seconds)
    }

    /// Any other moment: milliseconds.
    pub(super) fn moment(&self, name: &str) -> Result<Timestamp, Error> {
        self.number(name).map(Timestamp::from_millis)
    }

    pub(super) fn hash(&self, name: &str) -> Result<SecretHash, Error> {
        self.optional_hash(name)?.ok_or_else(|| self.broken(name))
    }

    pub(super) fn optional_hash(&self, name: &str) -> Result<Option<SecretHash>, Error> {
        let Some(value) = self.map.get(name) else { return Ok(None) };
        let hash = value.as_b().ok().and_then(|value| SecretHash::from_bytes(value.as_ref()));
        hash.map(Some).ok_or_else(|| self.broken(name))
    }

    pub(super) fn code_mac(&self, name: &str) -> Result<CodeMac, Error> {
        let mac = self.map.get(name).and_then(|value| CodeMac::from_bytes(value.as_b().ok()?.as_ref()));
        mac.ok_or_else(|| self.broken(name))
    }

    /// The generation of a user or a session: the first is not written.
    pub(super) fn generation(&self) -> Result<u32, Error> {
        let generation = self.optional_number("generation")?.unwrap_or_default();
        u32::try_from(generation).map_err(|_| self.broken("generation"))
    }

    /// The text, read by the type that it must be of.
    pub(super) fn parse<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
        parse(self.text(name)?).ok_or_else(|| self.broken(name))
    }

    /// The text, read by the type that it must be of; nothing, where there is none.
    pub(super) fn optional<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
        let text = self.optional_text(name)?;
        text.map(|text| parse(text).ok_or_else(|| self.broken(name))).transpose()
    }

    /// An attribute that is not as this code writes it. Its value is nobody's business.
    pub(super) fn broken(&self, name: &str) -> Error {
        Error::internal(format!("an item of type {} has no valid {name}", self.item_type.as_str()))
    }
}
