use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Need, PASSWORD, Pool, SignedIn};

const ANOTHER: &str = "another horse, another staple";

async fn change(pool: &Pool, access_token: &str, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new});
    pool.as_bearer(access_token, "POST", "/password/change", body).await
}

async fn signed_in(pool: &Pool) -> SignedIn {
    let email = pool.address("ann");
    pool.verified(&email).await;
    pool.signed_in(&email).await
}

#[tokio::test]
async fn the_old_password_and_a_recent_sign_in_set_another_and_keep_this_session_alone() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let other = pool.signed_in(&session.email).await;
    let answer = change(&pool, &session.access_token, PASSWORD, ANOTHER).await;
    answer.assert_status(200);

    pool.login(&session.email).await.assert_problem(401, "invalid_credentials");
    let login = json!({"email": session.email, "password": ANOTHER});
    pool.post("/login", login).await.assert_status(200);
    // This session stays, with the token in the answer; every token that the old key signed is dead.
    pool.me(&answer.text("access_token")).await.assert_status(200);
    pool.refresh(&session.refresh_token).await.assert_status(200);
    for old in [&session, &other] {
        pool.me(&old.access_token).await.assert_problem(401, "invalid_token");
    }
    pool.refresh(&other.refresh_token).await.assert_problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn a_mail_says_so() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    change(&pool, &session.access_token, PASSWORD, ANOTHER).await.assert_status(200);
    assert_eq!(pool.mails(&session.email).await[0]["subject"], "Your password was changed");
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    for wrong in [ANOTHER, "", &"a".repeat(600)] {
        let refused = change(&pool, &session.access_token, wrong, ANOTHER).await;
        refused.assert_problem(401, "invalid_credentials");
    }
    pool.me(&session.access_token).await.assert_status(200);
    pool.login(&session.email).await.assert_status(200);
}

#[tokio::test]
async fn a_sign_in_of_ten_minutes_ago_is_asked_to_sign_in_again() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    pool.pass(Duration::from_mins(10));
    change(&pool, &session.access_token, PASSWORD, ANOTHER).await.assert_problem(403, "recent_login_required");
    // Refreshing is no sign-in.
    let refreshed = pool.refresh(&session.refresh_token).await.text("access_token");
    change(&pool, &refreshed, PASSWORD, ANOTHER).await.assert_problem(403, "recent_login_required");
    let again = pool.signed_in(&session.email).await;
    change(&pool, &again.access_token, PASSWORD, ANOTHER).await.assert_status(200);
}

#[tokio::test]
async fn nobody_changes_a_password_without_an_access_token() {
    let Some(pool) = Pool::with([]).await else { return };
    let body = json!({"current_password": PASSWORD, "new_password": ANOTHER});
    pool.post("/password/change", body).await.assert_problem(401, "invalid_token");
    change(&pool, "junk", PASSWORD, ANOTHER).await.assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn what_is_missing_or_breaks_a_rule_is_named() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let refused = pool.as_bearer(&session.access_token, "POST", "/password/change", json!({})).await;
    refused.assert_problem(422, "invalid_password");
    let errors: Vec<Value> = refused.json()["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    assert_eq!(errors, ["current_password", "new_password"]);
    change(&pool, &session.access_token, PASSWORD, "short").await.assert_problem(422, "password_too_short");
}

#[tokio::test]
async fn parallel_changes_have_one_winner_whose_password_counts() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let passwords: Vec<String> = (0..10).map(|number| format!("parallel horse {number}")).collect();
    let answers = join_all(passwords.iter().map(|new| change(&pool, &session.access_token, PASSWORD, new))).await;
    let winners: Vec<_> = answers.iter().zip(&passwords).filter(|(answer, _)| answer.status == 200).collect();
    let [(answer, password)] = winners[..] else { panic!("{} changes won", winners.len()) };
    pool.me(&answer.text("access_token")).await.assert_status(200);
    pool.post("/login", json!({"email": session.email, "password": password})).await.assert_status(200);
    assert_eq!(pool.mails(&session.email).await.len(), 2);
}

#[tokio::test]
async fn refreshing_while_the_password_is_changed_signs_nobody_out() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let mut session = signed_in(&pool).await;
    for number in 0..5 {
        let (old, new) = (format!("horse number {}", number - 1), format!("horse number {number}"));
        let old = if number == 0 { PASSWORD } else { &old };
        let (changed, refreshed) = futures::future::join(change(&pool, &session.access_token, old, &new), async {
            // The change hashes first; the refreshes meet its write.
            let mut token = session.refresh_token.clone();
            for _ in 0..40 {
                let answer = pool.refresh(&token).await;
                answer.assert_status(200);
                token = answer.session_cookie().map_or(token, |(token, _)| token);
            }
            token
        })
        .await;
        changed.assert_status(200);
        session = SignedIn { access_token: changed.text("access_token"), refresh_token: refreshed, ..session };
        pool.refresh(&session.refresh_token).await.assert_status(200);
    }
}

#[tokio::test]
async fn password_managers_are_sent_to_the_page_that_the_pool_names() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.get("/.well-known/change-password").await.assert_problem(404, "not_found");
    pool.set(json!({"change_password_url": "https://app.example/settings/password"})).await;
    let answer = pool.get("/.well-known/change-password").await;
    answer.assert_status(302);
    assert_eq!(answer.header("location"), "https://app.example/settings/password");
}
