use std::collections::BTreeMap;

use futures::future::join;
use serde_json::json;
use tests::{Need, Pool};

#[tokio::test]
async fn this_was_not_me_deletes_the_account_and_frees_the_address() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.register(&email).await.assert_status(201);
    let link = pool.link(&email).await;
    let body = json!({"user_id": link.user, "token": link.token});
    pool.post("/register/cancel", body.clone()).await.assert_status(200);
    let (account, claim) = (pool.user_key(&link.user), format!("{}#LOGIN#email#{email}", pool.id()));
    let is_left = |item: &BTreeMap<String, String>| [&account, &claim].contains(&&item["pk"]);
    assert!(!pool.items().await.iter().any(is_left), "something of the account is left");
    pool.post("/register/cancel", body.clone()).await.assert_problem(400, "invalid_token");
    pool.post("/verify-email", body).await.assert_problem(400, "invalid_token");
    pool.register(&email).await.assert_status(201);
}

#[tokio::test]
async fn the_form_of_the_page_is_answered_with_a_page() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.register(&email).await.assert_status(201);
    let link = pool.link(&email).await;
    let content_type = [("content-type", "application/x-www-form-urlencoded")];
    let form = format!("user={}&token={}", link.user, link.token);
    let page = pool.send("POST", "/register/cancel", &content_type, form.clone()).await;
    page.assert_status(200);
    assert!(page.header("content-type").starts_with("text/html"));
    pool.send("POST", "/register/cancel", &content_type, form).await.assert_status(400);
}

#[tokio::test]
async fn a_verified_account_is_not_cancelled() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.register(&email).await.assert_status(201);
    let link = pool.link(&email).await;
    let body = json!({"user_id": link.user, "token": link.token});
    pool.post("/verify-email", body.clone()).await.assert_status(200);
    pool.post("/register/cancel", body).await.assert_problem(400, "invalid_token");
    pool.login(&email).await.assert_status(200);
}

#[tokio::test]
async fn of_confirming_and_cancelling_at_once_one_happens() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    for _ in 0..10 {
        let email = pool.address("ann");
        pool.register(&email).await.assert_status(201);
        let link = pool.link(&email).await;
        let body = json!({"user_id": link.user, "token": link.token});
        let (verified, cancelled) =
            join(pool.post("/verify-email", body.clone()), pool.post("/register/cancel", body)).await;
        assert_ne!(verified.status == 200, cancelled.status == 200);
        pool.login(&email).await.assert_status(if verified.status == 200 { 200 } else { 401 });
    }
}
