use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use serde_json::json;
use tests::{Answer, Link, Need, Pool};

async fn verify(pool: &Pool, user: &str, token: &str) -> Answer {
    pool.post("/verify-email", json!({"user_id": user, "token": token})).await
}

async fn registered(pool: &Pool, email: &str) -> Link {
    pool.register(email).await.assert_status(201);
    pool.link(email).await
}

#[tokio::test]
async fn a_mailed_link_verifies_the_address_once() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let link = registered(&pool, &email).await;
    verify(&pool, &link.user, &link.token).await.assert_status(200);
    pool.login(&email).await.assert_status(200);
    verify(&pool, &link.user, &link.token).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn opening_the_link_consumes_nothing_and_names_the_address() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let link = registered(&pool, &email).await;
    let path = format!("/verify-email?user={}&token={}", link.user, link.token);
    for _ in 0..3 {
        let page = pool.get(&path).await;
        page.assert_status(200);
        assert!(page.body.contains(&email) && page.body.contains("<button"), "{}", page.body);
        assert_eq!(page.header("referrer-policy"), "no-referrer");
    }
    verify(&pool, &link.user, &link.token).await.assert_status(200);
    let page = pool.get(&path).await;
    page.assert_status(400);
    assert!(!page.body.contains(&email) && page.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn the_form_of_the_page_verifies_and_is_answered_with_a_page() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let link = registered(&pool, &email).await;
    let form = format!("user={}&token={}", link.user, link.token);
    let content_type = [("content-type", "application/x-www-form-urlencoded")];
    let page = pool.send("POST", "/verify-email", &content_type, form.clone()).await;
    page.assert_status(200);
    assert!(page.header("content-type").starts_with("text/html"));
    pool.login(&email).await.assert_status(200);
    let page = pool.send("POST", "/verify-email", &content_type, form).await;
    page.assert_status(400);
    assert!(page.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn a_token_that_is_not_the_accounts_own_is_refused() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (ann, bob) = (pool.address("ann"), pool.address("bob"));
    let (ann, bob) = (registered(&pool, &ann).await, registered(&pool, &bob).await);
    let unknown_user = "0199a3f0-7c1e-7b52-9d64-3f1c2a5b8e07";
    let other_purpose = ann.token.replace("fh_ev_", "fh_rt_");
    let truncated = &ann.token[..ann.token.len() - 1];
    let extended = format!("{}A", ann.token);
    for (user, token) in [
        (ann.user.as_str(), bob.token.as_str()),
        (&bob.user, &ann.token),
        (unknown_user, &ann.token),
        (&ann.user.to_uppercase(), &ann.token),
        (&ann.user, truncated),
        (&ann.user, &extended),
        (&ann.user, &other_purpose),
        (&ann.user, ""),
        ("", &ann.token),
    ] {
        verify(&pool, user, token).await.assert_problem(400, "invalid_token");
    }
    pool.post("/verify-email", json!({})).await.assert_problem(400, "invalid_token");
    verify(&pool, &ann.user, &ann.token).await.assert_status(200);
}

#[tokio::test]
async fn a_link_works_for_a_day_even_before_the_table_expires_it() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let link = registered(&pool, "ann@example.com").await;
    pool.pass(Duration::from_hours(24));
    verify(&pool, &link.user, &link.token).await.assert_problem(400, "invalid_token");
    if let Some(database) = pool.database() {
        pool.pass(Duration::from_secs(1));
        database.sweep_ttl().unwrap();
        verify(&pool, &link.user, &link.token).await.assert_problem(400, "invalid_token");
    }
}

#[tokio::test]
async fn a_hundred_parallel_clicks_have_one_winner() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let link = registered(&pool, &email).await;
    let click = || pool.until_available(|| verify(&pool, &link.user, &link.token));
    let answers = join_all((0..100).map(|_| click())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 400 && answer.text("code") == "invalid_token").count(),
        99
    );
}

#[tokio::test]
async fn an_item_of_another_type_is_never_taken_for_a_challenge() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let link = registered(&pool, &email).await;
    let pk = pool.user_key(&link.user);
    pool.table().set(&pk, "CHALLENGE#verify-email", "item_type", "session").await;
    verify(&pool, &link.user, &link.token).await.assert_problem(500, "internal");
    pool.login(&email).await.assert_problem(403, "email_not_verified");
}

async fn verify_by_code(pool: &Pool, email: &str, code: &str) -> Answer {
    pool.post("/verify-email", json!({"email": email, "code": code})).await
}

/// After so long nothing is held against an account.
const QUIET: Duration = Duration::from_mins(15);

/// A code that is not the right one.
fn another(code: &str) -> String {
    code.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect()
}

#[tokio::test]
async fn a_mailed_code_verifies_the_address_once_however_it_is_spelled() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let link = registered(&pool, &email).await;
    verify_by_code(&pool, &email.to_uppercase(), &link.code).await.assert_status(200);
    pool.login(&email).await.assert_status(200);
    verify_by_code(&pool, &email, &link.code).await.assert_problem(400, "invalid_token");
    verify(&pool, &link.user, &link.token).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn five_wrong_codes_end_the_code_and_never_the_link() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let link = registered(&pool, &email).await;
    for _ in 0..5 {
        verify_by_code(&pool, &email, &another(&link.code)).await.assert_problem(400, "invalid_token");
    }
    pool.pass(QUIET);
    verify_by_code(&pool, &email, &link.code).await.assert_problem(400, "invalid_token");
    verify(&pool, &link.user, &link.token).await.assert_status(200);
}

#[tokio::test]
async fn the_fifth_guess_may_be_right_and_a_new_mail_allows_five_more() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let old = registered(&pool, &email).await;
    for _ in 0..5 {
        verify_by_code(&pool, &email, &another(&old.code)).await.assert_problem(400, "invalid_token");
    }
    pool.pass(QUIET);
    pool.post("/verify-email/resend", json!({"email": email})).await.assert_status(202);
    let new = pool.newer_link(&email, &old).await;
    verify_by_code(&pool, &email, &old.code).await.assert_problem(400, "invalid_token");
    for _ in 0..3 {
        verify_by_code(&pool, &email, &another(&new.code)).await.assert_problem(400, "invalid_token");
    }
    verify_by_code(&pool, &email, &new.code).await.assert_status(200);
}

#[tokio::test]
async fn a_hundred_parallel_guesses_at_a_code_count_as_a_hundred() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let link = registered(&pool, &email).await;
    // The account's own count lets five guesses through; the code has allowed four of its five already.
    pool.table().set(&pool.user_key(&link.user), "CHALLENGE#verify-email", "guesses", 4).await;
    pool.table().set(&pool.user_key(&link.user), "CHALLENGE#verify-email", "last_guess", "another").await;
    let wrong = another(&link.code);
    join_all((0..100).map(|_| verify_by_code(&pool, &email, &wrong))).await;
    let challenge = (pool.user_key(&link.user), "CHALLENGE#verify-email".to_owned());
    let items = pool.items().await;
    let challenge = items.iter().find(|item| (item["pk"].clone(), item["sk"].clone()) == challenge).unwrap();
    assert_eq!(challenge["guesses"], "5");
}

#[tokio::test]
async fn a_code_of_another_address_or_of_none_is_refused() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (ann, bob) = (pool.address("ann"), pool.address("bob"));
    let (to_ann, to_bob) = (registered(&pool, &ann).await, registered(&pool, &bob).await);
    verify_by_code(&pool, &ann, &to_bob.code).await.assert_problem(400, "invalid_token");
    verify_by_code(&pool, &pool.address("nobody"), &to_ann.code).await.assert_problem(400, "invalid_token");
    for wrong in ["", "1234567", "123456789", "1234567a"] {
        verify_by_code(&pool, &ann, wrong).await.assert_problem(400, "invalid_token");
    }
    let both = json!({"email": ann, "code": to_ann.code, "user_id": to_ann.user, "token": to_ann.token});
    pool.post("/verify-email", both).await.assert_problem(400, "invalid_token");
    verify_by_code(&pool, &ann, &to_ann.code).await.assert_status(200);
}

#[tokio::test]
async fn a_code_works_for_a_day_even_before_the_table_expires_it() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let link = registered(&pool, "ann@example.com").await;
    pool.pass(Duration::from_hours(24));
    verify_by_code(&pool, "ann@example.com", &link.code).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn the_table_does_not_hold_the_code() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let link = registered(&pool, &email).await;
    let as_bytes = format!("{:?}", AttributeValue::B(link.code.clone().into_bytes().into()));
    let items = pool.items().await;
    assert!(!items.iter().flat_map(|item| item.values()).any(|value| value.contains(&link.code) || *value == as_bytes));
}
