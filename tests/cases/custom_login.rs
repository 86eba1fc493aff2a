//! Signing in by a conversation that three functions of the owner's conduct.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Need, PASSWORD, Pool, Reply, Triggers, claims};

/// No base64 has it by chance.
pub(crate) const ANSWER: &str = "forty-two";
pub(crate) const WRONG: &str = "forty-one";
const DEFINE: &str = "DefineAuthChallenge_Authentication";
const CREATE: &str = "CreateAuthChallenge_Authentication";
const VERIFY: &str = "VerifyAuthChallengeResponse_Authentication";

#[tokio::test]
async fn the_right_answer_signs_in() {
    let Some((_, pool, email)) = conducted().await else { return };
    let question = begin(&pool, &email).await;
    let session = asked(&question);
    assert_eq!(question.json()["parameters"], json!({"hint": "six times seven"}));
    assert!(question.session_cookie().is_none() && question.json().get("access_token").is_none());
    let answer = reply(&pool, &session, ANSWER).await;
    answer.assert_status(200);
    assert_eq!(amr(&answer), json!(["custom"]));
    assert_eq!(pool.me(&answer.text("access_token")).await.text("email"), email);
    let (refresh_token, _) = answer.session_cookie().unwrap();
    let refreshed = pool.refresh(&refresh_token).await;
    refreshed.assert_status(200);
    assert_eq!(amr(&refreshed), json!(["custom"]));
}

#[tokio::test]
async fn the_last_answer_may_ask_for_the_refresh_token_in_the_body() {
    let Some((_, pool, email)) = conducted().await else { return };
    let session = asked(&begin(&pool, &email).await);
    let body = json!({"session": session, "answer": ANSWER, "token_in": "body"});
    let answer = pool.post("/login/challenge", body).await;
    answer.assert_status(200);
    assert!(answer.text("refresh_token").starts_with("fh_rt_") && answer.session_cookie().is_none());
}

#[tokio::test]
async fn what_functions_keep_to_themselves_never_leaves() {
    let Some((_, pool, email)) = conducted().await else { return };
    let first = begin(&pool, &email).await;
    let second = reply(&pool, &asked(&first), WRONG).await;
    let third = reply(&pool, &asked(&second), WRONG).await;
    let last = reply(&pool, &asked(&third), ANSWER).await;
    last.assert_status(200);
    for answer in [first, second, third, last] {
        let parts = answer.text("session");
        let parts = parts.split('.').filter_map(|part| STANDARD.decode(part).ok());
        let parts = parts.map(|part| String::from_utf8_lossy(&part).into_owned());
        for text in parts.chain([answer.body.clone()]) {
            assert!(!text.contains(ANSWER) && !text.contains("ROUND-"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_wrong_answer_is_followed_by_another_question_until_the_functions_end_it() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    let first = asked(&begin(&pool, &email).await);
    let second = asked(&reply(&pool, &first, WRONG).await);
    let third = asked(&reply(&pool, &second, WRONG).await);
    assert!(first != second && second != third);
    let refused = reply(&pool, &third, WRONG).await;
    refused.assert_problem(401, "invalid_credentials");
    assert!(refused.session_cookie().is_none());
    let rounds = ["ROUND-1", "ROUND-2", "ROUND-3"].map(|at| round("CUSTOM_CHALLENGE", false, Some(at)));
    let seen: Vec<Value> = (0..=3).map(|so_far| json!(rounds[..so_far])).collect();
    assert_eq!(sessions_of(&triggers, DEFINE), seen);
    assert_eq!(sessions_of(&triggers, CREATE), seen[..3]);
}

#[tokio::test]
async fn the_one_function_is_given_what_the_other_kept() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    asked(&reply(&pool, &asked(&begin(&pool, &email).await), WRONG).await);
    let request = triggers.event(VERIFY)["request"].clone();
    assert_eq!(request["privateChallengeParameters"], json!({"answer": ANSWER}));
    assert_eq!((&request["challengeAnswer"], &request["userNotFound"]), (&json!(WRONG), &json!(false)));
}

#[tokio::test]
async fn a_question_is_answered_once() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    let session = asked(&begin(&pool, &email).await);
    reply(&pool, &session, ANSWER).await.assert_status(200);
    triggers.forget();
    reply(&pool, &session, ANSWER).await.assert_problem(401, "invalid_session");
    assert!(triggers.events().is_empty());
}

#[tokio::test]
async fn of_ten_parallel_answers_one_is_looked_at() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    let session = asked(&begin(&pool, &email).await);
    let answers = join_all((0..10).map(|_| reply(&pool, &session, WRONG))).await;
    let (looked_at, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((looked_at.len(), refused.len()), (1, 9));
    for answer in refused {
        answer.assert_problem(401, "invalid_session");
    }
    assert_eq!(triggers.sources().iter().filter(|source| *source == VERIFY).count(), 1);
}

#[tokio::test]
async fn an_answer_may_take_three_minutes() {
    let Some((_, pool, email)) = conducted().await else { return };
    let first = asked(&begin(&pool, &email).await);
    pool.pass(Duration::from_millis(3 * 60_000 - 1));
    let second = asked(&reply(&pool, &first, WRONG).await);
    pool.pass(Duration::from_mins(3));
    reply(&pool, &second, ANSWER).await.assert_problem(401, "invalid_session");
}

#[tokio::test]
async fn a_conversation_that_was_changed_in_any_part_is_none() {
    let Some((_, pool, email)) = conducted().await else { return };
    let session = asked(&begin(&pool, &email).await);
    let starts: Vec<usize> = session.match_indices('.').map(|(at, _)| at + 1).chain(["fh_cs_".len()]).collect();
    assert_eq!(starts.len(), 5);
    for at in starts {
        let mut changed = session.clone();
        changed.replace_range(at..=at, if session[at..].starts_with('1') { "2" } else { "1" });
        reply(&pool, &changed, ANSWER).await.assert_problem(401, "invalid_session");
    }
    reply(&pool, &session, ANSWER).await.assert_status(200);
}

#[tokio::test]
async fn what_is_no_conversation_is_refused_like_one_that_is_over() {
    let Some((_, pool, _)) = conducted().await else { return };
    for session in [json!("junk"), json!(""), json!("fh_cs_"), json!("fh_cs_."), Value::Null] {
        let answer = pool.post("/login/challenge", json!({"session": session, "answer": ANSWER})).await;
        answer.assert_problem(401, "invalid_session");
    }
    pool.post("/login/challenge", json!({"answer": ANSWER})).await.assert_problem(401, "invalid_session");
}

#[tokio::test]
async fn a_conversation_is_one_of_its_own_pool_also_under_the_same_secret() {
    let Some((triggers, pool, _)) = conducted().await else { return };
    let secret = pool.local().environment()["APPLICATION_SECRET"].clone();
    let variable = Triggers::variable(CONDUCTING);
    let environment = [
        ("TRIGGERS", &*variable),
        ("AWS_ENDPOINT_URL_LAMBDA", triggers.url()),
        ("APPLICATION_SECRET", &*secret),
        ("POOL_ID", "us-east-1_Another1"),
    ];
    let Some(another) = Pool::with_environment([Need::Inside], environment).await else { return };
    // Nobody has the address in either pool: only the seal can tell.
    let session = asked(&begin(&pool, "eve@example.com").await);
    triggers.forget();
    reply(&another, &session, WRONG).await.assert_problem(401, "invalid_session");
    assert!(triggers.events().is_empty());
    asked(&reply(&pool, &session, WRONG).await);
}

#[tokio::test]
async fn an_unknown_address_is_asked_the_same_and_never_let_in() {
    let Some((triggers, pool, _)) = conducted().await else { return };
    let first = begin(&pool, "eve@example.com").await;
    assert_eq!(first.json()["parameters"], json!({"hint": "six times seven"}));
    let second = asked(&reply(&pool, &asked(&first), WRONG).await);
    let refused = reply(&pool, &second, ANSWER).await;
    refused.assert_problem(401, "invalid_credentials");
    assert!(refused.session_cookie().is_none());
    assert_eq!(sessions_of(&triggers, DEFINE)[2][1]["challengeResult"], true, "the answer was right");
    for event in triggers.events() {
        let request = &event["request"];
        assert_eq!(request["userNotFound"], true, "{event}");
        assert_eq!((&event["userName"], &request["userAttributes"]), (&json!("eve@example.com"), &json!({})));
    }
}

#[tokio::test]
async fn a_conversation_that_its_functions_never_end_has_ten_answers() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    triggers.on("DefineAuthChallenge", |_| challenge("CUSTOM_CHALLENGE"));
    let mut session = asked(&begin(&pool, &email).await);
    for _ in 0..9 {
        session = asked(&reply(&pool, &session, ANSWER).await);
    }
    reply(&pool, &session, ANSWER).await.assert_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_password_that_is_brought_along_is_looked_at_when_it_is_asked_for() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    triggers.on("DefineAuthChallenge", define_password_first);
    let answer = reply(&pool, &asked(&begin_with(&pool, &email, PASSWORD).await), ANSWER).await;
    answer.assert_status(200);
    assert_eq!(amr(&answer), json!(["pwd", "custom"]));
    let rounds = [
        round("SRP_A", true, None),
        round("PASSWORD_VERIFIER", true, None),
        round("CUSTOM_CHALLENGE", true, Some("ROUND-3")),
    ];
    let seen: Vec<Value> = (1..=3).map(|so_far| json!(rounds[..so_far])).collect();
    assert_eq!(sessions_of(&triggers, DEFINE), seen);
}

#[tokio::test]
async fn a_wrong_password_that_is_brought_along_ends_it_at_once_for_known_and_unknown_addresses() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    triggers.on("DefineAuthChallenge", define_password_first);
    for (email, password) in [(&*email, "a password that is wrong"), ("eve@example.com", PASSWORD)] {
        triggers.forget();
        begin_with(&pool, email, password).await.assert_problem(401, "invalid_credentials");
        assert_eq!(triggers.sources(), [DEFINE]);
    }
}

#[tokio::test]
async fn a_password_that_was_not_brought_along_is_the_answer_to_a_question() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    triggers.on("DefineAuthChallenge", define_password_first);
    let question = begin(&pool, &email).await;
    question.assert_status(200);
    assert_eq!(question.text("challenge"), "PASSWORD_VERIFIER");
    assert_eq!(question.json()["parameters"], json!({}));
    let next = reply(&pool, &question.text("session"), PASSWORD).await;
    let answer = reply(&pool, &asked(&next), ANSWER).await;
    answer.assert_status(200);
    assert_eq!(amr(&answer), json!(["pwd", "custom"]));
}

#[tokio::test]
async fn a_wrong_password_as_an_answer_ends_the_conversation() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    triggers.on("DefineAuthChallenge", define_password_first);
    for wrong in ["a password that is wrong", "", &"a".repeat(600)] {
        let question = begin(&pool, &email).await;
        assert_eq!(question.text("challenge"), "PASSWORD_VERIFIER");
        let session = question.text("session");
        reply(&pool, &session, wrong).await.assert_problem(401, "invalid_credentials");
        reply(&pool, &session, PASSWORD).await.assert_problem(401, "invalid_session");
    }
}

#[tokio::test]
async fn the_function_before_passwords_is_asked_before_a_password_alone() {
    let triggers = functions().await;
    let names = [CONDUCTING[0], CONDUCTING[1], CONDUCTING[2], "PreAuthentication"];
    let Some(pool) = Pool::with_triggers(&triggers, names).await else { return };
    pool.verified("ann@example.com").await;
    let session = asked(&begin(&pool, "ann@example.com").await);
    reply(&pool, &session, ANSWER).await.assert_status(200);
    assert_eq!(triggers.sources(), [DEFINE, CREATE, VERIFY, DEFINE]);

    triggers.forget();
    triggers.on("DefineAuthChallenge", define_password_first);
    let sent = json!({"from": "login"});
    let body = json!({"email": "ann@example.com", "flow": "custom", "password": PASSWORD, "client_metadata": sent});
    asked(&pool.post("/login", body).await);
    assert_eq!(triggers.sources(), [DEFINE, "PreAuthentication_Authentication", DEFINE, CREATE]);
    assert_eq!(triggers.event("PreAuthentication_Authentication")["request"]["validationData"], sent);
}

#[tokio::test]
async fn what_a_client_hands_over_with_an_answer_reaches_every_function_after_it() {
    let triggers = functions().await;
    let names = [CONDUCTING[0], CONDUCTING[1], CONDUCTING[2], "PostAuthentication", "PreTokenGeneration"];
    let Some(pool) = Pool::with_triggers(&triggers, names).await else { return };
    pool.verified("ann@example.com").await;
    let metadata = json!({"from": "login"});
    let body = json!({"email": "ann@example.com", "flow": "custom", "client_metadata": metadata});
    let mut session = asked(&pool.post("/login", body).await);
    let has_none = |event: &Value| event["request"].get("clientMetadata").is_none();
    assert!(triggers.events().iter().all(has_none), "what comes with the beginning goes no further");

    let last = [VERIFY, DEFINE, "PostAuthentication_Authentication", "TokenGeneration_Authentication"];
    for (answer, sources) in [(WRONG, &[VERIFY, DEFINE, CREATE][..]), (ANSWER, &last[..])] {
        triggers.forget();
        let metadata = json!({"with": answer});
        let body = json!({"session": session, "answer": answer, "client_metadata": metadata});
        let next = pool.post("/login/challenge", body).await;
        next.assert_status(200);
        session = next.text("session");
        assert_eq!(triggers.sources(), sources);
        for event in triggers.events() {
            assert_eq!(event["request"]["clientMetadata"], metadata, "{event}");
        }
    }
}

#[tokio::test]
async fn whoever_ends_all_other_sessions_ends_conversations_too() {
    let Some((_, pool, email)) = conducted().await else { return };
    let session = pool.signed_in(&email).await;
    let waiting = asked(&begin(&pool, &email).await);
    pool.as_bearer(&session.access_token, "DELETE", "/me/sessions", Value::Null).await.assert_status(200);
    reply(&pool, &waiting, ANSWER).await.assert_problem(401, "invalid_session");
}

#[tokio::test]
async fn another_password_ends_conversations() {
    let Some((_, pool, email)) = conducted().await else { return };
    let waiting = asked(&begin(&pool, &email).await);
    let link = pool.forgot(&email).await;
    let body = json!({"user_id": link.user, "token": link.token, "new_password": "another horse, another staple"});
    pool.post("/password/reset", body).await.assert_status(200);
    reply(&pool, &waiting, ANSWER).await.assert_problem(401, "invalid_session");
}

#[tokio::test]
async fn a_conversation_that_is_not_finished_counts_as_a_guess_at_known_and_unknown_addresses() {
    let Some((_, pool, email)) = conducted().await else { return };
    for email in [&*email, "eve@example.com"] {
        for _ in 0..5 {
            asked(&begin(&pool, email).await);
        }
        let refused = begin(&pool, email).await;
        refused.assert_problem(429, "too_many_attempts");
        assert_eq!(refused.header("retry-after"), "1");
    }
    pool.pass(Duration::from_secs(1));
    asked(&begin(&pool, &email).await);
}

#[tokio::test]
async fn a_conversation_that_ends_well_forgives_those_before_it() {
    let Some((_, pool, email)) = conducted().await else { return };
    for _ in 0..3 {
        for _ in 0..4 {
            asked(&begin(&pool, &email).await);
        }
        let session = asked(&begin(&pool, &email).await);
        reply(&pool, &session, ANSWER).await.assert_status(200);
    }
}

#[tokio::test]
async fn only_right_answers_learn_that_the_address_is_not_verified() {
    let triggers = functions().await;
    let Some(pool) = Pool::with_triggers(&triggers, CONDUCTING).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    let session = asked(&begin(&pool, "ann@example.com").await);
    let session = asked(&reply(&pool, &session, WRONG).await);
    let refused = reply(&pool, &session, ANSWER).await;
    refused.assert_problem(403, "email_not_verified");
    assert!(refused.session_cookie().is_none());
}

#[tokio::test]
async fn a_pool_has_only_the_ways_to_sign_in_that_it_was_given() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    for flow in ["custom", "other", ""] {
        let body = json!({"email": "ann@example.com", "password": PASSWORD, "flow": flow});
        pool.post("/login", body).await.assert_problem(422, "invalid_flow");
    }
}

#[tokio::test]
async fn a_question_without_an_answer_still_waits_for_one() {
    let Some((_, pool, email)) = conducted().await else { return };
    let session = asked(&begin(&pool, &email).await);
    pool.post("/login/challenge", json!({"session": session})).await.assert_problem(422, "invalid_answer");
    reply(&pool, &session, ANSWER).await.assert_status(200);
}

#[tokio::test]
async fn a_function_must_say_what_comes_next() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    let nothing = json!({"challengeName": null, "issueTokens": null, "failAuthentication": null});
    for response in [nothing, json!({}), json!({"challengeName": "SMS_MFA"}), json!({"challengeName": "SRP_A"})] {
        triggers.answer("DefineAuthChallenge", response);
        begin(&pool, &email).await.assert_problem(502, "trigger_failed");
    }
}

#[tokio::test]
async fn functions_keep_no_more_than_a_client_can_send_back() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    let keeping = |bytes: usize| json!({"privateChallengeParameters": {"answer": ANSWER, "kept": "x".repeat(bytes)}});
    triggers.answer("CreateAuthChallenge", keeping(7_700));
    reply(&pool, &asked(&begin(&pool, &email).await), ANSWER).await.assert_status(200);
    triggers.answer("CreateAuthChallenge", keeping(8 * 1024));
    begin(&pool, &email).await.assert_problem(502, "trigger_failed");
}

const CONDUCTING: [&str; 3] = ["DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"];

/// Functions that ask until they get the answer, three times at most.
async fn functions() -> Triggers {
    let triggers = Triggers::start().await;
    triggers.on("DefineAuthChallenge", define);
    triggers.on("CreateAuthChallenge", create);
    triggers.on("VerifyAuthChallengeResponse", verify);
    triggers
}

/// A pool with these functions, and the address of a verified account.
pub(crate) async fn conducted() -> Option<(Triggers, Pool, String)> {
    let triggers = functions().await;
    let pool = Pool::with_triggers(&triggers, CONDUCTING).await?;
    let email = pool.address("ann");
    pool.verified(&email).await;
    Some((triggers, pool, email))
}

pub(crate) fn define(event: &Value) -> Reply {
    let rounds = event["request"]["session"].as_array().unwrap();
    match rounds.last() {
        Some(last) if last["challengeResult"] == true => Reply::Response(json!({"issueTokens": true})),
        Some(_) if rounds.len() >= 3 => Reply::Response(json!({"failAuthentication": true})),
        _ => challenge("CUSTOM_CHALLENGE"),
    }
}

/// The password, then one question.
fn define_password_first(event: &Value) -> Reply {
    let rounds = event["request"]["session"].as_array().unwrap();
    let names: Vec<&str> = rounds.iter().map(|round| round["challengeName"].as_str().unwrap()).collect();
    match names.as_slice() {
        [] | ["SRP_A"] => challenge("PASSWORD_VERIFIER"),
        [.., "PASSWORD_VERIFIER"] => challenge("CUSTOM_CHALLENGE"),
        _ if rounds[rounds.len() - 1]["challengeResult"] == true => Reply::Response(json!({"issueTokens": true})),
        _ => Reply::Response(json!({"failAuthentication": true})),
    }
}

fn challenge(name: &str) -> Reply {
    Reply::Response(json!({"challengeName": name, "issueTokens": false, "failAuthentication": false}))
}

fn create(event: &Value) -> Reply {
    let at = event["request"]["session"].as_array().unwrap().len() + 1;
    Reply::Response(json!({
        "publicChallengeParameters": {"hint": "six times seven"},
        "privateChallengeParameters": {"answer": ANSWER},
        "challengeMetadata": format!("ROUND-{at}"),
    }))
}

fn verify(event: &Value) -> Reply {
    let request = &event["request"];
    let is_correct = request["challengeAnswer"] == request["privateChallengeParameters"]["answer"];
    Reply::Response(json!({"answerCorrect": is_correct}))
}

pub(crate) async fn begin(pool: &Pool, email: &str) -> Answer {
    pool.post("/login", json!({"email": email, "flow": "custom"})).await
}

pub(crate) async fn begin_with(pool: &Pool, email: &str, password: &str) -> Answer {
    pool.post("/login", json!({"email": email, "password": password, "flow": "custom"})).await
}

pub(crate) async fn reply(pool: &Pool, session: &str, answer: &str) -> Answer {
    pool.post("/login/challenge", json!({"session": session, "answer": answer})).await
}

/// The conversation, in an answer that asks a question of the functions'.
#[track_caller]
pub(crate) fn asked(answer: &Answer) -> String {
    answer.assert_status(200);
    assert_eq!(answer.text("challenge"), "CUSTOM_CHALLENGE");
    answer.text("session")
}

fn amr(answer: &Answer) -> Value {
    claims(&answer.text("access_token"))["amr"].clone()
}

fn round(name: &str, passed: bool, metadata: Option<&str>) -> Value {
    json!({"challengeName": name, "challengeResult": passed, "challengeMetadata": metadata})
}

/// What the events of a source say of the rounds before, the oldest first.
fn sessions_of(triggers: &Triggers, source: &str) -> Vec<Value> {
    let events = triggers.events();
    let of_source = events.iter().filter(|event| event["triggerSource"] == source);
    of_source.map(|event| event["request"]["session"].clone()).collect()
}
