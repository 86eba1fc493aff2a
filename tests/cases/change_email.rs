use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Link, Need, PASSWORD, Pool, SignedIn};

const DAY: Duration = Duration::from_hours(24);
const ANOTHER: &str = "another horse, another staple";

async fn ask(pool: &Pool, session: &SignedIn, new_email: &str, password: &str) -> Answer {
    let body = json!({"new_email": new_email, "current_password": password});
    pool.as_bearer(&session.access_token, "POST", "/me/email", body).await
}

async fn confirm(pool: &Pool, link: &Link) -> Answer {
    pool.post("/email/confirm", json!({"user_id": link.user, "token": link.token})).await
}

async fn undo(pool: &Pool, link: &Link, password: &str) -> Answer {
    let body = json!({"user_id": link.user, "token": link.token, "new_password": password});
    pool.post("/email/undo", body).await
}

async fn signed_in(pool: &Pool) -> SignedIn {
    let email = pool.address("ann");
    pool.verified(&email).await;
    pool.signed_in(&email).await
}

/// Somebody whose address was changed: the session, the new address, and the link in the mail to the old one.
async fn changed(pool: &Pool) -> (SignedIn, String, Link) {
    let (session, new) = (signed_in(pool).await, pool.address("new"));
    let link = pool.asked_for_email(&session, &new).await;
    confirm(pool, &link).await.assert_status(200);
    let undo = pool.link_to_undo(&session.email).await;
    (session, new, undo)
}

async fn email_of(pool: &Pool, session: &SignedIn) -> Value {
    pool.me(&session.access_token).await.json()["email"].clone()
}

#[tokio::test]
async fn a_mailed_link_gives_the_account_another_address_once() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (session, new) = (signed_in(&pool).await, pool.address("new"));
    let link = pool.asked_for_email(&session, &new).await;
    assert_eq!(email_of(&pool, &session).await, json!(session.email));

    confirm(&pool, &link).await.assert_status(200);
    assert_eq!(email_of(&pool, &session).await, json!(new));
    pool.login(&new).await.assert_status(200);
    pool.login(&session.email).await.assert_problem(401, "invalid_credentials");
    confirm(&pool, &link).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn a_code_does_the_same_for_whoever_is_signed_in_alone() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (session, new) = (signed_in(&pool).await, pool.address("new"));
    let link = pool.asked_for_email(&session, &new).await;
    let code = json!({"code": link.code});
    pool.post("/email/confirm", code.clone()).await.assert_problem(401, "invalid_token");
    let stranger = signed_in(&pool).await;
    let refused = pool.as_bearer(&stranger.access_token, "POST", "/email/confirm", code.clone()).await;
    refused.assert_problem(400, "invalid_token");
    pool.as_bearer(&session.access_token, "POST", "/email/confirm", code).await.assert_status(200);
    assert_eq!(email_of(&pool, &session).await, json!(new));
}

#[tokio::test]
async fn five_wrong_codes_end_the_code_and_not_the_link() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (session, new) = (signed_in(&pool).await, pool.address("new"));
    let link = pool.asked_for_email(&session, &new).await;
    let wrong = if link.code == "00000000" { "00000001" } else { "00000000" };
    let guess = async |code: &str| {
        pool.pass(Duration::from_secs(1));
        pool.as_bearer(&session.access_token, "POST", "/email/confirm", json!({"code": code})).await
    };
    for _ in 0..5 {
        guess(wrong).await.assert_problem(400, "invalid_token");
    }
    guess(&link.code).await.assert_problem(400, "invalid_token");
    confirm(&pool, &link).await.assert_status(200);
}

#[tokio::test]
async fn the_page_behind_the_link_changes_nothing_until_its_button_is_pressed() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (session, new) = (signed_in(&pool).await, pool.address("new"));
    let Link { user, token, .. } = pool.asked_for_email(&session, &new).await;
    let page = pool.get(&format!("/email/confirm?user={user}&token={token}")).await;
    page.assert_status(200);
    assert!(page.body.contains(&new) && page.body.contains("formaction=\"&#x2f;email&#x2f;confirm\""), "{}", page.body);
    assert_eq!(email_of(&pool, &session).await, json!(session.email));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    pool.send("POST", "/email/confirm", &form, format!("user={user}&token={token}")).await.assert_status(200);
    assert_eq!(email_of(&pool, &session).await, json!(new));
}

#[tokio::test]
async fn the_old_address_gets_a_link_that_takes_the_change_back_with_another_password() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (session, new, link) = changed(&pool).await;
    pool.pass(6 * DAY);
    let page = pool.get(&format!("/email/undo?user={}&token={}", link.user, link.token)).await;
    assert!(page.status == 200 && page.body.contains(&session.email), "{}", page.body);
    undo(&pool, &link, ANOTHER).await.assert_status(200);

    pool.me(&session.access_token).await.assert_problem(401, "invalid_token");
    pool.refresh(&session.refresh_token).await.assert_problem(401, "invalid_refresh_token");
    pool.login(&new).await.assert_problem(401, "invalid_credentials");
    pool.login(&session.email).await.assert_problem(401, "invalid_credentials");
    pool.post("/login", json!({"email": session.email, "password": ANOTHER})).await.assert_status(200);
    undo(&pool, &link, ANOTHER).await.assert_problem(400, "invalid_token");
    // The new one is free again.
    pool.register(&new).await.assert_status(201);
}

#[tokio::test]
async fn a_change_is_undone_by_the_form_too_and_a_weak_password_is_asked_for_again() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (session, _, Link { user, token, .. }) = changed(&pool).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let fields = |password: &str| format!("user={user}&token={token}&new_password={password}");
    let again = pool.send("POST", "/email/undo", &form, fields("password")).await;
    assert!(again.status == 422 && again.body.contains("Many people have this password"), "{}", again.body);
    pool.send("POST", "/email/undo", &form, fields("quiet+otters+swim+home")).await.assert_status(200);
    let login = json!({"email": session.email, "password": "quiet otters swim home"});
    pool.post("/login", login).await.assert_status(200);
}

#[tokio::test]
async fn after_seven_days_the_change_stays_and_the_old_address_is_free() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (session, _, link) = changed(&pool).await;
    pool.pass(6 * DAY);
    pool.register(&session.email).await.assert_problem(409, "email_taken");
    pool.pass(DAY);
    undo(&pool, &link, ANOTHER).await.assert_problem(400, "invalid_token");
    // Taking the address over leaves the account alone that had it.
    let user = pool.verified(&session.email).await;
    assert_ne!(user, link.user);
    assert!(pool.items().await.iter().any(|item| item["pk"] == pool.user_key(&link.user) && item["sk"] == "PROFILE"));
}

#[tokio::test]
async fn an_address_that_can_be_taken_back_is_not_changed_again() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (_, new, link) = changed(&pool).await;
    // Whoever took the account over would else change it twice, and own the mail that undoes the second change.
    let thief = pool.signed_in(&new).await;
    ask(&pool, &thief, &pool.address("next"), PASSWORD).await.assert_problem(409, "email_changed_recently");
    undo(&pool, &link, ANOTHER).await.assert_status(200);
}

#[tokio::test]
async fn two_accounts_that_ask_for_one_address_have_one_winner() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (one, other, new) = (signed_in(&pool).await, signed_in(&pool).await, pool.address("new"));
    let first = pool.asked_for_email(&one, &new).await;
    ask(&pool, &other, &new, PASSWORD).await.assert_status(202);
    let second = pool.newer_link(&new, &first).await;
    let answers = join_all([&first, &second].map(|link| confirm(&pool, link))).await;
    let mut statuses = [answers[0].status.as_u16(), answers[1].status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let (one, other) = (email_of(&pool, &one).await, email_of(&pool, &other).await);
    assert!((one == json!(new)) != (other == json!(new)));
}

#[tokio::test]
async fn parallel_answers_to_one_mail_have_one_winner() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (session, new) = (signed_in(&pool).await, pool.address("new"));
    let link = pool.asked_for_email(&session, &new).await;
    let answers = join_all((0..10).map(|_| confirm(&pool, &link))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(
        pool.mails(&session.email)
            .await
            .iter()
            .filter(|mail| mail["subject"] == "Your email address was changed")
            .count(),
        1
    );
}

#[tokio::test]
async fn an_address_that_somebody_has_is_refused_and_one_that_was_abandoned_is_not() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (taken, abandoned) = (pool.address("taken"), pool.address("abandoned"));
    pool.verified(&taken).await;
    pool.register(&abandoned).await.assert_status(201);
    let session = signed_in(&pool).await;
    ask(&pool, &session, &taken, PASSWORD).await.assert_problem(409, "email_taken");
    ask(&pool, &session, &abandoned, PASSWORD).await.assert_problem(409, "email_taken");
    pool.pass(DAY);
    let session = pool.signed_in(&session.email).await;
    let link = pool.asked_for_email(&session, &abandoned).await;
    confirm(&pool, &link).await.assert_status(200);
    let profiles = pool.items().await.into_iter().filter(|item| item["sk"] == "PROFILE").count();
    assert_eq!(profiles, 2, "the account that was never verified is gone");
}

#[tokio::test]
async fn what_somebody_registers_meanwhile_is_theirs() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (session, new) = (signed_in(&pool).await, pool.address("new"));
    let link = pool.asked_for_email(&session, &new).await;
    pool.register(&new).await.assert_status(201);
    confirm(&pool, &link).await.assert_problem(409, "email_taken");
    assert_eq!(email_of(&pool, &session).await, json!(session.email));
}

#[tokio::test]
async fn another_password_ends_a_pending_change() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let link = pool.asked_for_email(&session, &pool.address("new")).await;
    let Link { user, token, .. } = pool.forgot(&session.email).await;
    let reset = json!({"user_id": user, "token": token, "new_password": PASSWORD});
    pool.post("/password/reset", reset).await.assert_status(200);
    confirm(&pool, &link).await.assert_problem(400, "invalid_token");

    let session = pool.signed_in(&session.email).await;
    let link = pool.asked_for_email(&session, &pool.address("new")).await;
    let change = json!({"current_password": PASSWORD, "new_password": ANOTHER});
    pool.as_bearer(&session.access_token, "POST", "/password/change", change).await.assert_status(200);
    confirm(&pool, &link).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn a_reset_that_was_mailed_to_the_old_address_does_nothing_after_the_change() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let (session, new) = (signed_in(&pool).await, pool.address("new"));
    let reset = pool.forgot(&session.email).await;
    let link = pool.asked_for_email(&session, &new).await;
    confirm(&pool, &link).await.assert_status(200);
    let body = json!({"user_id": reset.user, "token": reset.token, "new_password": ANOTHER});
    pool.post("/password/reset", body).await.assert_problem(400, "invalid_token");
    pool.login(&new).await.assert_status(200);
}

#[tokio::test]
async fn a_link_of_one_purpose_is_none_of_another() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let change = pool.asked_for_email(&session, &pool.address("new")).await;
    undo(&pool, &change, ANOTHER).await.assert_problem(400, "invalid_token");
    let reset = pool.forgot(&session.email).await;
    confirm(&pool, &reset).await.assert_problem(400, "invalid_token");
    let of_change = Link { token: reset.token.replace("fh_pr_", "fh_ec_"), ..reset };
    confirm(&pool, &of_change).await.assert_problem(400, "invalid_token");
}

#[tokio::test]
async fn it_takes_a_recent_sign_in_and_the_password() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (session, new) = (signed_in(&pool).await, pool.address("new"));
    ask(&pool, &session, &new, ANOTHER).await.assert_problem(401, "invalid_credentials");
    ask(&pool, &session, &new, &"a".repeat(600)).await.assert_problem(401, "invalid_credentials");
    pool.post("/me/email", json!({"new_email": new, "current_password": PASSWORD}))
        .await
        .assert_problem(401, "invalid_token");
    ask(&pool, &session, &session.email.to_uppercase(), PASSWORD).await.assert_problem(422, "invalid_email");
    ask(&pool, &session, "nobody", PASSWORD).await.assert_problem(422, "invalid_email");
    pool.pass(Duration::from_mins(10));
    ask(&pool, &session, &new, PASSWORD).await.assert_problem(403, "recent_login_required");
    assert!(pool.mails(&new).await.is_empty());
}

#[tokio::test]
async fn guesses_at_the_password_are_counted() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let answers = join_all((0..20).map(|_| ask(&pool, &session, "new@example.com", ANOTHER))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 15);
}

#[tokio::test]
async fn nobody_writes_to_strangers_without_end() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    for _ in 0..5 {
        ask(&pool, &session, &pool.address("stranger"), PASSWORD).await.assert_status(202);
    }
    ask(&pool, &session, &pool.address("stranger"), PASSWORD).await.assert_problem(429, "too_many_attempts");
    // Nor do many accounts write to one of them.
    let stranger = pool.address("stranger");
    for _ in 0..5 {
        ask(&pool, &signed_in(&pool).await, &stranger, PASSWORD).await.assert_status(202);
    }
    ask(&pool, &signed_in(&pool).await, &stranger, PASSWORD).await.assert_problem(429, "too_many_attempts");
}

#[tokio::test]
async fn whoever_lost_an_account_gets_it_back_even_where_the_thief_wants_it_deleted() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (session, new, link) = changed(&pool).await;
    let thief = pool.signed_in(&new).await;
    pool.asked_to_be_deleted(&thief).await;
    undo(&pool, &link, ANOTHER).await.assert_status(200);
    pool.pass(8 * DAY);
    pool.local().erase_accounts().await.unwrap();
    pool.post("/login", json!({"email": session.email, "password": ANOTHER})).await.assert_status(200);
}

#[tokio::test]
async fn an_account_that_is_to_be_deleted_keeps_its_address() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let session = signed_in(&pool).await;
    let pending = pool.asked_for_email(&session, &pool.address("new")).await;
    let keep = pool.asked_to_be_deleted(&session).await;
    // Whoever took the account over would else be asked whether to keep it.
    confirm(&pool, &pending).await.assert_problem(409, "deletion_pending");
    let session = pool.signed_in(&session.email).await;
    ask(&pool, &session, &pool.address("new"), PASSWORD).await.assert_problem(409, "deletion_pending");
    pool.post("/account/keep", json!({"user_id": keep.user, "token": keep.token})).await.assert_status(200);
    confirm(&pool, &pending).await.assert_status(200);
}

#[tokio::test]
async fn both_addresses_are_told_of_a_change_that_was_undone() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (session, new, link) = changed(&pool).await;
    undo(&pool, &link, ANOTHER).await.assert_status(200);
    assert_eq!(pool.mails(&session.email).await[0]["subject"], "Your password was changed");
    assert_eq!(pool.mails(&new).await[0]["subject"], "The change of your address was undone");
}
