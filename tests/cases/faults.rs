//! Every flow under every fault: an answer that is lost after the commit, a conflict, throttling.

use futures::future::join_all;
use serde_json::json;
use tests::{Fault, Link, Need, PASSWORD, Pool, is_read};

const EMAIL: &str = "ann@example.com";

async fn waiting() -> Option<(Pool, Link)> {
    let pool = Pool::with([Need::Inside, Need::Mailbox]).await?;
    pool.register(EMAIL).await.assert_status(201);
    let link = pool.link(EMAIL).await;
    Some((pool, link))
}

#[tokio::test]
async fn a_registration_survives_every_fault() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    for fault in Fault::OF_ANY_WRITE {
        let email = pool.address("ann");
        pool.under(fault, 2, pool.register(&email)).await.assert_status(201);
        assert_eq!(pool.mails(&email).await.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_click_survives_every_fault() {
    for fault in Fault::OF_ANY_WRITE {
        let Some((pool, link)) = waiting().await else { return };
        let body = json!({"user_id": link.user, "token": link.token});
        pool.under(fault, 2, pool.post("/verify-email", body)).await.assert_status(200);
        pool.login(EMAIL).await.assert_status(200);
    }
}

#[tokio::test]
async fn a_cancellation_survives_every_fault() {
    for fault in Fault::OF_ANY_WRITE {
        let Some((pool, link)) = waiting().await else { return };
        let body = json!({"user_id": link.user, "token": link.token});
        pool.under(fault, 2, pool.post("/register/cancel", body)).await.assert_status(200);
        assert!(pool.items().await.is_empty(), "{fault:?}");
    }
}

#[tokio::test]
async fn asking_for_another_mail_survives_every_fault() {
    for fault in Fault::OF_ANY_WRITE {
        let Some((pool, _)) = waiting().await else { return };
        pool.under(fault, 2, pool.post("/verify-email/resend", json!({"email": EMAIL}))).await.assert_status(202);
        assert_eq!(pool.mails(EMAIL).await.len(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_code_survives_every_fault_and_a_lost_answer_is_one_guess() {
    for fault in Fault::OF_ANY_WRITE {
        let Some((pool, link)) = waiting().await else { return };
        let wrong = if link.code == "00000000" { "11111111" } else { "00000000" };
        for code in [wrong, wrong, wrong, wrong, &link.code] {
            let answer = pool.post("/verify-email", json!({"email": EMAIL, "code": code}));
            let answer = pool.under(fault, 1, answer).await;
            answer.assert_status(if code == wrong { 400 } else { 200 });
        }
    }
}

#[tokio::test]
async fn a_way_back_survives_every_fault() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified(EMAIL).await;
    for (mails, fault) in [1, 3, 5].into_iter().zip(Fault::OF_ANY_WRITE) {
        assert_eq!(pool.mails(EMAIL).await.len(), mails);
        let link = pool.under(fault, 2, pool.forgot(EMAIL)).await;
        let password = format!("changed under {fault:?}");
        let body = json!({"user_id": link.user, "token": link.token, "new_password": password});
        pool.under(fault, 2, pool.post("/password/reset", body)).await.assert_status(200);
        pool.post("/login", json!({"email": EMAIL, "password": password})).await.assert_status(200);
    }
}

#[tokio::test]
async fn changing_a_password_and_ending_sessions_survive_every_fault() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified(EMAIL).await;
    for fault in Fault::OF_ANY_WRITE {
        let (session, other) = (pool.signed_in(EMAIL).await, pool.signed_in(EMAIL).await);
        let body = json!({"current_password": PASSWORD, "new_password": PASSWORD});
        let change = pool.as_bearer(&session.access_token, "POST", "/password/change", body);
        let changed = pool.under(fault, 2, change).await;
        changed.assert_status(200);
        pool.refresh(&other.refresh_token).await.assert_problem(401, "invalid_refresh_token");
        let other = pool.signed_in(EMAIL).await;
        let token = changed.text("access_token");
        let end = pool.as_bearer(&token, "DELETE", "/me/sessions", serde_json::Value::Null);
        pool.under(fault, 2, end).await.assert_status(200);
        pool.refresh(&other.refresh_token).await.assert_problem(401, "invalid_refresh_token");
        pool.refresh(&session.refresh_token).await.assert_status(200);
    }
}

#[tokio::test]
async fn a_lost_answer_counts_no_guess_twice() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified(EMAIL).await;
    let wrong = || pool.post("/login", json!({"email": EMAIL, "password": "a password that is wrong"}));
    for _ in 0..5 {
        pool.under(Fault::LoseAnswer, 1, wrong()).await.assert_problem(401, "invalid_credentials");
    }
    // One that begins a count anew is no other.
    pool.pass(std::time::Duration::from_mins(15));
    for _ in 0..5 {
        pool.under(Fault::LoseAnswer, 2, wrong()).await.assert_problem(401, "invalid_credentials");
    }
    wrong().await.assert_problem(429, "too_many_attempts");
}

#[tokio::test]
async fn a_lost_answer_does_not_count_a_mail_twice() {
    let Some((pool, _)) = waiting().await else { return };
    for sent in 2..=6 {
        let resend = pool.post("/verify-email/resend", json!({"email": EMAIL}));
        pool.under(Fault::LoseAnswer, 1, resend).await.assert_status(202);
        assert_eq!(pool.mails(EMAIL).await.len(), sent);
    }
}

#[tokio::test]
async fn a_sign_in_survives_every_fault() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified(EMAIL).await;
    for (sessions, fault) in (1..).zip(Fault::OF_ANY_WRITE) {
        let answer = pool.under(fault, 2, pool.login(EMAIL)).await;
        answer.assert_status(200);
        pool.refresh(&answer.session_cookie().unwrap().0).await.assert_status(200);
        let kept = pool.items().await.iter().filter(|item| item["item_type"] == "session").count();
        assert_eq!(kept, sessions, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refresh_survives_every_fault_and_hands_out_the_token_that_was_written() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified(EMAIL).await;
    for fault in Fault::OF_ANY_WRITE {
        let first = pool.signed_in(EMAIL).await.refresh_token;
        let second = pool.under(fault, 2, pool.refresh(&first)).await.session_cookie().expect("rotated").0;
        let third = pool.refresh(&second).await.session_cookie().expect("the token that was handed out is current").0;
        // A recovery is a write of its own kind.
        pool.pass(std::time::Duration::from_secs(11));
        let recovered = pool.under(fault, 2, pool.refresh(&second)).await.session_cookie().expect("recovered").0;
        assert_ne!(recovered, third);
        pool.refresh(&recovered).await.assert_status(200);
        // So is the end of a stolen session.
        pool.under(fault, 2, pool.refresh(&first)).await.assert_problem(401, "invalid_refresh_token");
        pool.refresh(&recovered).await.assert_problem(401, "invalid_refresh_token");
    }
}

#[tokio::test]
async fn fifty_parallel_refreshes_with_lost_answers_sign_nobody_out() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified(EMAIL).await;
    let first = pool.signed_in(EMAIL).await.refresh_token;
    pool.proxy().inject(Fault::LoseAnswer, 20);
    let answers = join_all((0..50).map(|_| pool.refresh(&first))).await;
    pool.proxy().calm();
    let next: Vec<String> = answers.iter().filter_map(tests::Answer::session_cookie).map(|(token, _)| token).collect();
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(next.len(), 1);
    pool.refresh(&next[0]).await.assert_status(200);
}

#[tokio::test]
async fn signing_out_survives_every_fault() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified(EMAIL).await;
    for fault in Fault::OF_ANY_WRITE {
        let session = pool.signed_in(EMAIL).await;
        pool.under(fault, 2, pool.logout(&session.refresh_token)).await.assert_status(200);
        pool.me(&session.access_token).await.assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn sending_mail_survives_every_fault() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    for fault in Fault::OF_ANY_WRITE {
        let email = pool.address("ann");
        pool.register(&email).await.assert_status(201);
        let mails = pool.under(fault, 2, pool.mails(&email)).await;
        assert_eq!(mails.len(), 1, "{fault:?}");
        pool.pass(std::time::Duration::from_mins(2));
        assert_eq!(pool.mails(&email).await.len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_table_that_stays_away_is_unavailable_and_nothing_is_left_behind() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let user = pool.verified(EMAIL).await;
    let session = pool.signed_in(EMAIL).await;
    pool.mails(EMAIL).await;
    let before = pool.items().await;
    for fault in [Fault::Conflict, Fault::Throttle] {
        for request in ["register", "login", "refresh", "logout"] {
            pool.proxy().inject(fault, 100);
            pool.proxy().take_requests();
            let answer = match request {
                "register" => pool.register("bob@example.com").await,
                "login" => pool.login(EMAIL).await,
                "refresh" => pool.refresh(&session.refresh_token).await,
                _ => pool.logout(&session.refresh_token).await,
            };
            pool.proxy().calm();
            let requests = pool.proxy().take_requests();
            let tries: usize = requests.iter().filter(|(name, _)| !is_read(name)).map(|(_, count)| count).sum();
            answer.assert_problem(503, "unavailable");
            assert_eq!(answer.header("retry-after"), "1");
            assert_eq!(tries, 5, "{request} under {fault:?}");
        }
    }
    assert_eq!(pool.items().await, before);
    assert_eq!(pool.me(&session.access_token).await.text("user_id"), user);
}

#[tokio::test]
async fn another_address_survives_every_fault() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    for fault in Fault::OF_ANY_WRITE {
        let (email, new) = (pool.address("ann"), pool.address("new"));
        pool.verified(&email).await;
        let session = pool.signed_in(&email).await;
        pool.proxy().inject_for("TransactWriteItems", fault, 2);
        let link = pool.asked_for_email(&session, &new).await;
        let body = json!({"user_id": link.user, "token": link.token});
        pool.under(fault, 2, pool.post("/email/confirm", body)).await.assert_status(200);
        pool.login(&new).await.assert_status(200);
        let link = pool.link_to_undo(&email).await;
        let body = json!({"user_id": link.user, "token": link.token, "new_password": PASSWORD});
        pool.under(fault, 2, pool.post("/email/undo", body)).await.assert_status(200);
        pool.login(&email).await.assert_status(200);
    }
}

#[tokio::test]
async fn leaving_and_staying_survive_every_fault() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    for fault in Fault::OF_ANY_WRITE {
        let email = pool.address("ann");
        pool.verified(&email).await;
        let session = pool.signed_in(&email).await;
        pool.proxy().inject_for("TransactWriteItems", fault, 2);
        let link = pool.asked_to_be_deleted(&session).await;
        let body = json!({"user_id": link.user, "token": link.token});
        pool.under(fault, 2, pool.post("/account/keep", body)).await.assert_status(200);
        pool.login(&email).await.assert_status(200);
    }
}

#[tokio::test]
async fn an_erasure_survives_every_fault() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    for fault in Fault::OF_ANY_WRITE {
        let email = pool.address("ann");
        pool.verified(&email).await;
        let session = pool.signed_in(&email).await;
        pool.asked_to_be_deleted(&session).await;
        pool.pass(std::time::Duration::from_hours(7 * 24));
        pool.under(fault, 2, pool.local().erase_accounts()).await.unwrap();
        pool.login(&email).await.assert_problem(401, "invalid_credentials");
        let mails = pool.mails(&email).await;
        let said = mails.iter().filter(|mail| mail["subject"] == "Your account was deleted").count();
        assert_eq!(said, 1, "{fault:?}");
    }
}
