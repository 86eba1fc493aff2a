use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::{Answer, Need, Pool};

async fn resend(pool: &Pool, email: &str) -> Answer {
    let answer = pool.post("/verify-email/resend", json!({"email": email})).await;
    answer.assert_status(202);
    answer
}

#[tokio::test]
async fn a_new_link_replaces_the_old_one() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.register(&email).await.assert_status(201);
    let old = pool.link(&email).await;
    resend(&pool, &email.to_uppercase()).await;
    let new = pool.newer_link(&email, &old).await;
    pool.post("/verify-email", json!({"user_id": old.user, "token": old.token}))
        .await
        .assert_problem(400, "invalid_token");
    pool.post("/verify-email", json!({"user_id": new.user, "token": new.token})).await.assert_status(200);
}

#[tokio::test]
async fn unknown_and_verified_addresses_get_the_same_answer_and_no_mail() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    pool.register("bob@example.com").await.assert_status(201);
    pool.mails("bob@example.com").await;
    let mut answers = Vec::new();
    let mut requests = Vec::new();
    for email in ["ann@example.com", "bob@example.com", "eve@example.com"] {
        pool.proxy().take_requests();
        let answer = resend(&pool, email).await;
        requests.push(pool.proxy().take_requests());
        let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        answers.push((answer.status, headers, answer.body));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert!(requests.iter().all(|operations| *operations == requests[0]), "{requests:?}");
    assert_eq!(pool.mails("ann@example.com").await.len(), 1, "a verified address got another mail");
    assert_eq!(pool.mails("bob@example.com").await.len(), 2);
    assert_eq!(pool.mails("eve@example.com").await.len(), 0);
}

#[tokio::test]
async fn decoys_are_written_where_nobody_looks_and_expire() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    resend(&pool, "eve@example.com").await;
    let items = pool.items().await;
    let decoys = items.iter().filter(|item| item["pk"].contains("#DECOY#"));
    assert_eq!(decoys.clone().count(), 3);
    for decoy in decoys {
        assert_eq!(decoy["item_type"], "decoy");
        assert!(decoy.contains_key("expires_at"), "{decoy:?}");
    }
    assert!(!items.iter().any(|item| item["pk"].contains("#OUTBOX#") || item["pk"].contains("#USER#")));
}

#[tokio::test]
async fn no_hour_has_more_than_five_mails_to_one_address() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    assert_eq!(pool.mails("ann@example.com").await.len(), 1);
    for _ in 0..3 {
        resend(&pool, "ann@example.com").await;
    }
    pool.pass(Duration::from_mins(50));
    for _ in 0..5 {
        resend(&pool, "ANN@example.com").await;
    }
    assert_eq!(pool.mails("ann@example.com").await.len(), 1 + 5);
    // The first three are an hour old, the last two are not.
    pool.pass(Duration::from_mins(10));
    for _ in 0..5 {
        resend(&pool, "ann@example.com").await;
    }
    assert_eq!(pool.mails("ann@example.com").await.len(), 1 + 8);
}

#[tokio::test]
async fn a_hundred_parallel_requests_count_as_a_hundred() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    assert_eq!(pool.mails("ann@example.com").await.len(), 1);
    join_all((0..100).map(|_| resend(&pool, "ann@example.com"))).await;
    assert_eq!(pool.mails("ann@example.com").await.len(), 1 + 5);
}

#[tokio::test]
async fn a_new_link_holds_the_address_for_another_day() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    pool.pass(Duration::from_hours(48));
    resend(&pool, "ann@example.com").await;
    pool.register("ann@example.com").await.assert_problem(409, "email_taken");
    let link = pool.link("ann@example.com").await;
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let Some(pool) = Pool::with([]).await else { return };
    pool.post("/verify-email/resend", json!({"email": "ann"})).await.assert_problem(422, "invalid_email");
    pool.post("/verify-email/resend", json!({})).await.assert_problem(422, "invalid_email");
}
