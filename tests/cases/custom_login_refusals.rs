//! What becomes of a custom sign-in whose functions fail or contradict themselves, and what its answers tell a stranger.

use serde_json::{Value, json};
use tests::{PASSWORD, Pool, Reply, Triggers};

use crate::custom_login::{ANSWER, WRONG, asked, begin, begin_with, conducted, define, reply};

/// A function that only looks at the last round believes that there was one.
#[tokio::test]
async fn a_password_that_is_brought_along_and_never_looked_at_lets_nobody_in() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    triggers.on("DefineAuthChallenge", define);
    for password in ["wrong password", PASSWORD] {
        begin_with(&pool, &email, password).await.assert_problem(401, "invalid_credentials");
    }
    assert!(pool.items().await.iter().all(|item| item["item_type"] != "session"));
}

#[tokio::test]
async fn a_function_that_says_both_lets_nobody_in() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    triggers.answer("DefineAuthChallenge", json!({"issueTokens": true, "failAuthentication": true}));
    begin(&pool, &email).await.assert_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn an_answer_that_is_not_said_to_be_right_is_wrong() {
    for response in [json!({}), json!({"answerCorrect": null}), json!({"answerCorrect": false})] {
        let Some((triggers, pool, email)) = conducted().await else { return };
        let session = asked(&begin(&pool, &email).await);
        triggers.answer("VerifyAuthChallengeResponse", response);
        asked(&reply(&pool, &session, ANSWER).await);
    }
}

#[tokio::test]
async fn each_of_the_three_functions_can_refuse_and_fail() {
    for name in ["DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"] {
        for (does, status, code) in [("throws", 400, "trigger_refused"), ("crashes", 502, "trigger_failed")] {
            let Some((triggers, pool, email)) = conducted().await else { return };
            let session = asked(&begin(&pool, &email).await);
            triggers.on(name, move |_| match does {
                "throws" => Reply::Throws("Closed"),
                _ => Reply::Crashes(json!({"errorType": "Runtime.ExitError", "errorMessage": "exit"})),
            });
            let answer = reply(&pool, &session, WRONG).await;
            answer.assert_problem(status, code);
            assert!(does == "crashes" || answer.text("detail") == format!("{name} failed with error Closed."));
            // The step was used all the same: nobody tries answers by making functions fail.
            reply(&pool, &session, ANSWER).await.assert_problem(401, "invalid_session");
        }
    }
}

/// The envelope hides what is in it, and not how long it is.
#[tokio::test]
async fn the_length_of_a_conversation_does_not_tell_who_has_an_account() {
    let Some((_triggers, pool, email)) = conducted().await else { return };
    let of_known = asked(&begin(&pool, &email).await).len();
    for name in ["a", "somebody-with-a-longer-name"] {
        assert_eq!(asked(&begin(&pool, &pool.address(name)).await).len(), of_known);
    }
}

#[tokio::test]
async fn a_pool_has_all_three_functions_or_none() {
    let environment = [("TRIGGERS".to_owned(), Triggers::variable(["DefineAuthChallenge"]))].into();
    let options = local::Options { environment, ..local::Options::default() };
    let refused = local::Local::start(options).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.starts_with("TRIGGERS: DefineAuthChallenge, CreateAuthChallenge and"), "{refused}");
}

#[tokio::test]
async fn what_a_trigger_says_and_a_client_hands_over_reaches_no_item_of_the_table() {
    let Some((triggers, pool, email)) = conducted().await else { return };
    triggers
        .on("CreateAuthChallenge", |_| Reply::Response(json!({"privateChallengeParameters": {"a": "private-part"}})));
    let body = json!({"email": email, "flow": "custom", "client_metadata": {"a": "metadata-part"}});
    let session = pool.post("/login", body).await.text("session");
    let body = json!({"session": session, "answer": "answer-part", "client_metadata": {"a": "metadata-part"}});
    pool.post("/login/challenge", body).await.assert_status(200);
    let resend = json!({"email": pool.address("eve"), "client_metadata": {"a": "metadata-part"}});
    pool.post("/verify-email/resend", resend).await.assert_status(202);
    assert_hidden(&pool, ["private-part", "metadata-part", "answer-part"]).await;
}

async fn assert_hidden<const N: usize>(pool: &Pool, secrets: [&str; N]) {
    let items: Value = json!(pool.items().await);
    for secret in secrets {
        assert!(!items.to_string().contains(secret), "{secret} is in the table");
    }
}
