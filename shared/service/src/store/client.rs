use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::StalledStreamProtectionConfig;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction, RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use freehold_domain::Error;

use super::Map;

/// Why one write of a cancelled transaction may succeed the next time.
const PASSING_REASONS: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

/// What DynamoDB says when it may succeed the next time.
const PASSING_ERRORS: [&str; 8] = [
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// How long an attempt may take in AWS, where most take a few milliseconds.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);

const MAX_ATTEMPTS: u32 = 5;

/// A client of DynamoDB that tries an operation at most 5 times, with jitter, and gives up after four times an attempt's
/// timeout.
#[must_use]
pub fn dynamodb_client(sdk: &SdkConfig, attempt_timeout: Duration) -> Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(500));
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(attempt_timeout)
        .operation_timeout(4 * attempt_timeout)
        .build();
    // The SDK would keep a budget of retries for the whole process, and refuse them to one request for what another met.
    let partition = RetryPartition::custom("freehold").token_bucket(TokenBucket::unlimited()).build();
    let config = aws_sdk_dynamodb::config::Builder::from(sdk)
        .retry_config(retries)
        .retry_partition(partition)
        // Answers are read whole within their attempt, which in AWS ends long before the SDK would give one up for being slow.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts)
        .retry_classifier(ConflictsPass);
    Client::from_conf(config.build())
}

/// Two transactions that met may each succeed alone. The SDK knows of throttling, not of this.
#[derive(Debug)]
struct ConflictsPass;

impl ClassifyRetry for ConflictsPass {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let Some(error) = error.as_operation_error() else { return RetryAction::NoActionIndicated };
        let met_another = error.downcast_ref::<TransactWriteItemsError>().is_some_and(is_passing_cancellation)
            || error.downcast_ref::<UpdateItemError>().is_some_and(UpdateItemError::is_transaction_conflict_exception)
            || error.downcast_ref::<PutItemError>().is_some_and(PutItemError::is_transaction_conflict_exception)
            || error.downcast_ref::<DeleteItemError>().is_some_and(DeleteItemError::is_transaction_conflict_exception);
        if met_another { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "transaction conflicts pass"
    }
}

/// Whether every write that refused did so for a reason that passes: a condition that failed will fail again.
pub(super) fn is_passing_cancellation(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { return false };
    let mut codes =
        cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).filter(|code| *code != "None");
    codes.clone().next().is_some() && codes.all(|code| PASSING_REASONS.contains(&code))
}

/// An operation whose write may be conditional.
pub(super) trait MayFailCondition: ProvideErrorMetadata {
    /// The failed condition, if that is what the error is.
    fn failed_condition(&self) -> Option<&ConditionalCheckFailedException>;
}

impl MayFailCondition for UpdateItemError {
    fn failed_condition(&self) -> Option<&ConditionalCheckFailedException> {
        if let Self::ConditionalCheckFailedException(failed) = self { Some(failed) } else { None }
    }
}

impl MayFailCondition for PutItemError {
    fn failed_condition(&self) -> Option<&ConditionalCheckFailedException> {
        if let Self::ConditionalCheckFailedException(failed) = self { Some(failed) } else { None }
    }
}

impl MayFailCondition for DeleteItemError {
    fn failed_condition(&self) -> Option<&ConditionalCheckFailedException> {
        if let Self::ConditionalCheckFailedException(failed) = self { Some(failed) } else { None }
    }
}

/// Where a condition failed: the item that it failed on, if there is one and the write asked to see it.
pub(super) type SeenInstead = Option<Map>;

/// Tells a failed condition, which is an answer, from a failed operation.
pub(super) fn conditional<T, E: MayFailCondition>(
    operation: &'static str,
    result: Result<T, SdkError<E>>,
) -> Result<Result<T, SeenInstead>, Error> {
    match result {
        Ok(written) => Ok(Ok(written)),
        Err(error) => match error.as_service_error().and_then(MayFailCondition::failed_condition) {
            Some(failed) => Ok(Err(failed.item.clone())),
            None => Err(failure(operation, &error)),
        },
    }
}

/// What a failed operation means to a caller. The message of such an error can hold keys and values of items: only the
/// operation's name and the error's code go further.
pub(super) fn failure<E: ProvideErrorMetadata>(operation: &'static str, error: &SdkError<E>) -> Error {
    let Some(service_error) = error.as_service_error() else {
        return Error::unavailable(format!("{operation}: no answer"));
    };
    let code = service_error.code().unwrap_or("unknown");
    let cause = format!("{operation}: {code}");
    let is_theirs = error.raw_response().is_some_and(|response| response.status().is_server_error());
    if PASSING_ERRORS.contains(&code) || is_theirs { Error::unavailable(cause) } else { Error::internal(cause) }
}
