use std::time::Duration;

use serde_json::json;
use tests::{Answer, Link, Need, PASSWORD, Pool, SignedIn};

const DAY: Duration = Duration::from_hours(24);

async fn delete(pool: &Pool, session: &SignedIn, password: &str) -> Answer {
    pool.as_bearer(&session.access_token, "DELETE", "/me", json!({"current_password": password})).await
}

async fn keep(pool: &Pool, link: &Link) -> Answer {
    pool.post("/account/keep", json!({"user_id": link.user, "token": link.token})).await
}

async fn signed_in(pool: &Pool) -> SignedIn {
    let email = pool.address("ann");
    pool.verified(&email).await;
    pool.signed_in(&email).await
}

#[tokio::test]
async fn a_mailed_link_keeps_the_account_once() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let link = pool.asked_to_be_deleted(&session).await;
    let again = pool.signed_in(&session.email).await;
    assert!(pool.me(&again.access_token).await.json()["deletion_at"].is_string());
    keep(&pool, &link).await.assert_status(200);
    assert!(pool.me(&again.access_token).await.json()["deletion_at"].is_null());
    keep(&pool, &link).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn an_account_is_deleted_once_its_seven_days_are_over() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let link = pool.asked_to_be_deleted(&session).await;
    pool.pass(6 * DAY);
    pool.local().erase_accounts().await.unwrap();
    pool.login(&session.email).await.assert_status(200);
    pool.pass(DAY);
    keep(&pool, &link).await.assert_problem(400, "invalid_token");
    pool.local().erase_accounts().await.unwrap();
    pool.login(&session.email).await.assert_problem(401, "invalid_credentials");
    assert_eq!(pool.mails(&session.email).await[0]["subject"], "Your account was deleted");
    pool.register(&session.email).await.assert_status(201);
}

#[tokio::test]
async fn a_kept_account_is_not_deleted() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let link = pool.asked_to_be_deleted(&session).await;
    keep(&pool, &link).await.assert_status(200);
    pool.pass(8 * DAY);
    pool.local().erase_accounts().await.unwrap();
    pool.login(&session.email).await.assert_status(200);
}

#[tokio::test]
async fn the_mail_says_when_and_its_page_asks_for_a_click() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let answer = delete(&pool, &session, PASSWORD).await;
    answer.assert_status(202);
    let moment = answer.text("deletion_at");
    let mail = &pool.mails(&session.email).await[0];
    assert_eq!(mail["subject"], "Your account will be deleted");
    assert!(mail["text"].as_str().unwrap().contains(&moment[..10]), "{mail} says {moment}");
    let Link { user, token, .. } = pool.link(&session.email).await;
    let page = pool.get(&format!("/account/keep?user={user}&token={token}")).await;
    assert!(page.status == 200 && page.body.contains(&session.email), "{}", page.body);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    pool.send("POST", "/account/keep", &form, format!("user={user}&token={token}")).await.assert_status(200);
    pool.send("POST", "/account/keep", &form, format!("user={user}&token={token}")).await.assert_status(400);
}

#[tokio::test]
async fn every_session_ends_at_once_wherever_it_is() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let elsewhere = pool.signed_in(&session.email).await;
    delete(&pool, &session, PASSWORD).await.assert_status(202);
    for ended in [&session, &elsewhere] {
        pool.me(&ended.access_token).await.assert_problem(401, "invalid_token");
        pool.refresh(&ended.refresh_token).await.assert_problem(401, "invalid_refresh_token");
    }
}

#[tokio::test]
async fn asking_again_begins_the_days_anew() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let first = pool.asked_to_be_deleted(&session).await;
    pool.pass(6 * DAY);
    let again = pool.signed_in(&session.email).await;
    delete(&pool, &again, PASSWORD).await.assert_status(202);
    keep(&pool, &first).await.assert_problem(400, "invalid_token");
    pool.pass(6 * DAY);
    pool.local().erase_accounts().await.unwrap();
    pool.login(&session.email).await.assert_status(200);
    pool.pass(DAY);
    pool.local().erase_accounts().await.unwrap();
    pool.login(&session.email).await.assert_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn where_there_are_no_days_of_grace_an_account_goes_at_once() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.set(json!({"deletion_grace_seconds": 0})).await;
    let session = signed_in(&pool).await;
    let user = pool.me(&session.access_token).await.text("user_id");
    delete(&pool, &session, PASSWORD).await.assert_status(202);
    pool.login(&session.email).await.assert_problem(401, "invalid_credentials");
    let left: Vec<_> = pool.items().await.into_iter().filter(|item| item["pk"].contains(&user)).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(pool.mails(&session.email).await[0]["subject"], "Your account was deleted");
}

#[tokio::test]
async fn it_takes_a_recent_sign_in_and_the_password() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    delete(&pool, &session, "another password").await.assert_problem(401, "invalid_credentials");
    pool.as_bearer(&session.access_token, "DELETE", "/me", json!({})).await.assert_problem(422, "invalid_password");
    pool.as_bearer("junk", "DELETE", "/me", json!({"current_password": PASSWORD}))
        .await
        .assert_problem(401, "invalid_token");
    pool.pass(Duration::from_mins(10));
    delete(&pool, &session, PASSWORD).await.assert_problem(403, "recent_login_required");
    pool.login(&session.email).await.assert_status(200);
}
