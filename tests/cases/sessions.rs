use std::time::Duration;

use serde_json::{Value, json};
use tests::{Answer, Need, PASSWORD, Pool, SignedIn};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

async fn list(pool: &Pool, access_token: &str) -> Vec<Value> {
    let answer = pool.as_bearer(access_token, "GET", "/me/sessions", Value::Null).await;
    answer.assert_status(200);
    answer.json()["sessions"].as_array().unwrap().clone()
}

/// The session that asks, and the other one.
fn own_and_other(mut sessions: Vec<Value>) -> (Value, Value) {
    assert_eq!(sessions.len(), 2);
    sessions.sort_by_key(|session| session["current"] != true);
    let [own, other] = sessions.try_into().unwrap();
    assert_eq!((&own["current"], &other["current"]), (&json!(true), &json!(false)));
    (own, other)
}

async fn end(pool: &Pool, access_token: &str, path: &str) -> Answer {
    pool.as_bearer(access_token, "DELETE", path, Value::Null).await
}

async fn two_sessions(pool: &Pool) -> (SignedIn, SignedIn) {
    let email = pool.address("ann");
    pool.verified(&email).await;
    (pool.signed_in(&email).await, pool.signed_in(&email).await)
}

#[tokio::test]
async fn everywhere_one_is_signed_in_is_listed_with_the_device_in_words() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let body = json!({"email": email, "password": PASSWORD});
    pool.post_with("/login", &[("user-agent", FIREFOX)], body).await.assert_status(200);
    let session = pool.signed_in(&email).await;
    let (_, other) = own_and_other(list(&pool, &session.access_token).await);
    assert_eq!(other["device"], "Firefox on Linux");
    assert!(!other["source_ip"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_session_is_last_used_when_it_was_last_refreshed() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (session, _) = two_sessions(&pool).await;
    pool.pass(Duration::from_hours(1));
    let refreshed = pool.refresh(&session.refresh_token).await.text("access_token");
    let (own, other) = own_and_other(list(&pool, &refreshed).await);
    assert_ne!(own["last_used_at"], own["created_at"]);
    assert_eq!(other["last_used_at"], other["created_at"]);
}

#[tokio::test]
async fn one_session_is_ended_by_its_id() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (session, other) = two_sessions(&pool).await;
    let (own, _) = own_and_other(list(&pool, &other.access_token).await);
    let path = format!("/me/sessions/{}", own["id"].as_str().unwrap());
    end(&pool, &session.access_token, &path).await.assert_status(200);
    pool.me(&other.access_token).await.assert_problem(401, "invalid_token");
    pool.refresh(&other.refresh_token).await.assert_problem(401, "invalid_refresh_token");
    assert_eq!(list(&pool, &session.access_token).await.len(), 1);
    end(&pool, &session.access_token, &path).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn all_others_are_ended_and_this_one_goes_on() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (session, other) = two_sessions(&pool).await;
    for _ in 0..2 {
        end(&pool, &session.access_token, "/me/sessions").await.assert_status(200);
        pool.me(&other.access_token).await.assert_problem(401, "invalid_token");
        pool.refresh(&other.refresh_token).await.assert_problem(401, "invalid_refresh_token");
        pool.me(&session.access_token).await.assert_status(200);
        assert_eq!(list(&pool, &session.access_token).await.len(), 1);
    }
    pool.refresh(&session.refresh_token).await.assert_status(200);
    let again = pool.signed_in(&session.email).await;
    assert_eq!(list(&pool, &again.access_token).await.len(), 2);
}

#[tokio::test]
async fn a_session_of_an_earlier_generation_has_ended_although_its_key_is_the_same() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let user = pool.verified("ann@example.com").await;
    let session = pool.signed_in("ann@example.com").await;
    pool.table().set(&pool.user_key(&user), "PROFILE", "generation", 1).await;
    pool.me(&session.access_token).await.assert_problem(401, "invalid_token");
    let event = json!({"headers": {"authorization": format!("Bearer {}", session.access_token)}});
    assert_eq!(authorizer::handle(pool.local().app(), event).await.unwrap()["isAuthorized"], false);
    pool.refresh(&session.refresh_token).await.assert_problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn nobody_ends_or_sees_a_session_of_somebody_else() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let ((ann, _), (bob, _)) = (two_sessions(&pool).await, two_sessions(&pool).await);
    let anns = list(&pool, &ann.access_token).await;
    for session in &anns {
        let path = format!("/me/sessions/{}", session["id"].as_str().unwrap());
        end(&pool, &bob.access_token, &path).await.assert_problem(404, "not_found");
    }
    let bobs = list(&pool, &bob.access_token).await;
    assert!(anns.iter().all(|ann| bobs.iter().all(|bob| bob["id"] != ann["id"])));
    assert_eq!(list(&pool, &ann.access_token).await.len(), 2);
}

#[tokio::test]
async fn without_an_access_token_nothing_is_seen_or_ended() {
    let Some(pool) = Pool::with([]).await else { return };
    let one = "/me/sessions/0199a3f0-9c01-7b52-9d64-3f1c2a5b8e07";
    for (method, path) in [("GET", "/me/sessions"), ("DELETE", "/me/sessions"), ("DELETE", one)] {
        pool.send(method, path, &[], "").await.assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_session_that_expired_is_not_listed_before_the_table_forgets_it() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (session, _) = two_sessions(&pool).await;
    pool.pass(Duration::from_hours(31 * 24));
    pool.refresh(&session.refresh_token).await.assert_problem(401, "invalid_refresh_token");
    let again = pool.signed_in(&session.email).await;
    assert_eq!(list(&pool, &again.access_token).await.len(), 1);
}
