//! The owner's own functions, called as Amazon Cognito calls its Lambda triggers: at the same points, with the same JSON, by
//! the same rules about what fails.
//!
//! Each call is one function here, a sentence in a flow. Where the pool has no such trigger it answers at once, and nothing
//! is read for it. The events are those of Cognito's developer guide, "Customizing user pool workflows with Lambda triggers".

mod authentication;
mod challenges;
mod functions;
mod messages;
mod migration;
mod sign_up;
mod subject;
mod token_generation;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::{RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use freehold_domain::Error;
use freehold_domain::trigger::{Metadata, Trigger};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use authentication::{post_authentication, pre_authentication};
pub(crate) use challenges::{Definition, Step, create_challenge, define_challenge, verify_answer};
pub(crate) use functions::TokenGenerationVersion;
pub use functions::TriggerFunctions;
pub(crate) use messages::{custom_message, hand_to_custom_sender};
pub(crate) use migration::{Migrated, migrate_at_forgot_password, migrate_at_sign_in};
pub(crate) use sign_up::{Confirmed, Newcomer, post_confirmation, pre_sign_up};
pub(crate) use subject::Subject;
pub(crate) use token_generation::{TokenOccasion, pre_token_generation};

use crate::{App, Config};

/// How long a trigger may take, as in Cognito.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a trigger is called that does not answer, as in Cognito. One that answers is called once, whatever it says.
const MAX_ATTEMPTS: u32 = 3;
/// The longest message of a trigger that is passed on.
const MAX_ERROR_CHARACTERS: usize = 1_000;
/// What the types of errors begin with that Lambda itself reports: the function has crashed, or ran out of time or memory.
const NOT_THROWN: [&str; 4] = ["Runtime.", "Sandbox.", "Extension.", "Function."];
/// What it says of them where it gives them no type.
const UNTYPED_CRASHES: [&str; 2] = ["Task timed out after", "Runtime exited"];
/// What the runtime of functions in Rust says of a panic.
const PANICKED: &str = "Lambda panicked";

/// A client of Lambda that waits and tries as Cognito does.
#[must_use]
pub fn lambda_client(sdk: &SdkConfig) -> Client {
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_millis(500));
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    // As with the table, no request pays for what another met.
    let partition = RetryPartition::custom("triggers").token_bucket(TokenBucket::unlimited()).build();
    let config = aws_sdk_lambda::config::Builder::from(sdk)
        .retry_config(retries)
        .retry_partition(partition)
        .timeout_config(timeouts);
    Client::from_conf(config.build())
}

/// A client of KMS that waits as long for each try.
#[must_use]
pub fn kms_client(sdk: &SdkConfig) -> aws_sdk_kms::Client {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    aws_sdk_kms::Client::from_conf(aws_sdk_kms::config::Builder::from(sdk).timeout_config(timeouts).build())
}

/// The trigger of a pool at one point, ready to be called.
struct Call<'a> {
    trigger: Trigger,
    function: &'a str,
    client: &'a Client,
    config: &'a Config,
}

impl App {
    /// Whether the pool has a trigger.
    pub(crate) fn has_trigger(&self, trigger: Trigger) -> bool {
        self.config.triggers.function(trigger).is_some()
    }

    fn trigger(&self, trigger: Trigger) -> Result<Option<Call<'_>>, Error> {
        let Some(function) = self.config.triggers.function(trigger) else { return Ok(None) };
        Ok(Some(Call { trigger, function, client: self.lambda()?, config: &self.config }))
    }
}

/// What comes back: the event, of which only what the function wrote into it is read.
#[derive(Deserialize)]
struct Answer {
    /// The reader of a struct would also take an array, field by field.
    response: serde_json::Map<String, Value>,
}

/// An answer that says nothing: an object, whatever is in it.
type Nothing = serde_json::Map<String, Value>;

/// What Lambda answers for a function that did not.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionError {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl Call<'_> {
    /// Calls the function with an event, and reads its answer. The response is given as Cognito seeds it.
    async fn invoke<R: DeserializeOwned>(
        &self,
        source: &str,
        subject: &Subject,
        request: Value,
        response: Value,
    ) -> Result<R, Error> {
        let mut event = self.event(source, subject, &request);
        event["response"] = response;
        let answer = self.send(&event, InvocationType::RequestResponse).await?;
        let answer =
            serde_json::from_slice(&answer).and_then(|Answer { response }| serde_json::from_value(response.into()));
        answer.map_err(|_| self.failed("its answer is not the event"))
    }

    fn event(&self, source: &str, subject: &Subject, request: &Value) -> Value {
        let pool = self.config.pool.as_str();
        let mut event = json!({
            "version": self.version(),
            "triggerSource": format!("{}_{source}", self.source_prefix()),
            "region": self.config.pool.region(),
            "userPoolId": pool,
            "userName": subject.user_name(),
            "callerContext": { "awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": pool },
            "request": request,
        });
        event["request"]["userAttributes"] = json!(subject.attributes());
        event
    }

    /// What the source of an event begins with: the trigger's name, but for tokens.
    fn source_prefix(&self) -> &'static str {
        if self.trigger == Trigger::PreTokenGeneration { "TokenGeneration" } else { self.trigger.as_str() }
    }

    fn version(&self) -> &'static str {
        if self.trigger == Trigger::PreTokenGeneration {
            self.config.triggers.token_generation().event_version()
        } else {
            "1"
        }
    }

    /// The SDK repeats what Lambda did not get the function to answer in time. What the function answered is not repeated.
    async fn send(&self, event: &Value, invocation: InvocationType) -> Result<Vec<u8>, Error> {
        let sent = self
            .client
            .invoke()
            .function_name(self.function)
            .invocation_type(invocation)
            .payload(Blob::new(event.to_string()))
            .send()
            .await;
        let output = sent.map_err(|error| self.failed(error.code().unwrap_or("no answer")))?;
        let payload = output.payload.map(Blob::into_inner).unwrap_or_default();
        if output.function_error.is_some() { Err(self.thrown(&payload)) } else { Ok(payload) }
    }

    /// What an error of the function means. One that it threw is in its owner's words and for the caller, as Cognito passes
    /// it on; how it crashed is nobody's business.
    fn thrown(&self, payload: &[u8]) -> Error {
        let Ok(FunctionError { error_type, error_message: Some(message) }) = serde_json::from_slice(payload) else {
            return self.failed("it ended without an answer");
        };
        let is_crash = match error_type {
            Some(kind) => NOT_THROWN.iter().any(|prefix| kind.starts_with(prefix)) || message.starts_with(PANICKED),
            // Lambda gave time-outs and crashes no type of their own for years.
            None => UNTYPED_CRASHES.iter().any(|words| message.contains(words)),
        };
        if is_crash {
            return self.failed("it crashed, or took too long");
        }
        Error::TriggerRefused(self.trigger, message.chars().take(MAX_ERROR_CHARACTERS).collect())
    }

    fn failed(&self, words: &str) -> Error {
        Error::trigger_failed(self.trigger, words)
    }
}

/// What a client sent to be checked; null, as Cognito writes it, where it sent nothing.
fn validation_data(metadata: Option<&Metadata>) -> Value {
    metadata.map_or(Value::Null, |metadata| json!(metadata.expose()))
}

/// The request with what the client handed over. Unlike other absent things this is not null: Cognito leaves it out.
fn with_client_metadata(mut request: Value, metadata: Option<&Metadata>) -> Value {
    if let Some(metadata) = metadata {
        request["clientMetadata"] = json!(metadata.expose());
    }
    request
}
