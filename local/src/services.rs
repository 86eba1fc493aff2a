//! The AWS services beside DynamoDB and Lambda that the functions call, as far as they call them: SES v2, SQS and KMS.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use freehold_domain::Timestamp;
use freehold_service::Clock;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::kms::Kms;
use crate::mailbox::{Mail, Mailbox, SesFailure};

const AWS_JSON: &str = "application/x-amz-json-1.0";

#[derive(Clone)]
struct Services {
    mailbox: Mailbox,
    clock: Clock,
    kms: Kms,
}

/// SES's `SendEmail` and SQS's `SendMessage`, both into a mailbox, and KMS.
pub(crate) fn router(mailbox: Mailbox, clock: Clock) -> Router {
    Router::new()
        .route("/v2/email/outbound-emails", post(send_email))
        .route("/", post(by_target))
        .with_state(Services { mailbox, clock, kms: Kms::default() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    destination: Destination,
    content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Simple,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Part,
    body: Bodies,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Bodies {
    text: Option<Part>,
    html: Option<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    data: String,
}

async fn send_email(State(services): State<Services>, body: Bytes) -> Response {
    match services.mailbox.failure() {
        Some(SesFailure::Unavailable503) => {
            return refusal(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "SES is switched off.");
        }
        Some(SesFailure::Throttled) => {
            return refusal(
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequestsException",
                "Maximum sending rate exceeded.",
            );
        }
        Some(SesFailure::Rejected) => {
            return refusal(StatusCode::BAD_REQUEST, "MessageRejected", "SES is told to reject all mail.");
        }
        None => {}
    }
    let email: SendEmail = match serde_json::from_slice(&body) {
        Ok(email) => email,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, "BadRequestException", &error.to_string()),
    };
    let Bodies { text, html } = email.content.simple.body;
    let mail = Mail {
        from: email.from_email_address,
        to: email.destination.to_addresses.join(", "),
        subject: email.content.simple.subject.data,
        text: text.map(|part| part.data).unwrap_or_default(),
        html: html.map(|part| part.data).unwrap_or_default(),
        sent_at: rfc3339(services.clock.now()),
    };
    let id = format!("local-{}", services.mailbox.mails().len());
    match services.mailbox.keep(mail) {
        Ok(()) => answer(StatusCode::OK, "application/json", &json!({ "MessageId": id })),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceErrorException", &error.to_string()),
    }
}

fn rfc3339(time: Timestamp) -> String {
    let seconds = i64::try_from(time.as_seconds()).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}

/// Services whose requests all go to one path name the operation in a header.
async fn by_target(State(services): State<Services>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.strip_prefix("TrentService.")) {
        Some(operation) => match services.kms.answer(operation, &body) {
            Ok(answered) => answer(StatusCode::OK, AWS_JSON, &answered),
            Err(kind) => refusal(StatusCode::BAD_REQUEST, kind, "KMS is imitated here as far as it is called."),
        },
        None => send_message(&services, target, &body),
    }
}

fn send_message(services: &Services, operation: Option<&str>, body: &[u8]) -> Response {
    let message: Option<Value> = serde_json::from_slice(body).ok();
    let text = message.as_ref().and_then(|message| message.get("MessageBody")?.as_str());
    match (operation, text) {
        (Some("AmazonSQS.SendMessage"), Some(text)) => {
            services.mailbox.keep_dead_letter(text.to_owned());
            let id = format!("local-{}", services.mailbox.dead_letters().len());
            answer(StatusCode::OK, AWS_JSON, &json!({ "MessageId": id }))
        }
        (Some("AmazonSQS.SendMessage"), None) => {
            refusal(StatusCode::BAD_REQUEST, "MissingParameter", "The request must contain the parameter MessageBody.")
        }
        _ => refusal(StatusCode::BAD_REQUEST, "InvalidAction", "Only AmazonSQS.SendMessage is imitated here."),
    }
}

fn refusal(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body = json!({ "__type": kind, "message": message });
    let mut response = answer(status, "application/json", &body);
    response.headers_mut().insert("x-amzn-errortype", http::HeaderValue::from_static(kind));
    response
}

fn answer(status: StatusCode, content_type: &'static str, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, content_type)], body.to_string()).into_response()
}
