//! The DynamoDB table: one partition per user, and the conditional writes that are the security of the pool.
//!
//! Whatever may happen once is one conditional write. Reads are consistent. Expired items are deleted late, so every
//! reader checks `expires_at`; an item's type is checked too, so that a record of one purpose never serves another.

mod attributes;
mod challenges;
mod client;
mod deletion;
mod emails;
mod export;
mod guesses;
mod item;
mod keys;
mod limits;
mod outbox;
mod sessions;
mod settings;
mod steps;
mod users;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use freehold_domain::{Error, PoolId};

pub use challenges::ChallengeMail;
pub use client::{ATTEMPT_TIMEOUT, dynamodb_client};
use client::{conditional, failure, is_passing_cancellation};
pub use deletion::Deletion;
pub use emails::{EmailChange, EmailChangeUndone};
pub(crate) use export::Stored;
pub use guesses::FailedGuesses;
pub(crate) use guesses::GuessedAt;
use item::{Item, ItemType, Map};
use keys::{Key, Keys};
pub use outbox::Leased;
pub use sessions::Written;
pub use users::{Credentials, NewPassword, Registration};

/// The table of one pool.
pub struct Store {
    client: Client,
    table: String,
    keys: Keys,
}

impl Store {
    pub(crate) fn new(client: Client, table: String, pool: PoolId) -> Self {
        Self { client, table, keys: Keys::new(pool) }
    }

    /// Reads one item consistently, and checks that it is of the type.
    async fn get(&self, key: Key, item_type: ItemType) -> Result<Option<Item>, Error> {
        let read = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true)
            .set_key(Some(key.into_map()))
            .send()
            .await
            .map_err(|error| failure("GetItem", &error))?;
        read.item.map(|map| Item::read(map, item_type)).transpose()
    }

    fn put(&self, item: Map) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    fn update(&self, key: Key) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.into_map()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    fn delete(&self, key: Key) -> aws_sdk_dynamodb::types::builders::DeleteBuilder {
        Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key.into_map()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Writes all of it or nothing, the use of a challenge first among it. Whether it was written: not where the account is no
    /// longer as it was read.
    ///
    /// # Errors
    /// [`Error::InvalidAnswer`], where the challenge is no longer what it was.
    async fn transact_answer(&self, writes: Vec<TransactWriteItem>) -> Result<bool, Error> {
        match self.transact(writes).await? {
            Ok(()) => Ok(true),
            Err(refused) if refused.by(0).is_some() => Err(Error::InvalidAnswer),
            Err(_) => Ok(false),
        }
    }

    /// Writes all of it or nothing. The SDK gives the transaction a token and repeats it under the same one, so that a
    /// write whose answer was lost is not refused by its own result.
    ///
    /// What is returned where a condition failed are the items that failed it, by position.
    async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Result<(), Refused>, Error> {
        let written = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        let Err(error) = written else { return Ok(Ok(())) };
        if let Some(refused) = Refused::read(&error) {
            return Ok(Err(refused));
        }
        if error.as_service_error().is_some_and(is_passing_cancellation) {
            return Err(Error::unavailable("TransactWriteItems: it met another transaction, or was throttled"));
        }
        Err(failure("TransactWriteItems", &error))
    }
}

/// Why a transaction wrote nothing: per write, whether its condition failed and on what item.
struct Refused(Vec<Option<Map>>);

impl Refused {
    fn read(
        error: &aws_sdk_dynamodb::error::SdkError<
            aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError,
        >,
    ) -> Option<Self> {
        use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
            return None;
        };
        let failed = |reason: &aws_sdk_dynamodb::types::CancellationReason| {
            (reason.code() == Some("ConditionalCheckFailed")).then(|| reason.item.clone().unwrap_or_default())
        };
        let reasons: Vec<Option<Map>> = cancelled.cancellation_reasons().iter().map(failed).collect();
        reasons.iter().any(Option::is_some).then_some(Self(reasons))
    }

    /// The item that the condition of one write failed on: empty where there is none.
    fn by(&self, position: usize) -> Option<&Map> {
        self.0.get(position).and_then(Option::as_ref)
    }
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn bytes(value: &[u8]) -> AttributeValue {
    AttributeValue::B(value.to_vec().into())
}

fn put(builder: aws_sdk_dynamodb::types::builders::PutBuilder) -> Result<TransactWriteItem, Error> {
    Ok(TransactWriteItem::builder().put(builder.build().map_err(unbuilt)?).build())
}

fn update(builder: aws_sdk_dynamodb::types::builders::UpdateBuilder) -> Result<TransactWriteItem, Error> {
    Ok(TransactWriteItem::builder().update(builder.build().map_err(unbuilt)?).build())
}

fn delete(builder: aws_sdk_dynamodb::types::builders::DeleteBuilder) -> Result<TransactWriteItem, Error> {
    Ok(TransactWriteItem::builder().delete(builder.build().map_err(unbuilt)?).build())
}

/// A write that lacks a part is a mistake of ours, not of a caller.
fn unbuilt(_: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::internal("a write lacks a part")
}
