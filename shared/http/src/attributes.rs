//! Attributes of users on this wire: a JSON object of texts, whole numbers, `true` and `false`.

use std::collections::BTreeMap;

use freehold_domain::attributes::{Attributes, Changes, Value};
use serde::{Deserialize, Serialize, Serializer};

/// What is to be different: `null` takes an attribute away (as in RFC 7396).
#[derive(Debug, Default, Deserialize)]
pub struct WireChanges(BTreeMap<String, Option<WireValue>>);

/// What a user has said.
#[derive(Debug, Serialize)]
pub struct WireAttributes(BTreeMap<String, WireValue>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum WireValue {
    Text(String),
    Number(Whole),
    Flag(bool),
}

/// A whole number that every JSON parser reads exactly, however it is written: `3.0` is one.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
struct Whole(i64);

impl TryFrom<f64> for Whole {
    type Error = &'static str;

    fn try_from(number: f64) -> Result<Self, &'static str> {
        const GREATEST: f64 = 9_007_199_254_740_991.0;
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and within bounds")]
        let whole = (number.fract() == 0.0 && number.abs() <= GREATEST).then_some(Self(number as i64));
        whole.ok_or("not a whole number")
    }
}

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl From<WireChanges> for Changes {
    fn from(WireChanges(changes): WireChanges) -> Self {
        let value = |value| match value {
            WireValue::Text(text) => Value::Text(text),
            WireValue::Number(Whole(number)) => Value::Number(number),
            WireValue::Flag(flag) => Value::Flag(flag),
        };
        changes.into_iter().map(|(name, said)| (name, said.map(value))).collect()
    }
}

impl From<&Attributes> for WireAttributes {
    fn from(attributes: &Attributes) -> Self {
        let value = |value: &Value| match value {
            Value::Text(text) => WireValue::Text(text.clone()),
            Value::Number(number) => WireValue::Number(Whole(*number)),
            Value::Flag(flag) => WireValue::Flag(*flag),
        };
        Self(attributes.iter().map(|(name, said)| (name.to_owned(), value(said))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Changes> {
        let changes: WireChanges = serde_json::from_str(&format!(r#"{{"a": {value}}}"#)).ok()?;
        Some(changes.into())
    }

    fn change(value: Option<Value>) -> Changes {
        Changes::from([("a".to_owned(), value)])
    }

    #[test]
    fn texts_whole_numbers_flags_and_null_are_values() {
        assert_eq!(read(r#""x""#), Some(change(Some(Value::Text("x".to_owned())))));
        assert_eq!(read("true"), Some(change(Some(Value::Flag(true)))));
        assert_eq!(read("null"), Some(change(None)));
        for number in ["-3", "-3.0", "-3e0"] {
            assert_eq!(read(number), Some(change(Some(Value::Number(-3)))), "{number}");
        }
        assert_eq!(read("9007199254740991"), Some(change(Some(Value::Number(9_007_199_254_740_991)))));
    }

    #[test]
    fn nothing_else_is_one() {
        for wrong in ["3.5", "9007199254740993", "1e300", "[]", "{}"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
