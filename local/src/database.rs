//! The table, in a DynamoDB that runs in this process unless another one is given.

use std::path::Path;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};
use dynoxide::Database;
use freehold_service::Clock;

use crate::StartError;
use crate::template::Table;

/// Lets items expire by the clock of the functions.
struct TableClock(Clock);

impl dynoxide::storage_backend::Clock for TableClock {
    fn now_unix_secs(&self) -> u64 {
        self.0.now().as_seconds()
    }

    #[expect(clippy::cast_precision_loss, reason = "the interface asks for it, and the seconds of our era fit")]
    fn now_unix_secs_f64(&self) -> f64 {
        self.now_unix_secs() as f64
    }
}

/// A database in memory, or in a file of a folder. Only the one in memory expires items by `clock`.
pub(crate) fn open(folder: Option<&Path>, clock: Clock) -> Result<Database, StartError> {
    let opened = match folder {
        None => Database::memory_with_clock(Arc::new(TableClock(clock))),
        Some(folder) => Database::new(&folder.join("table.sqlite").to_string_lossy()),
    };
    opened.map_err(|error| StartError::Database(error.to_string()))
}

/// Creates the table as the template describes it, unless it is there already. It gets no stream: the drain does not
/// need one, and streams that nobody trims slow every write down.
pub(crate) async fn create_table(client: &Client, name: &str, table: &Table) -> Result<(), StartError> {
    let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for attribute in &table.attributes {
        let definition = AttributeDefinition::builder()
            .attribute_name(&attribute.attribute_name)
            .attribute_type(ScalarAttributeType::from(attribute.attribute_type.as_str()));
        request = request.attribute_definitions(definition.build().map_err(|error| unbuilt(&error))?);
    }
    for key in &table.key_schema {
        let element = KeySchemaElement::builder()
            .attribute_name(&key.attribute_name)
            .key_type(KeyType::from(key.key_type.as_str()));
        request = request.key_schema(element.build().map_err(|error| unbuilt(&error))?);
    }
    match request.send().await {
        Ok(_) => {}
        Err(error) if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => {
            return Ok(());
        }
        Err(error) => return Err(refused(&error)),
    }
    let expiry = TimeToLiveSpecification::builder().attribute_name(&table.expiry_attribute).enabled(true);
    let request = client.update_time_to_live().table_name(name);
    request
        .time_to_live_specification(expiry.build().map_err(|error| unbuilt(&error))?)
        .send()
        .await
        .map_err(|error| refused(&error))?;
    Ok(())
}

fn unbuilt(error: &BuildError) -> StartError {
    StartError::Database(error.to_string())
}

fn refused<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StartError {
    let (code, message) = (error.code().unwrap_or("it does not answer"), error.message().unwrap_or_default());
    StartError::Database(format!("{code} {message}").trim_end().to_owned())
}
