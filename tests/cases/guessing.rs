//! How often passwords and codes may be guessed at, at every door.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::{Answer, Need, PASSWORD, Pool};

const WRONG: &str = "a password that is wrong";

async fn guess(pool: &Pool, email: &str) -> Answer {
    pool.post("/login", json!({"email": email, "password": WRONG})).await
}

async fn guess_wrongly(pool: &Pool, email: &str, times: usize) {
    for _ in 0..times {
        guess(pool, email).await.assert_problem(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn the_fifth_failure_makes_a_pause_and_each_further_one_a_pause_twice_as_long_up_to_15_minutes() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    guess_wrongly(&pool, &email, 5).await;
    for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900] {
        let refused = pool.login(&email).await;
        refused.assert_problem(429, "too_many_attempts");
        assert_eq!(refused.header("retry-after"), pause.to_string());
        pool.pass(Duration::from_millis(pause * 1_000 - 1));
        // What is sent during a pause is neither looked at nor counted.
        let refused = pool.login(&email).await;
        refused.assert_problem(429, "too_many_attempts");
        assert_eq!(refused.header("retry-after"), "1");
        pool.pass(Duration::from_millis(1));
        guess_wrongly(&pool, &email, 1).await;
    }
    // The quarter of an hour was quiet, so the count began anew.
    guess_wrongly(&pool, &email, 4).await;
    pool.login(&email).await.assert_problem(429, "too_many_attempts");
}

#[tokio::test]
async fn after_the_pause_the_right_password_signs_in() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    guess_wrongly(&pool, &email, 5).await;
    pool.pass(Duration::from_secs(1));
    pool.login(&email).await.assert_status(200);
}

#[tokio::test]
async fn a_right_password_forgives_the_wrong_ones_before_it() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    for _ in 0..3 {
        guess_wrongly(&pool, &email, 4).await;
        pool.login(&email).await.assert_status(200);
    }
}

#[tokio::test]
async fn a_right_current_password_forgives_the_wrong_ones_before_it() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let mut token = pool.signed_in(&email).await.access_token;
    guess_wrongly(&pool, &email, 4).await;
    for _ in 0..2 {
        let body = json!({"current_password": PASSWORD, "new_password": PASSWORD});
        let changed = pool.as_bearer(&token, "POST", "/password/change", body).await;
        changed.assert_status(200);
        token = changed.text("access_token");
        guess_wrongly(&pool, &email, 4).await;
    }
}

#[tokio::test]
async fn fifteen_quiet_minutes_forgive() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    for _ in 0..3 {
        guess_wrongly(&pool, &email, 4).await;
        pool.pass(Duration::from_mins(15));
    }
    // Also where the table has forgotten the count by itself.
    if let Some(database) = pool.database() {
        pool.pass(Duration::from_secs(1));
        database.sweep_ttl().unwrap();
    }
    guess_wrongly(&pool, &email, 5).await;
}

#[tokio::test]
async fn a_hundred_parallel_guesses_count_as_a_hundred() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let answers = join_all((0..100).map(|_| guess(&pool, &email))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 95);
}

#[tokio::test]
async fn an_unknown_address_is_paused_like_a_known_one_however_it_is_spelled() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    pool.register("bob@example.com").await.assert_status(201);
    let mut seen = Vec::new();
    for email in ["ann@example.com", "bob@example.com", "eve@example.com"] {
        guess_wrongly(&pool, email, 4).await;
        guess_wrongly(&pool, &email.to_uppercase(), 1).await;
        pool.proxy().take_requests();
        let answer = guess(&pool, email).await;
        answer.assert_problem(429, "too_many_attempts");
        let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        seen.push((headers, answer.header("retry-after").to_owned(), answer.body, pool.proxy().take_requests()));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}

#[tokio::test]
async fn every_door_asks_the_same_counter() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let token = pool.signed_in(&email).await.access_token;
    let link = pool.forgot(&email).await;
    let wrong = if link.code == "00000000" { "11111111" } else { "00000000" };
    let change = json!({"current_password": WRONG, "new_password": WRONG});
    let by_code = |code: &str| json!({"email": email, "code": code, "new_password": WRONG});
    guess_wrongly(&pool, &email, 2).await;
    pool.as_bearer(&token, "POST", "/password/change", change.clone()).await.assert_status(401);
    pool.post("/password/reset", by_code(wrong)).await.assert_status(400);
    pool.post("/verify-email", json!({"email": email, "code": wrong})).await.assert_status(400);

    pool.login(&email).await.assert_problem(429, "too_many_attempts");
    let changed = pool.as_bearer(&token, "POST", "/password/change", change).await;
    changed.assert_problem(429, "too_many_attempts");
    pool.post("/password/reset", by_code(&link.code)).await.assert_problem(429, "too_many_attempts");
    let verified = pool.post("/verify-email", json!({"email": email, "code": wrong})).await;
    verified.assert_problem(429, "too_many_attempts");
}

#[tokio::test]
async fn a_mailed_link_ends_a_pause() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    join_all((0..20).map(|_| guess(&pool, &email))).await;
    pool.login(&email).await.assert_problem(429, "too_many_attempts");
    let link = pool.forgot(&email).await;
    let body = json!({"user_id": link.user, "token": link.token, "new_password": "another horse"});
    pool.post("/password/reset", body).await.assert_status(200);
    pool.post("/login", json!({"email": email, "password": "another horse"})).await.assert_status(200);
}

#[tokio::test]
async fn verifying_by_the_mailed_link_ends_a_pause_too() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.register(&email).await.assert_status(201);
    guess_wrongly(&pool, &email, 5).await;
    let link = pool.link(&email).await;
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    pool.login(&email).await.assert_status(200);
}

#[tokio::test]
async fn new_codes_do_not_give_new_guesses_for_ever() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let mut looked_at = 0;
    for _ in 0..5 {
        let link = pool.forgot(&email).await;
        let wrong = if link.code == "00000000" { "11111111" } else { "00000000" };
        for _ in 0..5 {
            let body = json!({"email": email, "code": wrong, "new_password": WRONG});
            looked_at += usize::from(pool.post("/password/reset", body).await.status == 400);
        }
    }
    assert_eq!(looked_at, 5);
}
