//! `PreAuthentication` and `PostAuthentication`: who may try to sign in, and who is told.

use serde_json::{Value, json};
use tests::{PASSWORD, Pool, Reply, Triggers};

const BEFORE: &str = "PreAuthentication_Authentication";
const AFTER: &str = "PostAuthentication_Authentication";
const BOTH: [&str; 2] = ["PreAuthentication", "PostAuthentication"];

fn login(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password, "client_metadata": {"captcha": "c"}})
}

#[tokio::test]
async fn functions_are_asked_before_the_password_is_looked_at_and_told_after_it_was_right() {
    let triggers = Triggers::start().await;
    let Some(pool) = Pool::with_triggers(&triggers, BOTH).await else { return };
    let user = pool.verified("ann@example.com").await;
    pool.post("/login", login("ann@example.com", "wrong password")).await.assert_problem(401, "invalid_credentials");
    assert_eq!(triggers.sources(), [BEFORE]);
    let asked = triggers.event(BEFORE);
    assert_eq!((asked["userName"].as_str(), &asked["request"]["userNotFound"]), (Some(&*user), &json!(false)));
    assert_eq!(asked["request"]["userAttributes"]["email"], "ann@example.com");
    pool.post("/login", login("ann@example.com", PASSWORD)).await.assert_status(200);
    assert_eq!(triggers.sources(), [BEFORE, BEFORE, AFTER]);
    assert_eq!(triggers.event(AFTER)["userName"].as_str(), Some(&*user));
}

#[tokio::test]
async fn what_a_client_sends_to_sign_in_is_validation_data_and_goes_no_further() {
    let triggers = Triggers::start().await;
    let Some(pool) = Pool::with_triggers(&triggers, BOTH).await else { return };
    pool.verified("ann@example.com").await;
    pool.post("/login", login("ann@example.com", PASSWORD)).await.assert_status(200);
    let (before, after) = (triggers.event(BEFORE), triggers.event(AFTER));
    assert_eq!(before["request"]["validationData"], json!({"captcha": "c"}));
    assert!(before["request"].get("clientMetadata").is_none() && after["request"].get("clientMetadata").is_none());
}

#[tokio::test]
async fn an_address_that_nobody_has_is_asked_about_too() {
    let triggers = Triggers::start().await;
    let Some(pool) = Pool::with_triggers(&triggers, BOTH).await else { return };
    pool.login("nobody@example.com").await.assert_problem(401, "invalid_credentials");
    let asked = triggers.event(BEFORE);
    assert_eq!(asked["userName"], "nobody@example.com");
    assert_eq!(asked["request"], json!({"userAttributes": {}, "userNotFound": true, "validationData": null}));
    assert_eq!(triggers.sources(), [BEFORE]);
}

#[tokio::test]
async fn a_refused_attempt_begins_no_session_and_looks_at_no_password() {
    let triggers = Triggers::start().await;
    triggers.on("PreAuthentication", |_| Reply::Throws("Not on Sundays"));
    let Some(pool) = Pool::with_triggers(&triggers, BOTH).await else { return };
    let user = pool.verified("ann@example.com").await;
    for password in [PASSWORD, "wrong password"] {
        let answer = pool.post("/login", login("ann@example.com", password)).await;
        answer.assert_problem(400, "trigger_refused");
        assert_eq!(answer.text("detail"), "PreAuthentication failed with error Not on Sundays.");
        assert!(answer.session_cookie().is_none());
    }
    assert_eq!(sessions(&pool, &user).await, 0);
    // It was a guess all the same: who could have it uncounted could guess for ever.
    for _ in 0..3 {
        pool.post("/login", login("ann@example.com", PASSWORD)).await.assert_problem(400, "trigger_refused");
    }
    pool.post("/login", login("ann@example.com", PASSWORD)).await.assert_problem(429, "too_many_attempts");
}

#[tokio::test]
async fn a_function_that_fails_after_a_sign_in_gives_no_tokens_and_forgives_the_guesses() {
    let triggers = Triggers::start().await;
    let Some(pool) = Pool::with_triggers(&triggers, BOTH).await else { return };
    let user = pool.verified("ann@example.com").await;
    for _ in 0..4 {
        pool.post("/login", login("ann@example.com", "wrong password")).await.assert_status(401);
    }
    triggers.on("PostAuthentication", |_| Reply::Throws("Later"));
    let answer = pool.post("/login", login("ann@example.com", PASSWORD)).await;
    answer.assert_problem(400, "trigger_refused");
    assert!(answer.session_cookie().is_none());
    assert_eq!(sessions(&pool, &user).await, 0);
    for _ in 0..4 {
        pool.post("/login", login("ann@example.com", "wrong password")).await.assert_status(401);
    }
}

async fn sessions(pool: &Pool, user: &str) -> usize {
    let pk = pool.user_key(user);
    pool.items().await.into_iter().filter(|item| item["pk"] == pk && item["item_type"] == "session").count()
}
