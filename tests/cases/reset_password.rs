use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Link, Need, PASSWORD, Pool};

const ANOTHER: &str = "another horse, another staple";

async fn reset(pool: &Pool, link: &Link, password: &str) -> Answer {
    pool.post("/password/reset", json!({"user_id": link.user, "token": link.token, "new_password": password})).await
}

async fn reset_by_code(pool: &Pool, email: &str, code: &str) -> Answer {
    pool.post("/password/reset", json!({"email": email, "code": code, "new_password": ANOTHER})).await
}

async fn login(pool: &Pool, email: &str, password: &str) -> Answer {
    pool.post("/login", json!({"email": email, "password": password})).await
}

/// Somebody who forgot the password, in a pool that may be any: the address and the mail.
async fn forgotten(pool: &Pool) -> (String, Link) {
    let email = pool.address("ann");
    pool.verified(&email).await;
    let link = pool.forgot(&email).await;
    (email, link)
}

#[tokio::test]
async fn a_mailed_link_sets_another_password_once_and_signs_nobody_in() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    let answer = reset(&pool, &link, ANOTHER).await;
    answer.assert_status(200);
    assert!(answer.session_cookie().is_none() && answer.json().get("access_token").is_none());
    login(&pool, &email, PASSWORD).await.assert_problem(401, "invalid_credentials");
    login(&pool, &email, ANOTHER).await.assert_status(200);
    reset(&pool, &link, "a third password").await.assert_problem(400, "invalid_token");
    reset_by_code(&pool, &email, &link.code).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn a_mailed_code_sets_another_password_once() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    reset_by_code(&pool, &email, &link.code).await.assert_status(200);
    login(&pool, &email, ANOTHER).await.assert_status(200);
    reset_by_code(&pool, &email, &link.code).await.assert_problem(400, "invalid_token");
    reset(&pool, &link, ANOTHER).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn every_session_and_every_access_token_ends() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    let sessions = [pool.signed_in(&email).await, pool.signed_in(&email).await];
    reset(&pool, &link, ANOTHER).await.assert_status(200);
    for session in sessions {
        pool.me(&session.access_token).await.assert_problem(401, "invalid_token");
        pool.refresh(&session.refresh_token).await.assert_problem(401, "invalid_refresh_token");
    }
    let answer = login(&pool, &email, ANOTHER).await;
    let (token, _) = answer.session_cookie().unwrap();
    pool.me(&answer.text("access_token")).await.assert_status(200);
    pool.refresh(&token).await.assert_status(200);
}

#[tokio::test]
async fn the_user_has_another_key_pair() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (_, link) = forgotten(&pool).await;
    let path = format!("/{}/users/{}/.well-known/jwks.json", pool.id(), link.user);
    let key_id = async || pool.get(&path).await.json()["keys"][0]["kid"].clone();
    let before = key_id().await;
    reset(&pool, &link, ANOTHER).await.assert_status(200);
    assert_ne!(key_id().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_with_the_old_password_that_is_under_way_begins_no_session() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    let (url, body) =
        (pool.url().to_owned(), json!({"user_id": link.user, "token": link.token, "new_password": ANOTHER}));
    let handle = tokio::runtime::Handle::current();
    // Between the check of the password and the write of the session the password is reset.
    pool.proxy().before("PutItem", move || {
        let reset =
            reqwest::Client::builder().build().unwrap().post(format!("{url}/password/reset")).json(&body).send();
        let answer = tokio::task::block_in_place(|| handle.block_on(reset)).unwrap();
        assert_eq!(answer.status(), 200);
    });
    let answer = pool.login(&email).await;
    answer.assert_status(200);
    let (token, _) = answer.session_cookie().unwrap();
    pool.me(&answer.text("access_token")).await.assert_problem(401, "invalid_token");
    pool.refresh(&token).await.assert_problem(401, "invalid_refresh_token");
}

/// What a sign-in reads may be of before and of after a reset: here its password is of before, and its profile of after.
#[tokio::test]
async fn the_old_password_begins_no_session_whatever_else_a_sign_in_read() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let user = pool.verified(&email).await;
    pool.table().set(&pool.user_key(&user), "PROFILE", "generation", 1).await;
    pool.login(&email).await.assert_problem(503, "unavailable");
    assert!(!pool.items().await.iter().any(|item| item["pk"].contains(&user) && item["item_type"] == "session"));
}

/// A thief with a session may end the others without pause, which makes a generation each time.
#[tokio::test]
async fn whoever_ends_sessions_without_pause_does_not_keep_the_owner_from_resetting() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    let thief = pool.signed_in(&email).await;
    let end = async || pool.as_bearer(&thief.access_token, "DELETE", "/me/sessions", Value::Null).await;
    let (answer, ended) = futures::future::join(reset(&pool, &link, ANOTHER), async {
        let mut ended = 0;
        while end().await.status == 200 {
            ended += 1;
        }
        ended
    })
    .await;
    answer.assert_status(200);
    assert!(ended > 0, "the thief never came in between");
    pool.refresh(&thief.refresh_token).await.assert_problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn a_mail_says_that_the_password_was_changed() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    reset(&pool, &link, ANOTHER).await.assert_status(200);
    let mails = pool.mails(&email).await;
    assert_eq!(mails.len(), 3);
    assert_eq!(mails[0]["subject"], "Your password was changed");
}

#[tokio::test]
async fn five_wrong_codes_end_the_code_and_never_the_link() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    let wrong: String = link.code.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect();
    join_all((0..20).map(|_| reset_by_code(&pool, &email, &wrong))).await;
    pool.pass(Duration::from_mins(15));
    reset_by_code(&pool, &email, &link.code).await.assert_problem(400, "invalid_token");
    login(&pool, &email, PASSWORD).await.assert_status(200);
    reset(&pool, &link, ANOTHER).await.assert_status(200);
}

#[tokio::test]
async fn what_was_mailed_for_one_purpose_opens_no_other() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (_, to_reset) = forgotten(&pool).await;
    let new = pool.address("new");
    pool.register(&new).await.assert_status(201);
    let to_verify = pool.link(&new).await;
    reset(&pool, &to_verify, ANOTHER).await.assert_problem(400, "invalid_token");
    reset_by_code(&pool, &new, &to_verify.code).await.assert_problem(400, "invalid_token");
    for purpose in ["fh_pr_", "fh_ev_"] {
        let token = format!("{purpose}{}", &to_verify.token[6..]);
        reset(&pool, &Link { token, ..to_verify.clone() }, ANOTHER).await.assert_problem(400, "invalid_token");
        let token = format!("{purpose}{}", &to_reset.token[6..]);
        let body = json!({"user_id": to_reset.user, "token": token});
        pool.post("/verify-email", body.clone()).await.assert_problem(400, "invalid_token");
        pool.post("/register/cancel", body).await.assert_problem(400, "invalid_token");
    }
    reset(&pool, &to_reset, ANOTHER).await.assert_status(200);
}

#[tokio::test]
async fn the_token_names_the_account_and_nothing_else_does() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let ((ann, to_ann), (bob, to_bob)) = (forgotten(&pool).await, forgotten(&pool).await);
    let swapped = Link { user: to_bob.user.clone(), ..to_ann.clone() };
    reset(&pool, &swapped, ANOTHER).await.assert_problem(400, "invalid_token");
    reset_by_code(&pool, &bob, &to_ann.code).await.assert_problem(400, "invalid_token");
    let body = json!({"user_id": to_ann.user, "token": to_ann.token, "email": bob, "new_password": ANOTHER});
    pool.post("/password/reset", body).await.assert_problem(400, "invalid_token");
    for email in [&ann, &bob] {
        pool.login(email).await.assert_status(200);
    }
}

#[tokio::test]
async fn a_newer_mail_replaces_the_older_and_both_end_after_an_hour() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, old) = forgotten(&pool).await;
    let new = pool.forgot(&email).await;
    assert_ne!(old, new);
    reset(&pool, &old, ANOTHER).await.assert_problem(400, "invalid_token");
    pool.pass(Duration::from_hours(1));
    reset(&pool, &new, ANOTHER).await.assert_problem(400, "invalid_token");
    reset_by_code(&pool, &email, &new.code).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn a_password_that_breaks_a_rule_uses_nothing_up() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (_, link) = forgotten(&pool).await;
    let refused = reset(&pool, &link, "short").await;
    refused.assert_problem(422, "password_too_short");
    assert_eq!(refused.json()["errors"][0]["field"], "new_password");
    let without: Value = json!({"user_id": link.user, "token": link.token});
    pool.post("/password/reset", without).await.assert_problem(422, "invalid_password");
    reset(&pool, &link, ANOTHER).await.assert_status(200);
}

#[tokio::test]
async fn fifty_parallel_answers_have_one_winner_and_the_key_pair_is_a_pair() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    let answers = join_all((0..50).map(|_| reset(&pool, &link, ANOTHER))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    let refused = answers.iter().filter(|answer| answer.status == 400 && answer.text("code") == "invalid_token");
    assert_eq!(refused.count(), 49);
    let answer = login(&pool, &email, ANOTHER).await;
    pool.me(&answer.text("access_token")).await.assert_status(200);
}

#[tokio::test]
async fn opening_the_link_consumes_nothing_and_asks_for_a_new_password() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    let path = format!("/password/reset?user={}&token={}", link.user, link.token);
    for _ in 0..3 {
        let page = pool.get(&path).await;
        page.assert_status(200);
        let asks = r#"<input type="password" name="new_password" autocomplete="new-password""#;
        assert!(page.body.contains(asks) && page.body.contains(&email), "{}", page.body);
        assert!(!page.body.contains("<script") && page.header("referrer-policy") == "no-referrer");
    }
    reset(&pool, &link, ANOTHER).await.assert_status(200);
    let page = pool.get(&path).await;
    page.assert_status(400);
    assert!(!page.body.contains(&email) && !page.body.contains("<form"), "{}", page.body);
}

#[tokio::test]
async fn the_form_of_the_page_resets_and_asks_again_where_a_rule_is_broken() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (email, link) = forgotten(&pool).await;
    let post = async |password: &str| {
        let form = format!("user={}&token={}&new_password={password}", link.user, link.token);
        pool.send("POST", "/password/reset", &[("content-type", "application/x-www-form-urlencoded")], form).await
    };
    let again = post("short").await;
    again.assert_status(422);
    assert!(again.body.contains("at least 8 characters") && again.body.contains(&link.token), "{}", again.body);
    let done = post("another+horse").await;
    done.assert_status(200);
    assert!(done.header("content-type").starts_with("text/html") && !done.body.contains("<form"));
    login(&pool, &email, "another horse").await.assert_status(200);
    post("another+horse").await.assert_status(400);
    post("short").await.assert_status(400);
}

#[tokio::test]
async fn an_account_whose_address_changed_meanwhile_is_not_reset() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let (_, link) = forgotten(&pool).await;
    pool.table().set(&pool.user_key(&link.user), "PROFILE", "email", pool.address("other")).await;
    reset(&pool, &link, ANOTHER).await.assert_problem(400, "invalid_token");
}
