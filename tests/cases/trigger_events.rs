//! The events that triggers are sent, held against events that Cognito sent to others: see `tests/recorded`.

use std::collections::BTreeSet;

use aws_lambda_events::cognito;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tests::{PASSWORD, Pool, Triggers, root};

/// What an event of ours may have beside what the recorded one has: things that Cognito sends under conditions which that one
/// did not meet.
const CONDITIONAL: [&str; 2] = ["clientMetadata", "userNotFound"];

type Reads = fn(&Value) -> Result<(), serde_json::Error>;

fn reads<T: DeserializeOwned>(event: &Value) -> Result<(), serde_json::Error> {
    T::deserialize(event).map(drop)
}

/// Each source, the recorded event that is nearest to it, and what reads it.
const EVENTS: [(&str, &str, Reads); 16] = [
    ("PreSignUp_SignUp", "PreSignUp_SignUp", reads::<cognito::CognitoEventUserPoolsPreSignup>),
    (
        "PostConfirmation_ConfirmSignUp",
        "PostConfirmation_ConfirmSignUp",
        reads::<cognito::CognitoEventUserPoolsPostConfirmation>,
    ),
    (
        "PostConfirmation_ConfirmForgotPassword",
        "PostConfirmation_ConfirmSignUp",
        reads::<cognito::CognitoEventUserPoolsPostConfirmation>,
    ),
    (
        "PreAuthentication_Authentication",
        "PreAuthentication_Authentication",
        reads::<cognito::CognitoEventUserPoolsPreAuthentication>,
    ),
    (
        "PostAuthentication_Authentication",
        "PostAuthentication_Authentication",
        reads::<cognito::CognitoEventUserPoolsPostAuthentication>,
    ),
    (
        "TokenGeneration_Authentication",
        "TokenGeneration_Authentication",
        reads::<cognito::CognitoEventUserPoolsPreTokenGen>,
    ),
    (
        "TokenGeneration_RefreshTokens",
        "TokenGeneration_RefreshTokens",
        reads::<cognito::CognitoEventUserPoolsPreTokenGen>,
    ),
    (
        "UserMigration_Authentication",
        "UserMigration_Authentication",
        reads::<cognito::CognitoEventUserPoolsMigrateUser>,
    ),
    (
        "UserMigration_ForgotPassword",
        "UserMigration_ForgotPassword",
        reads::<cognito::CognitoEventUserPoolsMigrateUser>,
    ),
    (
        "DefineAuthChallenge_Authentication",
        "DefineAuthChallenge_Authentication",
        reads::<cognito::CognitoEventUserPoolsDefineAuthChallenge>,
    ),
    (
        "CreateAuthChallenge_Authentication",
        "CreateAuthChallenge_Authentication",
        reads::<cognito::CognitoEventUserPoolsCreateAuthChallenge>,
    ),
    (
        "VerifyAuthChallengeResponse_Authentication",
        "VerifyAuthChallengeResponse_Authentication",
        reads::<cognito::CognitoEventUserPoolsVerifyAuthChallenge>,
    ),
    ("CustomMessage_SignUp", "CustomMessage_SignUp", reads::<cognito::CognitoEventUserPoolsCustomMessage>),
    ("CustomMessage_ResendCode", "CustomMessage_SignUp", reads::<cognito::CognitoEventUserPoolsCustomMessage>),
    ("CustomMessage_ForgotPassword", "CustomMessage_SignUp", reads::<cognito::CognitoEventUserPoolsCustomMessage>),
    ("CustomMessage_UpdateUserAttribute", "CustomMessage_SignUp", reads::<cognito::CognitoEventUserPoolsCustomMessage>),
];

pub(crate) fn recorded(name: &str) -> Value {
    let path = root().join("tests/recorded").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// Compares two events key by key: which there are, and of what kind the values are. What is null in one may be anything in
/// the other.
pub(crate) fn compare(source: &str, ours: &Value, theirs: &Value) {
    assert_eq!(keys(ours), keys(theirs), "{source}");
    assert_eq!(keys(&ours["callerContext"]), keys(&theirs["callerContext"]), "{source}");
    for (name, value) in theirs.as_object().unwrap() {
        assert_same_kind(source, name, &ours[name], value);
    }
    let (our_request, their_request) = (&ours["request"], &theirs["request"]);
    let further: Vec<&str> = keys(our_request).difference(&keys(their_request)).copied().collect();
    assert!(further.iter().all(|key| CONDITIONAL.contains(key)), "{source} has also {further:?}");
    for (name, value) in their_request.as_object().unwrap() {
        if !(CONDITIONAL.contains(&name.as_str())) {
            assert!(our_request.get(name).is_some(), "{source} has no {name}");
            assert_same_kind(source, name, &our_request[name], value);
        }
    }
}

fn assert_same_kind(source: &str, name: &str, ours: &Value, theirs: &Value) {
    let same = ours.is_null() || theirs.is_null() || std::mem::discriminant(ours) == std::mem::discriminant(theirs);
    assert!(same, "{source}: {name} is {ours} here and {theirs} there");
}

/// What Cognito seeds the response with. Not every publication kept it.
fn seeded(source: &str) -> Value {
    let trigger = source.split('_').next().unwrap();
    match trigger {
        "PreSignUp" => json!({"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false}),
        "PostConfirmation" | "PreAuthentication" | "PostAuthentication" => json!({}),
        "TokenGeneration" => json!({"claimsOverrideDetails": null}),
        "UserMigration" => json!({"userAttributes": null, "forceAliasCreation": null, "enableSMSMFA": null,
            "finalUserStatus": null, "messageAction": null, "desiredDeliveryMediums": null}),
        "DefineAuthChallenge" => json!({"challengeName": null, "issueTokens": null, "failAuthentication": null}),
        "CreateAuthChallenge" => json!({"publicChallengeParameters": null, "privateChallengeParameters": null,
            "challengeMetadata": null}),
        "VerifyAuthChallengeResponse" => json!({"answerCorrect": null}),
        "CustomMessage" => json!({"smsMessage": null, "emailMessage": null, "emailSubject": null}),
        _ => Value::Null,
    }
}

/// Does everything that any trigger is called for.
async fn everything(pool: &Pool, triggers: &Triggers) {
    let ann = "ann@example.com";
    pool.post("/verify-email/resend", json!({"email": pool.address("nobody")})).await.assert_status(202);
    pool.register(ann).await.assert_status(201);
    pool.mails(ann).await;
    pool.post("/verify-email/resend", json!({"email": ann})).await.assert_status(202);
    let link = pool.link(ann).await;
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    let session = pool.signed_in(ann).await;
    pool.refresh(&session.refresh_token).await.assert_status(200);
    pool.asked_for_email(&session, "new@example.com").await;
    let link = pool.forgot(ann).await;
    let reset = json!({"user_id": link.user, "token": link.token, "new_password": PASSWORD});
    pool.post("/password/reset", reset).await.assert_status(200);
    pool.login("stranger@example.com").await.assert_problem(401, "invalid_credentials");
    pool.post("/password/forgot", json!({"email": "stranger@example.com"})).await.assert_status(202);

    triggers.answer("DefineAuthChallenge", json!({"challengeName": "CUSTOM_CHALLENGE"}));
    let parameters = json!({"publicChallengeParameters": {}, "privateChallengeParameters": {"answer": "1"}});
    triggers.answer("CreateAuthChallenge", parameters);
    triggers.answer("VerifyAuthChallengeResponse", json!({"answerCorrect": false}));
    let asked = pool.post("/login", json!({"email": ann, "flow": "custom"})).await;
    let answer = json!({"session": asked.text("session"), "answer": "2"});
    pool.post("/login/challenge", answer).await.assert_status(200);
}

const ALL: [&str; 10] = [
    "PreSignUp",
    "PostConfirmation",
    "PreAuthentication",
    "PostAuthentication",
    "PreTokenGeneration",
    "UserMigration",
    "DefineAuthChallenge",
    "CreateAuthChallenge",
    "VerifyAuthChallengeResponse",
    "CustomMessage",
];

#[tokio::test]
async fn every_event_is_as_cognito_sends_it() {
    let triggers = Triggers::start().await;
    let Some(pool) = Pool::with_triggers(&triggers, ALL).await else { return };
    everything(&pool, &triggers).await;
    for (source, nearest, reads) in EVENTS {
        let event = triggers.event(source);
        compare(source, &event, &recorded(nearest));
        assert_eq!(event["response"], seeded(source), "{source}");
        assert_eq!((event["version"].as_str(), event["region"].as_str()), (Some("1"), Some("us-east-1")), "{source}");
        assert_eq!(
            (event["userPoolId"].as_str(), &event["callerContext"]["clientId"]),
            (Some(pool.id()), &json!(pool.id()))
        );
        reads(&event).unwrap_or_else(|error| panic!("{source}: {error}"));
    }
    let sources: BTreeSet<String> = triggers.sources().into_iter().collect();
    let known = EVENTS.iter().map(|(source, ..)| (*source).to_owned());
    assert!(sources.is_subset(&known.collect()), "{sources:?}");
}

#[tokio::test]
async fn attributes_are_texts_with_what_only_an_account_has() {
    let triggers = Triggers::start().await;
    let Some(pool) = Pool::with_triggers(&triggers, ["PreSignUp", "PostAuthentication"]).await else { return };
    let schema = json!({"custom:seats": {"type": "number"}, "custom:news": {"type": "boolean"}});
    pool.set(json!({"attributes": schema.to_string()})).await;
    let attributes = json!({"given_name": "Anna", "custom:seats": 3, "custom:news": true});
    let body = json!({"email": "ann@example.com", "password": PASSWORD, "name": "Ann", "attributes": attributes});
    let user = pool.post("/register", body).await.text("user_id");
    let asked = triggers.event("PreSignUp_SignUp");
    assert_eq!(asked["userName"], *user);
    let said = json!({"email": "ann@example.com", "name": "Ann", "given_name": "Anna", "custom:seats": "3",
        "custom:news": "true"});
    assert_eq!(asked["request"]["userAttributes"], said);
    let link = pool.link("ann@example.com").await;
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    pool.login("ann@example.com").await.assert_status(200);
    let mut known = said;
    known["sub"] = json!(user);
    known["email_verified"] = json!("true");
    known["cognito:user_status"] = json!("CONFIRMED");
    assert_eq!(triggers.event("PostAuthentication_Authentication")["request"]["userAttributes"], known);
}

#[tokio::test]
async fn the_later_versions_of_the_event_before_tokens_are_as_cognito_sends_them() {
    for (name, version, file) in [
        ("PreTokenGeneration:V2_0", "2", "TokenGeneration_Authentication.v2"),
        ("PreTokenGeneration:V3_0", "3", "TokenGeneration_Authentication.v3"),
    ] {
        let triggers = Triggers::start().await;
        let Some(pool) = Pool::with_triggers(&triggers, [name]).await else { return };
        pool.verified("ann@example.com").await;
        let session = pool.signed_in("ann@example.com").await;
        pool.refresh(&session.refresh_token).await.assert_status(200);
        for source in ["TokenGeneration_Authentication", "TokenGeneration_RefreshTokens"] {
            let event = triggers.event(source);
            compare(source, &event, &recorded(file));
            assert_eq!(event["version"], version);
            assert_eq!(event["response"], json!({"claimsAndScopeOverrideDetails": null}));
            reads::<cognito::CognitoEventUserPoolsPreTokenGenV2>(&event).unwrap();
        }
    }
}
