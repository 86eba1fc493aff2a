//! `CustomMessage` and `CustomEmailSender`: mail in the owner's words, or by the owner's function.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use serde_json::{Value, json};
use sha2::Sha512;
use tests::{Answer, Link, Need, PASSWORD, Pool, Reply, SignedIn, Triggers};

use crate::trigger_events::{compare, recorded};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/mail";
const DATA_KEY: [u8; 32] = [7; 32];

#[tokio::test]
async fn what_the_function_writes_is_what_is_mailed_with_the_code_in_its_place() {
    let Some((_, pool)) = with_words().await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    let mails = pool.mails("ann@example.com").await;
    assert_eq!((mails.len(), &mails[0]["subject"], &mails[0]["text"]), (1, &json!("Welcome"), &json!("")));
    let body = json!({"email": "ann@example.com", "code": link_in(&mails[0]).code});
    pool.post("/verify-email", body).await.assert_status(200);
    pool.login("ann@example.com").await.assert_status(200);
}

#[tokio::test]
async fn the_link_is_in_its_place_too() {
    let Some((_, pool)) = with_words().await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    let link = link_in(&pool.mails("ann@example.com").await[0]);
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    pool.login("ann@example.com").await.assert_status(200);
}

#[tokio::test]
async fn the_function_is_told_what_stands_for_code_and_link() {
    let Some((triggers, pool)) = with_echo().await else { return };
    let user = pool.register("ann@example.com").await.text("user_id");
    pool.mails("ann@example.com").await;
    let event = triggers.event("CustomMessage_SignUp");
    assert_eq!(event["userName"], json!(user));
    let request = &event["request"];
    assert_eq!((&request["codeParameter"], &request["linkParameter"]), (&json!("{####}"), &json!("{##Click Here##}")));
    assert_eq!(request.get("usernameParameter"), Some(&Value::Null));
    assert_eq!(request.get("clientMetadata"), None, "nothing was handed over");
    assert_eq!(request["userAttributes"]["email"], "ann@example.com");
    assert_eq!(event["response"], json!({"smsMessage": null, "emailMessage": null, "emailSubject": null}));
}

#[tokio::test]
async fn every_mail_that_asks_something_has_its_source_and_what_its_request_hands_over() {
    let Some((triggers, pool)) = with_echo().await else { return };
    let email = "ann@example.com";
    let sent = |at: &str| json!({"at": at});
    let body = json!({"email": email, "password": PASSWORD, "client_metadata": sent("SignUp")});
    pool.post("/register", body).await.assert_status(201);
    let first = pool.link(email).await;
    let body = json!({"email": email, "client_metadata": sent("ResendCode")});
    pool.post("/verify-email/resend", body).await.assert_status(202);
    let Link { user, token, .. } = pool.newer_link(email, &first).await;
    pool.post("/verify-email", json!({"user_id": user, "token": token})).await.assert_status(200);
    let body = json!({"email": email, "client_metadata": sent("ForgotPassword")});
    pool.post("/password/forgot", body).await.assert_status(202);
    pool.mails(email).await;
    let session = pool.signed_in(email).await;
    ask_for_email(&pool, &session, sent("UpdateUserAttribute")).await.assert_status(202);
    pool.mails("new@example.com").await;

    let occasions = ["SignUp", "ResendCode", "ForgotPassword", "UpdateUserAttribute"];
    assert_eq!(triggers.sources(), occasions.map(|occasion| format!("CustomMessage_{occasion}")));
    for (event, occasion) in triggers.events().iter().zip(occasions) {
        assert_eq!(event["request"]["clientMetadata"], sent(occasion), "{event}");
    }
}

#[tokio::test]
async fn a_subject_alone_is_that_of_the_usual_mail() {
    let Some((triggers, pool)) = with_echo().await else { return };
    triggers.answer("CustomMessage", json!({"smsMessage": null, "emailMessage": null, "emailSubject": "Welcome"}));
    pool.verified("ann@example.com").await;
    assert_eq!(pool.mails("ann@example.com").await[0]["subject"], "Welcome");
}

#[tokio::test]
async fn a_message_alone_has_the_usual_subject() {
    let Some((triggers, pool)) = with_echo().await else { return };
    triggers.answer("CustomMessage", json!({"emailMessage": MESSAGE}));
    pool.register("ann@example.com").await.assert_status(201);
    let mails = pool.mails("ann@example.com").await;
    link_in(&mails[0]);
    assert_eq!(mails[0]["subject"], "Did you sign up?");
}

#[tokio::test]
async fn where_the_function_writes_nothing_the_mail_is_the_usual_one() {
    let Some((triggers, pool)) = with_echo().await else { return };
    let nothing = json!({"smsMessage": null, "emailMessage": null, "emailSubject": null});
    for (email, response) in [("ann@example.com", nothing), ("bob@example.com", json!({}))] {
        triggers.answer("CustomMessage", response);
        pool.verified(email).await;
        assert_eq!(pool.mails(email).await[0]["subject"], "Did you sign up?");
    }
}

#[tokio::test]
async fn what_cannot_be_mailed_waits_until_the_function_is_mended() {
    let Some((triggers, pool)) = with_words().await else { return };
    let unusable = [
        json!({"emailMessage": "Hello"}),
        json!({"emailMessage": ""}),
        json!({"emailMessage": "{####}".repeat(3_334)}),
        json!({"emailMessage": MESSAGE, "emailSubject": "s".repeat(141)}),
        json!({"emailMessage": MESSAGE, "emailSubject": "Welcome\r\nBcc: eve@example.com"}),
    ];
    for response in unusable {
        triggers.answer("CustomMessage", response);
        waits_until_mended(&triggers, &pool).await;
    }
}

#[tokio::test]
async fn what_the_function_refuses_to_write_waits_until_it_is_mended() {
    let Some((triggers, pool)) = with_words().await else { return };
    triggers.on("CustomMessage", |_| Reply::Throws("No words today"));
    waits_until_mended(&triggers, &pool).await;
    triggers.on("CustomMessage", |_| Reply::Returns(Value::Null));
    waits_until_mended(&triggers, &pool).await;
}

#[tokio::test]
async fn what_only_tells_something_is_nothing_for_the_function() {
    let Some((triggers, pool)) = with_echo().await else { return };
    let email = "ann@example.com";
    pool.verified(email).await;
    let session = pool.signed_in(email).await;
    triggers.forget();
    let body = json!({"current_password": PASSWORD, "new_password": PASSWORD});
    pool.as_bearer(&session.access_token, "POST", "/password/change", body).await.assert_status(200);
    assert_eq!(pool.mails(email).await[0]["subject"], "Your password was changed");
    assert!(triggers.events().is_empty());
}

#[tokio::test]
async fn the_mail_that_takes_a_change_back_is_nothing_for_the_function() {
    let Some((triggers, pool)) = with_echo().await else { return };
    pool.verified("ann@example.com").await;
    let session = pool.signed_in("ann@example.com").await;
    let link = pool.asked_for_email(&session, "new@example.com").await;
    triggers.forget();
    pool.post("/email/confirm", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    pool.link_to_undo("ann@example.com").await;
    assert!(triggers.events().is_empty());
}

#[tokio::test]
async fn a_function_that_sends_is_handed_the_code_encrypted_and_nothing_else_is_sent() {
    let names = ["CustomMessage", "CustomEmailSender"];
    let Some(Sending { triggers, pool, requests }) = sending(names).await else { return };
    let metadata = json!({"from": "here"});
    let body = json!({"email": "ann@example.com", "password": PASSWORD, "client_metadata": metadata});
    let user = pool.post("/register", body).await.text("user_id");
    assert!(pool.mails("ann@example.com").await.is_empty());
    pool.pass(Duration::from_mins(5));
    assert!(pool.mails("ann@example.com").await.is_empty());
    assert_eq!(outbox(&pool).await, 0);

    assert_eq!(triggers.sources(), ["CustomEmailSender_SignUp"]);
    let event = triggers.event("CustomEmailSender_SignUp");
    // Of this source no event was published.
    compare("CustomEmailSender_SignUp", &event, &recorded("CustomEmailSender_ForgotPassword"));
    assert_eq!((&event["userName"], event.get("response")), (&json!(user), None));
    let request = &event["request"];
    assert_eq!((&request["type"], &request["clientMetadata"]), (&json!("customEmailSenderRequestV1"), &metadata));
    assert_eq!(request["userAttributes"]["email"], "ann@example.com");
    let code = opened_code(&event);
    let body = json!({"email": "ann@example.com", "code": code});
    pool.post("/verify-email", body).await.assert_status(200);

    let requests = requests.lock().unwrap().clone();
    assert_eq!(requests.len(), 1);
    assert_eq!((&requests[0]["KeyId"], &requests[0]["KeySpec"]), (&json!(KEY), &json!("AES_256")));
    assert_eq!(requests[0]["EncryptionContext"], json!({"userpool-id": pool.id()}));
}

#[tokio::test]
async fn a_function_that_sends_is_handed_metadata_where_cognito_hands_it_over() {
    let Some(Sending { triggers, pool, .. }) = sending(["CustomEmailSender"]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    pool.mails("ann@example.com").await;
    let body = json!({"email": "ann@example.com", "client_metadata": {"from": "here"}});
    pool.post("/verify-email/resend", body).await.assert_status(202);
    pool.mails("ann@example.com").await;
    for source in ["CustomEmailSender_SignUp", "CustomEmailSender_ResendCode"] {
        assert_eq!(triggers.event(source)["request"].get("clientMetadata"), Some(&Value::Null), "{source}");
    }
    let code = opened_code(&triggers.event("CustomEmailSender_ResendCode"));
    pool.post("/verify-email", json!({"email": "ann@example.com", "code": code})).await.assert_status(200);

    let body = json!({"email": "ann@example.com", "client_metadata": {"from": "here"}});
    pool.post("/password/forgot", body).await.assert_status(202);
    pool.mails("ann@example.com").await;
    let event = triggers.event("CustomEmailSender_ForgotPassword");
    compare("CustomEmailSender_ForgotPassword", &event, &recorded("CustomEmailSender_ForgotPassword"));
    assert_eq!(event["request"]["clientMetadata"], json!({"from": "here"}));
    let password = "another horse battery staple";
    let reset = json!({"email": "ann@example.com", "code": opened_code(&event), "new_password": password});
    pool.post("/password/reset", reset).await.assert_status(200);
}

#[tokio::test]
async fn a_function_that_sends_is_told_the_address_that_the_mail_is_for() {
    let Some(Sending { triggers, pool, .. }) = sending(["PreSignUp", "CustomEmailSender"]).await else { return };
    triggers.answer("PreSignUp", json!({"autoConfirmUser": true, "autoVerifyEmail": true}));
    pool.register("ann@example.com").await.assert_status(201);
    let session = pool.signed_in("ann@example.com").await;
    ask_for_email(&pool, &session, json!({})).await.assert_status(202);
    pool.mails("new@example.com").await;
    // Sent to the address that the account has, the code would show that the new one is theirs, whosever it is.
    let event = triggers.event("CustomEmailSender_UpdateUserAttribute");
    assert_eq!(event["request"]["userAttributes"]["email"], "new@example.com");
}

/// What the function writes, where it writes.
const MESSAGE: &str = "<p>Type {####} or {##Click Here##}.</p>";

fn words() -> Value {
    json!({"smsMessage": null, "emailMessage": MESSAGE, "emailSubject": "Welcome"})
}

/// A pool whose function writes mails.
async fn with_words() -> Option<(Triggers, Pool)> {
    let (triggers, pool) = with_echo().await?;
    triggers.answer("CustomMessage", words());
    Some((triggers, pool))
}

/// A pool whose function is asked and writes nothing.
async fn with_echo() -> Option<(Triggers, Pool)> {
    let triggers = Triggers::start().await;
    let pool = Pool::with_triggers(&triggers, ["CustomMessage"]).await?;
    Some((triggers, pool))
}

/// What a mail of the function's carries.
#[track_caller]
fn link_in(mail: &Value) -> Link {
    let html = mail["html"].as_str().unwrap();
    let (code, rest) = html.strip_prefix("<p>Type ").unwrap().split_once(" or <a href=\"").unwrap();
    let (href, rest) = rest.split_once("\">").unwrap();
    assert_eq!(rest, "Click Here</a>.</p>");
    let (user, token) = href.split_once("?user=").unwrap().1.split_once("&amp;token=").unwrap();
    Link { user: user.to_owned(), token: token.to_owned(), code: code.to_owned() }
}

/// Somebody signs up while the function writes what cannot be mailed.
async fn waits_until_mended(triggers: &Triggers, pool: &Pool) {
    let email = pool.address("ann");
    pool.register(&email).await.assert_status(201);
    assert!(pool.mails(&email).await.is_empty());
    assert_eq!(outbox(pool).await, 1);
    triggers.answer("CustomMessage", words());
    pool.pass(Duration::from_secs(30));
    let mails = pool.mails(&email).await;
    assert_eq!((mails.len(), outbox(pool).await), (1, 0));
    link_in(&mails[0]);
}

async fn outbox(pool: &Pool) -> usize {
    pool.items().await.iter().filter(|item| item["item_type"] == "mail").count()
}

async fn ask_for_email(pool: &Pool, session: &SignedIn, metadata: Value) -> Answer {
    let mut body = json!({"new_email": "new@example.com", "current_password": PASSWORD});
    body["client_metadata"] = metadata;
    pool.as_bearer(&session.access_token, "POST", "/me/email", body).await
}

type Requests = Arc<Mutex<Vec<Value>>>;

/// A pool whose mail a function sends, with a KMS that keeps what it is asked.
struct Sending {
    triggers: Triggers,
    pool: Pool,
    requests: Requests,
}

async fn sending<const N: usize>(names: [&str; N]) -> Option<Sending> {
    let (triggers, requests) = (Triggers::start().await, Requests::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let kms = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(generate_data_key)).with_state(Arc::clone(&requests));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let variable = Triggers::variable(names);
    let environment = [
        ("TRIGGERS", &*variable),
        ("AWS_ENDPOINT_URL_LAMBDA", triggers.url()),
        ("CUSTOM_SENDER_KEY", KEY),
        ("AWS_ENDPOINT_URL_KMS", &*kms),
    ];
    let pool = Pool::with_environment([Need::Inside], environment).await?;
    Some(Sending { triggers, pool, requests })
}

/// The code in an event for a function that sends mail.
fn opened_code(event: &Value) -> String {
    opened(&STANDARD.decode(event["request"]["code"].as_str().unwrap()).unwrap())
}

/// Opens a message of the AWS Encryption SDK as its specification says ("Message Format", version 2), by the data key of this
/// file's KMS. That the libraries of others open it too is shown with its vectors.
fn opened(message: &[u8]) -> String {
    let mut rest = message;
    let mut take = |bytes: usize| {
        let (part, after) = rest.split_at(bytes);
        rest = after;
        part
    };
    let length = |bytes: &[u8]| bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    assert_eq!(take(1), [2], "the version");
    let suite = take(2);
    let id = take(32);
    let context = length(take(2));
    take(context);
    assert_eq!(length(take(2)), 1, "the number of data keys");
    let [provider, key, _wrapped] = [(); 3].map(|()| {
        let bytes = length(take(2));
        take(bytes)
    });
    assert_eq!((provider, key), ("aws-kms".as_bytes(), KEY.as_bytes()));
    // The kind of content, the length of a frame, the commitment, and the tag of the header.
    take(1 + 4 + 32 + 16);
    let (_end, number, nonce) = (take(4), take(4), take(12));
    let bytes = length(take(4));
    let (sealed, none_left) = (take(bytes + 16), take(0));
    assert!(none_left.is_empty());
    let mut derived = [0; 32];
    Hkdf::<Sha512>::new(Some(id), &DATA_KEY).expand(&[suite, b"DERIVEKEY"].concat(), &mut derived).unwrap();
    let size = u64::try_from(bytes).unwrap().to_be_bytes();
    let aad = [id, b"AWSKMSEncryptionClient Final Frame", number, &size].concat();
    let nonce: [u8; 12] = nonce.try_into().unwrap();
    let opened = Aes256Gcm::new(&derived.into()).decrypt(&nonce.into(), Payload { msg: sealed, aad: &aad }).unwrap();
    String::from_utf8(opened).unwrap()
}

async fn generate_data_key(State(requests): State<Requests>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!(headers["x-amz-target"], "TrentService.GenerateDataKey");
    requests.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let made = json!({
        "CiphertextBlob": STANDARD.encode("the data key, encrypted"),
        "Plaintext": STANDARD.encode(DATA_KEY),
        "KeyId": KEY,
    });
    ([("content-type", "application/x-amz-json-1.1")], made.to_string()).into_response()
}
