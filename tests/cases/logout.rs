use serde_json::json;
use tests::{Answer, Need, Pool};

#[track_caller]
fn assert_ended(answer: &Answer, ended: bool) {
    answer.assert_status(200);
    assert_eq!(answer.json()["ended"], ended);
    assert_eq!(answer.session_cookie(), Some((String::new(), 0)), "the cookie is not cleared");
}

#[tokio::test]
async fn signing_out_with_the_cookie_works_at_once() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    assert_ended(&pool.logout(&session.refresh_token).await, true);
    pool.me(&session.access_token).await.assert_problem(401, "invalid_token");
    pool.refresh(&session.refresh_token).await.assert_problem(401, "invalid_refresh_token");
    assert_ended(&pool.logout(&session.refresh_token).await, true);
}

#[tokio::test]
async fn signing_out_works_with_the_access_token_alone() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    let bearer = format!("Bearer {}", session.access_token);
    assert_ended(&pool.send("POST", "/logout", &[("authorization", &bearer)], "").await, true);
    pool.refresh(&session.refresh_token).await.assert_problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn signing_out_works_with_an_outdated_refresh_token() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let first = pool.signed_in(&email).await.refresh_token;
    let mut newest = first.clone();
    for _ in 0..3 {
        newest = pool.refresh(&newest).await.session_cookie().unwrap().0;
    }
    assert_ended(&pool.logout(&first).await, true);
    pool.refresh(&newest).await.assert_problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn a_token_in_the_body_and_one_in_the_cookie_end_both_sessions() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let (one, two) = (pool.signed_in(&email).await, pool.signed_in(&email).await);
    let cookie = format!("__Host-refresh_token={}", one.refresh_token);
    let body = json!({"refresh_token": two.refresh_token});
    assert_ended(&pool.post_with("/logout", &[("cookie", &cookie)], body).await, true);
    pool.me(&one.access_token).await.assert_problem(401, "invalid_token");
    pool.me(&two.access_token).await.assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn without_anything_that_names_a_session_none_is_ended() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    assert_ended(&pool.send("POST", "/logout", &[], "").await, false);
    assert_ended(&pool.logout("junk").await, false);
    assert_ended(&pool.send("POST", "/logout", &[("authorization", "Bearer junk")], "").await, false);
    assert_ended(&pool.post("/logout", json!({"refresh_token": "fh_rt_"})).await, false);
    pool.me(&session.access_token).await.assert_status(200);
}

#[tokio::test]
async fn signing_out_ends_one_session_and_no_other() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let (one, two) = (pool.signed_in(&email).await, pool.signed_in(&email).await);
    assert_ended(&pool.logout(&one.refresh_token).await, true);
    pool.me(&two.access_token).await.assert_status(200);
}
