use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use freehold_domain::Error;
use freehold_domain::attributes::{Attributes, Kind, Rule, Schema, Value};
use serde::Deserialize;

use super::item::{Item, Map};
use super::text;

/// What the pool's item says of one attribute.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredRule {
    r#type: Option<StoredType>,
    min_length: Option<u32>,
    max_length: Option<u32>,
    min: Option<i64>,
    max: Option<i64>,
    mutable: Option<bool>,
    required: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredType {
    String,
    Number,
    Boolean,
    Date,
}

/// Reads the pool's schema, a JSON object from the name of an attribute to what is said of it.
pub(super) fn read_schema(json: &str) -> Option<Schema> {
    let rules: BTreeMap<String, StoredRule> = serde_json::from_str(json).ok()?;
    rules.into_iter().try_fold(Schema::default(), |schema, (name, stored)| {
        let kind = read_kind(&stored, Schema::standard(&name))?;
        let rule = Rule { kind, mutable: stored.mutable.unwrap_or(true), required: stored.required.unwrap_or(false) };
        schema.with(&name, rule)
    })
}

/// The kind of an attribute; nothing, where what is said contradicts itself, or the kind that a standard claim has.
fn read_kind(stored: &StoredRule, standard: Option<Kind>) -> Option<Kind> {
    let Kind::Text { min: shortest, max: longest } = Kind::TEXT else { return None };
    let Kind::Number { min: least, max: greatest } = Kind::NUMBER else { return None };
    let lengths = stored.min_length.is_some() || stored.max_length.is_some();
    let bounds = stored.min.is_some() || stored.max.is_some();
    let said = match stored.r#type {
        None => standard.unwrap_or(Kind::TEXT),
        Some(StoredType::String) => Kind::TEXT,
        Some(StoredType::Number) => Kind::NUMBER,
        Some(StoredType::Boolean) => Kind::Flag,
        Some(StoredType::Date) => Kind::Date,
    };
    if standard.is_some_and(|standard| standard != said) {
        return None;
    }
    match said {
        Kind::Text { .. } => {
            let (min, max) = (stored.min_length.unwrap_or(shortest), stored.max_length.unwrap_or(longest));
            (!bounds && shortest <= min && min <= max && max <= longest).then_some(Kind::Text { min, max })
        }
        Kind::Number { .. } => {
            let (min, max) = (stored.min.unwrap_or(least), stored.max.unwrap_or(greatest));
            (!lengths && least <= min && min <= max && max <= greatest).then_some(Kind::Number { min, max })
        }
        Kind::Flag | Kind::Date | Kind::WebAddress | Kind::LanguageTag => (!lengths && !bounds).then_some(said),
    }
}

pub(super) fn attributes_value(attributes: &Attributes) -> AttributeValue {
    let stored = |value: &Value| match value {
        Value::Text(value) => text(value),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::Flag(flag) => AttributeValue::Bool(*flag),
    };
    AttributeValue::M(attributes.iter().map(|(name, value)| (name.to_owned(), stored(value))).collect())
}

pub(super) fn read_attributes(item: &Item) -> Result<Attributes, Error> {
    let Some(stored) = item.map("attributes")? else { return Ok(Attributes::default()) };
    let read = |value: &AttributeValue| {
        let text = value.as_s().ok().map(|text| Value::Text(text.clone()));
        let number = || value.as_n().ok()?.parse().ok().map(Value::Number);
        text.or_else(number).or_else(|| value.as_bool().ok().map(|flag| Value::Flag(*flag)))
    };
    let read = |(name, value): (&String, &AttributeValue)| read(value).map(|value| (name.clone(), value));
    let attributes: Option<BTreeMap<String, Value>> = Map::iter(stored).map(read).collect();
    attributes.map(Attributes::from_stored).ok_or_else(|| item.broken("attributes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_says_of_each_attribute_what_it_may_be() {
        let schema = r#"{"custom:plan": {"type": "string", "min_length": 2, "max_length": 9, "mutable": false},
            "custom:seats": {"type": "number", "min": 1, "max": 500, "required": true}, "custom:news": {"type": "boolean"},
            "custom:since": {"type": "date"}, "custom:note": {}, "given_name": {"required": true, "max_length": 40},
            "birthdate": {"mutable": false}}"#;
        let text = |min, max| Rule::optional(Kind::Text { min, max });
        let expected = [
            ("custom:plan", Rule { mutable: false, ..text(2, 9) }),
            ("custom:seats", Rule { required: true, ..Rule::optional(Kind::Number { min: 1, max: 500 }) }),
            ("custom:news", Rule::optional(Kind::Flag)),
            ("custom:since", Rule::optional(Kind::Date)),
            ("custom:note", Rule::optional(Kind::TEXT)),
            ("given_name", Rule { required: true, ..text(1, 40) }),
            ("birthdate", Rule { mutable: false, ..Rule::optional(Kind::Date) }),
        ];
        let expected = expected.into_iter().try_fold(Schema::default(), |schema, (name, rule)| schema.with(name, rule));
        assert_eq!(read_schema(schema), expected);
        assert_eq!(read_schema("{}"), Some(Schema::default()));
    }

    #[test]
    fn a_schema_that_contradicts_itself_is_refused() {
        for wrong in [
            "",
            "[]",
            r#"{"plan": {}}"#,
            r#"{"email": {"required": true}}"#,
            r#"{"custom:plan": {"type": "text"}}"#,
            r#"{"custom:plan": {"maxlength": 5}}"#,
            r#"{"custom:plan": {"min_length": 5, "max_length": 4}}"#,
            r#"{"custom:plan": {"max_length": 4000}}"#,
            r#"{"custom:plan": {"max": 5}}"#,
            r#"{"custom:seats": {"type": "number", "max_length": 5}}"#,
            r#"{"custom:news": {"type": "boolean", "min": 0}}"#,
            r#"{"birthdate": {"type": "string"}}"#,
        ] {
            assert_eq!(read_schema(wrong), None, "{wrong}");
        }
    }
}
