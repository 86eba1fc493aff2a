use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

/// The table under a pool, to look at and to change by hand, as its owner can.
#[derive(Clone)]
pub struct Table {
    client: Client,
    name: String,
}

impl Table {
    /// The table of a DynamoDB that takes any credentials.
    #[must_use]
    pub fn local(endpoint: &str, name: &str) -> Self {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
            .endpoint_url(endpoint);
        Self { client: Client::from_conf(config.build()), name: name.to_owned() }
    }

    /// The table of a deployed stage, reached as the AWS SDK's own variables say.
    pub async fn deployed(name: String) -> Self {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Self { client: Client::new(&config), name }
    }

    /// Everything in the table, as text per attribute, ordered by key: to see that nothing was left behind, or what was.
    ///
    /// # Panics
    /// Where the table does not answer.
    pub async fn items(&self) -> Vec<BTreeMap<String, String>> {
        let scan = self.client.scan().table_name(&self.name).consistent_read(true);
        let items =
            scan.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.expect("the table answers");
        let as_text = |value: &AttributeValue| {
            value.as_s().or_else(|_| value.as_n()).cloned().unwrap_or_else(|value| format!("{value:?}"))
        };
        let mut items: Vec<BTreeMap<String, String>> = items
            .iter()
            .map(|item| item.iter().map(|(name, value)| (name.clone(), as_text(value))).collect())
            .collect();
        items.sort_by_key(|item| (item["pk"].clone(), item["sk"].clone()));
        items
    }

    /// Writes an item.
    ///
    /// # Panics
    /// Where the table does not answer.
    pub async fn put(&self, item: Value) {
        let mut put = self.client.put_item().table_name(&self.name);
        for (name, value) in item.as_object().into_iter().flatten() {
            put = put.item(name, attribute(value));
        }
        put.send().await.expect("the table answers");
    }

    /// Deletes an item.
    ///
    /// # Panics
    /// Where the table does not answer.
    pub async fn delete(&self, pk: &str, sk: &str) {
        let delete = self.client.delete_item().table_name(&self.name).key("pk", text(pk)).key("sk", text(sk));
        delete.send().await.expect("the table answers");
    }

    /// Sets an attribute of an item.
    ///
    /// # Panics
    /// Where the table does not answer.
    pub async fn set(&self, pk: &str, sk: &str, name: &str, value: impl Into<Value>) {
        let update = self.client.update_item().table_name(&self.name).key("pk", text(pk)).key("sk", text(sk));
        let update = update.update_expression("SET #name = :value").expression_attribute_names("#name", name);
        update.expression_attribute_values(":value", attribute(&value.into())).send().await.expect("the table answers");
    }
}

fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::Bool(flag) => AttributeValue::Bool(*flag),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => text(value.as_str().unwrap_or_default()),
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
