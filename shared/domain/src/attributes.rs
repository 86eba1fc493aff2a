//! What a pool keeps about people beside address and name: the standard claims of OpenID Connect Core 1.0, section 5.1, and
//! attributes of the pool's own, whose names begin with `custom:`.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;
use url::Url;

use crate::error::{FieldCode, FieldError};
use crate::language::Language;

/// The most that all attributes of one user may have, names and values. With it an item stays far from DynamoDB's bound.
const MAX_BYTES: usize = 16 * 1024;
/// The longest text where a pool says nothing, as in Cognito.
const MAX_CHARACTERS: u32 = 2_048;
/// An answer is not to be longer than what it answers.
const MAX_ERRORS: usize = 16;
const OWN_PREFIX: &str = "custom:";

/// Claims that are kept elsewhere, or that nobody says of themselves. A telephone number is how somebody could sign in.
const READ_ONLY: [&str; 8] =
    ["sub", "name", "email", "email_verified", "phone_number", "phone_number_verified", "updated_at", "roles"];

const STANDARD: [(&str, Kind); 13] = [
    ("address", Kind::TEXT),
    ("birthdate", Kind::Date),
    ("family_name", Kind::TEXT),
    ("gender", Kind::TEXT),
    ("given_name", Kind::TEXT),
    ("locale", Kind::LanguageTag),
    ("middle_name", Kind::TEXT),
    ("nickname", Kind::TEXT),
    ("picture", Kind::WebAddress),
    ("preferred_username", Kind::TEXT),
    ("profile", Kind::WebAddress),
    ("website", Kind::WebAddress),
    ("zoneinfo", Kind::TEXT),
];

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// So many characters, in NFC, none of them a control character but the line feed.
    Text {
        /// At least.
        min: u32,
        /// At most.
        max: u32,
    },
    /// A whole number within bounds.
    Number {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// Yes or no.
    Flag,
    /// A day of ISO 8601, `2026-11-22`; a year may be `0000` where it is not told, or stand alone.
    Date,
    /// An address of http or https.
    WebAddress,
    /// A language tag (RFC 5646), such as `de-CH`.
    LanguageTag,
}

impl Kind {
    /// A text of any length that is kept.
    pub const TEXT: Self = Self::Text { min: 1, max: MAX_CHARACTERS };
    /// Any whole number that every JSON parser reads exactly.
    pub const NUMBER: Self = Self::Number { min: -(1 << 53) + 1, max: (1 << 53) - 1 };

    fn accepts(self, value: &Value) -> Result<(), String> {
        match (self, value) {
            (Self::Text { min, max }, Value::Text(text)) => {
                let characters = text.chars().count();
                let fits = (min as usize..=max as usize).contains(&characters);
                let is_plain = !text.chars().any(|character| character.is_control() && character != '\n');
                (fits && is_plain).then_some(()).ok_or_else(|| format!("It is a text of {min} to {max} characters."))
            }
            (Self::Number { min, max }, Value::Number(number)) => (min..=max)
                .contains(number)
                .then_some(())
                .ok_or_else(|| format!("It is a whole number from {min} to {max}.")),
            (Self::Flag, Value::Flag(_)) => Ok(()),
            (Self::Date, Value::Text(text)) if is_date(text) => Ok(()),
            (Self::WebAddress, Value::Text(text)) if is_web_address(text) => Ok(()),
            (Self::LanguageTag, Value::Text(text)) if is_language_tag(text) => Ok(()),
            (Self::Text { .. }, _) => Err("It is a text.".to_owned()),
            (Self::Number { .. }, _) => Err("It is a whole number.".to_owned()),
            (Self::Flag, _) => Err("It is true or false.".to_owned()),
            (Self::Date, _) => Err("It is a day such as 2026-11-22.".to_owned()),
            (Self::WebAddress, _) => Err("It is an address of http or https.".to_owned()),
            (Self::LanguageTag, _) => Err("It is a language tag such as de-CH.".to_owned()),
        }
    }
}

fn is_date(text: &str) -> bool {
    let digits = |text: &str, length: usize| {
        (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u16>().ok())?
    };
    let mut parts = text.split('-');
    let year = parts.next().and_then(|year| digits(year, 4));
    let (month, day) = (parts.next(), parts.next());
    let is_day = match (month, day) {
        (None, None) => true,
        (Some(month), Some(day)) => {
            digits(month, 2).is_some_and(|month| (1..=12).contains(&month))
                && digits(day, 2).is_some_and(|day| (1..=31).contains(&day))
        }
        _ => false,
    };
    year.is_some() && is_day && parts.next().is_none()
}

fn is_web_address(text: &str) -> bool {
    // A browser would leave spaces and line breaks out, and so does the parser.
    text.len() <= MAX_CHARACTERS as usize
        && !text.chars().any(|character| character.is_control() || character.is_whitespace())
        && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn is_language_tag(text: &str) -> bool {
    let is_subtag =
        |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let language = text.split('-').next().unwrap_or_default();
    text.len() <= 35
        && (2..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text.split('-').all(is_subtag)
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

/// What a pool says of one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What it may be.
    pub kind: Kind,
    /// Whether it can be changed once somebody has signed up.
    pub mutable: bool,
    /// Whether everybody who signs up has it.
    pub required: bool,
}

impl Rule {
    /// An attribute that anybody may have and change.
    #[must_use]
    pub fn optional(kind: Kind) -> Self {
        Self { kind, mutable: true, required: false }
    }
}

/// What the users of a pool can say of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema(BTreeMap<String, Rule>);

impl Default for Schema {
    /// The standard claims, all of them optional.
    fn default() -> Self {
        Self(STANDARD.into_iter().map(|(name, kind)| (name.to_owned(), Rule::optional(kind))).collect())
    }
}

/// When attributes are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// Somebody signs up: what is required must be there.
    SigningUp,
    /// Afterwards: what is not mutable stays.
    Later,
}

/// New values by name; nothing for an attribute that goes.
pub type Changes = BTreeMap<String, Option<Value>>;

impl Schema {
    /// What a pool says of a standard claim: its kind is given.
    #[must_use]
    pub fn standard(name: &str) -> Option<Kind> {
        STANDARD.into_iter().find(|(standard, _)| *standard == name).map(|(_, kind)| kind)
    }

    /// Adds a rule: for a standard claim, or for an attribute of the pool's own, `custom:` and 1 to 20 lower-case letters,
    /// digits and `_`.
    #[must_use]
    pub fn with(mut self, name: &str, rule: Rule) -> Option<Self> {
        let is_own = name.strip_prefix(OWN_PREFIX).is_some_and(|own| {
            (1..=20).contains(&own.len())
                && own.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        });
        (is_own || Self::standard(name).is_some()).then(|| {
            self.0.insert(name.to_owned(), rule);
            self
        })
    }

    /// The attributes as they are with the changes.
    ///
    /// # Errors
    /// Everything that is wrong with the changes, by the name of the attribute.
    pub fn apply(
        &self,
        changes: Changes,
        before: &Attributes,
        occasion: Occasion,
    ) -> Result<Attributes, Vec<FieldError>> {
        let mut attributes = before.clone();
        let mut errors = Vec::new();
        for (name, value) in changes {
            match self.check(&name, value, occasion) {
                Ok(Some(value)) => _ = attributes.0.insert(name, value),
                Ok(None) => _ = attributes.0.remove(&name),
                Err((code, detail)) => errors.push(FieldError::new(&format!("attributes.{name}"), code, detail)),
            }
        }
        let is_missing = |(name, rule): &(&String, &Rule)| rule.required && !attributes.0.contains_key(*name);
        if occasion == Occasion::SigningUp {
            for (name, _) in self.0.iter().filter(is_missing) {
                let field = format!("attributes.{name}");
                if !errors.iter().any(|error| error.field == field) {
                    errors.push(FieldError::new(&field, FieldCode::RequiredAttribute, "This attribute is missing."));
                }
            }
        }
        if attributes.bytes() > MAX_BYTES {
            let detail = "All attributes together have at most 16 KiB.";
            errors.push(FieldError::new("attributes", FieldCode::InvalidAttribute, detail));
        }
        errors.truncate(MAX_ERRORS);
        if errors.is_empty() { Ok(attributes) } else { Err(errors) }
    }

    /// Reads attributes that are texts, whatever their kind, as Cognito has them; nothing, where the schema does not have them
    /// all, or not so.
    #[must_use]
    pub fn read_texts(&self, texts: BTreeMap<String, String>) -> Option<Attributes> {
        let read = |(name, text): (String, String)| {
            let value = match self.0.get(&name)?.kind {
                Kind::Number { .. } => Value::Number(text.parse().ok()?),
                Kind::Flag => Value::Flag(text.parse().ok()?),
                Kind::Text { .. } | Kind::Date | Kind::WebAddress | Kind::LanguageTag => Value::Text(text),
            };
            Some((name, Some(value)))
        };
        let changes: Changes = texts.into_iter().map(read).collect::<Option<_>>()?;
        self.apply(changes, &Attributes::default(), Occasion::SigningUp).ok()
    }

    fn check(
        &self,
        name: &str,
        value: Option<Value>,
        occasion: Occasion,
    ) -> Result<Option<Value>, (FieldCode, String)> {
        let Some(rule) = self.0.get(name) else {
            return Err(if READ_ONLY.contains(&name) {
                (FieldCode::ReadOnlyAttribute, "It cannot be set as an attribute.".to_owned())
            } else {
                (FieldCode::UnknownAttribute, "This pool has no such attribute.".to_owned())
            });
        };
        if occasion == Occasion::Later && !rule.mutable {
            return Err((FieldCode::ReadOnlyAttribute, "It stays as it was at sign-up.".to_owned()));
        }
        let value = match value {
            Some(Value::Text(text)) => Some(Value::Text(text.nfc().collect())),
            other => other,
        };
        match &value {
            None if rule.required => Err((FieldCode::RequiredAttribute, "Everybody here has it.".to_owned())),
            None => Ok(None),
            Some(said) => rule.kind.accepts(said).map(|()| value).map_err(|why| (FieldCode::InvalidAttribute, why)),
        }
    }
}

/// What a user has said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// What is stored, which was checked when it was said.
    #[must_use]
    pub fn from_stored(attributes: BTreeMap<String, Value>) -> Self {
        Self(attributes)
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The language of the claim `locale`, where it is one of ours.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        match self.0.get("locale") {
            Some(Value::Text(tag)) => Language::parse(tag),
            Some(Value::Number(_) | Value::Flag(_)) | None => None,
        }
    }

    fn bytes(&self) -> usize {
        let of_value = |value: &Value| match value {
            Value::Text(text) => text.len(),
            Value::Number(_) => 8,
            Value::Flag(_) => 1,
        };
        self.0.iter().map(|(name, value)| name.len() + of_value(value)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "a change may also take a value away")]
    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.to_owned()))
    }

    fn apply(
        schema: &Schema,
        occasion: Occasion,
        changes: &[(&str, Option<Value>)],
    ) -> Result<Attributes, Vec<String>> {
        let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        schema
            .apply(changes, &Attributes::default(), occasion)
            .map_err(|errors| errors.iter().map(|error| format!("{} {}", error.field, error.code.as_str())).collect())
    }

    fn own(rule: Rule) -> Schema {
        Schema::default().with("custom:plan", rule).unwrap()
    }

    #[test]
    fn every_standard_claim_is_taken_as_what_it_is() {
        for (name, value) in [
            ("address", "Street 1\n1234 Town"),
            ("birthdate", "0000-02-29"),
            ("birthdate", "1985"),
            ("family_name", "O'Neill"),
            ("gender", "x"),
            ("given_name", "Zoe\u{308}"),
            ("locale", "de-CH"),
            ("picture", "https://example.com/a.png"),
            ("website", "http://example.com"),
            ("zoneinfo", "Europe/Zurich"),
        ] {
            assert!(apply(&Schema::default(), Occasion::Later, &[(name, text(value))]).is_ok(), "{name} {value}");
        }
        let composed = apply(&Schema::default(), Occasion::Later, &[("given_name", text("Zoe\u{308}"))]).unwrap();
        assert_eq!(composed.iter().next(), Some(("given_name", &Value::Text("Zoë".to_owned()))));
    }

    #[test]
    fn what_is_not_of_its_kind_is_refused_by_name() {
        for (name, value) in [
            ("birthdate", text("22.11.2026")),
            ("birthdate", text("2026-13-01")),
            ("birthdate", text("2026-1-1")),
            ("birthdate", text("2026-11-22-1")),
            ("family_name", text("")),
            ("family_name", text("a\0b")),
            ("family_name", text(&"a".repeat(2_049))),
            ("family_name", Some(Value::Number(5))),
            ("family_name", Some(Value::Flag(true))),
            ("locale", text("d")),
            ("locale", text("de_CH")),
            ("picture", text("javascript:alert(1)")),
            ("website", text("example.com")),
            ("website", text("https://exa\nmple.com")),
        ] {
            let refused = apply(&Schema::default(), Occasion::Later, &[(name, value.clone())]);
            assert_eq!(refused, Err(vec![format!("attributes.{name} invalid_attribute")]), "{value:?}");
        }
    }

    #[test]
    fn what_nobody_says_of_themselves_is_refused_by_name() {
        for name in READ_ONLY {
            let refused = apply(&Schema::default(), Occasion::SigningUp, &[(name, text("x"))]);
            assert_eq!(refused, Err(vec![format!("attributes.{name} read_only_attribute")]));
        }
        let refused = apply(&Schema::default(), Occasion::SigningUp, &[("custom:plan", text("x"))]);
        assert_eq!(refused, Err(vec!["attributes.custom:plan unknown_attribute".to_owned()]));
    }

    #[test]
    fn what_is_not_mutable_is_said_at_sign_up_alone() {
        let schema = own(Rule { mutable: false, ..Rule::optional(Kind::TEXT) });
        assert!(apply(&schema, Occasion::SigningUp, &[("custom:plan", text("gold"))]).is_ok());
        for value in [text("gold"), None] {
            let refused = apply(&schema, Occasion::Later, &[("custom:plan", value)]);
            assert_eq!(refused, Err(vec!["attributes.custom:plan read_only_attribute".to_owned()]));
        }
    }

    #[test]
    fn what_is_required_is_there_at_sign_up_and_stays() {
        let schema = own(Rule { required: true, ..Rule::optional(Kind::TEXT) });
        let missing = Err(vec!["attributes.custom:plan required_attribute".to_owned()]);
        assert_eq!(apply(&schema, Occasion::SigningUp, &[]), missing);
        assert_eq!(apply(&schema, Occasion::SigningUp, &[("custom:plan", None)]), missing);
        assert_eq!(apply(&schema, Occasion::Later, &[("custom:plan", None)]), missing);
        assert!(apply(&schema, Occasion::Later, &[("gender", text("x"))]).is_ok());
    }

    #[test]
    fn lengths_and_bounds_are_the_pools() {
        let short = own(Rule::optional(Kind::Text { min: 2, max: 3 }));
        let (taken, refused) = (["ab", "äöü"], ["a", "abcd"]);
        let is_taken = |schema: &Schema, value| apply(schema, Occasion::Later, &[("custom:plan", value)]).is_ok();
        assert!(taken.into_iter().all(|value| is_taken(&short, text(value))));
        assert!(!refused.into_iter().any(|value| is_taken(&short, text(value))));
        let small = own(Rule::optional(Kind::Number { min: 0, max: 9 }));
        assert!(is_taken(&small, Some(Value::Number(9))) && !is_taken(&small, Some(Value::Number(10))));
        assert!(!is_taken(&small, text("9")));
        let flag = own(Rule::optional(Kind::Flag));
        assert!(is_taken(&flag, Some(Value::Flag(false))) && !is_taken(&flag, text("false")));
    }

    #[test]
    fn all_attributes_together_are_bounded() {
        let long = "a".repeat(2_000);
        let names = ["address", "family_name", "gender", "given_name", "middle_name", "nickname", "preferred_username"];
        let mut changes: Vec<_> = names.iter().map(|name| (*name, text(&long))).collect();
        assert!(apply(&Schema::default(), Occasion::Later, &changes).is_ok());
        changes.extend([("zoneinfo", text(&long)), ("website", text(&format!("https://a.example/{long}")))]);
        let refused = apply(&Schema::default(), Occasion::Later, &changes);
        assert_eq!(refused, Err(vec!["attributes invalid_attribute".to_owned()]));
    }

    #[test]
    fn a_pools_own_attributes_are_named_so() {
        let is_name = |name: &str| Schema::default().with(name, Rule::optional(Kind::Flag)).is_some();
        assert!(is_name("custom:a") && is_name("custom:plan_2") && is_name("gender"));
        for wrong in ["plan", "custom:", "custom:Plan", "custom:a-b", "custom:aaaaaaaaaaaaaaaaaaaaa", "email", "sub"] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_locale_chooses_a_language() {
        let language = |tag| apply(&Schema::default(), Occasion::Later, &[("locale", text(tag))]).unwrap().language();
        assert_eq!(language("pt-BR"), Some(Language::Portuguese));
        assert_eq!(language("nl"), None);
    }
}
