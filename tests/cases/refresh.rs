use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::{Answer, Need, Pool, SignedIn};

/// A pool, and somebody who signed in to it.
async fn signed_in<const N: usize>(needs: [Need; N]) -> Option<(Pool, SignedIn)> {
    let pool = Pool::with(needs).await?;
    let email = pool.address("ann");
    pool.verified(&email).await;
    let signed_in = pool.signed_in(&email).await;
    Some((pool, signed_in))
}

#[track_caller]
fn rotated(answer: &Answer) -> String {
    answer.assert_status(200);
    answer.session_cookie().expect("the token is rotated").0
}

#[track_caller]
fn assert_only_forgiven(answer: &Answer) {
    answer.assert_status(200);
    assert!(answer.session_cookie().is_none(), "the token was rotated");
}

#[track_caller]
fn assert_over(answer: &Answer) {
    answer.assert_problem(401, "invalid_refresh_token");
    assert_eq!(answer.session_cookie(), Some((String::new(), 0)), "the cookie is not cleared");
}

#[tokio::test]
async fn the_current_token_rotates_and_gives_an_access_token_of_the_same_session() {
    let Some((pool, first)) = signed_in([Need::Mailbox]).await else { return };
    let answer = pool.refresh(&first.refresh_token).await;
    assert_ne!(rotated(&answer), first.refresh_token);
    let claims = |token: &str| jsonwebtoken::dangerous::insecure_decode_claims::<serde_json::Value>(token).unwrap();
    let (before, after) = (claims(&first.access_token), claims(&answer.text("access_token")));
    assert_eq!((&before["sid"], &before["auth_time"]), (&after["sid"], &after["auth_time"]));
    assert_ne!(before["jti"], after["jti"]);
    pool.me(&answer.text("access_token")).await.assert_status(200);
}

#[tokio::test]
async fn the_previous_token_is_forgiven_for_ten_seconds() {
    let Some((pool, first)) = signed_in([Need::Inside, Need::Mailbox]).await else { return };
    let second = rotated(&pool.refresh(&first.refresh_token).await);
    pool.pass(Duration::from_secs(10));
    assert_only_forgiven(&pool.refresh(&first.refresh_token).await);
    rotated(&pool.refresh(&second).await);
}

#[tokio::test]
async fn a_lost_answer_is_recovered_from_by_the_previous_token() {
    let Some((pool, first)) = signed_in([Need::Inside, Need::Mailbox]).await else { return };
    rotated(&pool.refresh(&first.refresh_token).await);
    pool.pass(Duration::from_secs(11));
    let recovered = rotated(&pool.refresh(&first.refresh_token).await);
    pool.pass(Duration::from_secs(11));
    rotated(&pool.refresh(&recovered).await);
}

#[tokio::test]
async fn a_session_recovers_three_times_and_ends_at_the_fourth() {
    let Some((pool, first)) = signed_in([Need::Inside, Need::Mailbox]).await else { return };
    rotated(&pool.refresh(&first.refresh_token).await);
    for _ in 0..3 {
        pool.pass(Duration::from_secs(11));
        rotated(&pool.refresh(&first.refresh_token).await);
    }
    pool.pass(Duration::from_secs(11));
    assert_over(&pool.refresh(&first.refresh_token).await);
    pool.me(&first.access_token).await.assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn a_rotation_forgets_the_recoveries_before_it() {
    let Some((pool, first)) = signed_in([Need::Inside, Need::Mailbox]).await else { return };
    let mut token = first.refresh_token;
    for _ in 0..5 {
        rotated(&pool.refresh(&token).await);
        pool.pass(Duration::from_secs(11));
        token = rotated(&pool.refresh(&token).await);
    }
}

#[tokio::test]
async fn an_older_token_is_theft_and_ends_the_session_for_both() {
    let Some((pool, first)) = signed_in([Need::Mailbox]).await else { return };
    let second = rotated(&pool.refresh(&first.refresh_token).await);
    let third = rotated(&pool.refresh(&second).await);
    assert_over(&pool.refresh(&first.refresh_token).await);
    assert_over(&pool.refresh(&third).await);
    pool.me(&first.access_token).await.assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn theft_ends_the_session_that_it_is_of_and_no_other() {
    let Some((pool, stolen)) = signed_in([Need::Mailbox]).await else { return };
    let other = pool.signed_in(&stolen.email).await;
    let second = rotated(&pool.refresh(&stolen.refresh_token).await);
    rotated(&pool.refresh(&second).await);
    assert_over(&pool.refresh(&stolen.refresh_token).await);
    rotated(&pool.refresh(&other.refresh_token).await);
}

#[tokio::test]
async fn fifty_parallel_refreshes_with_one_token_rotate_once_and_sign_nobody_out() {
    let Some((pool, first)) = signed_in([Need::Mailbox]).await else { return };
    let refresh = || pool.until_available(|| pool.refresh(&first.refresh_token));
    let answers = join_all((0..50).map(|_| refresh())).await;
    let next: Vec<String> = answers.iter().filter_map(tests::Answer::session_cookie).map(|(token, _)| token).collect();
    assert_eq!(next.len(), 1, "{} rotations", next.len());
    assert!(answers.iter().all(|answer| answer.status == 200));
    rotated(&pool.refresh(&next[0]).await);
}

#[tokio::test]
async fn fifty_parallel_recoveries_recover_once() {
    let Some((pool, first)) = signed_in([Need::Inside, Need::Mailbox]).await else { return };
    rotated(&pool.refresh(&first.refresh_token).await);
    pool.pass(Duration::from_secs(11));
    let answers = join_all((0..50).map(|_| pool.refresh(&first.refresh_token))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let next: Vec<String> = answers.iter().filter_map(tests::Answer::session_cookie).map(|(token, _)| token).collect();
    assert_eq!(next.len(), 1, "{} recoveries", next.len());
    rotated(&pool.refresh(&next[0]).await);
}

/// Thief and victim hold the same token and refresh every 5 seconds with the newest one that each has. Whoever begins, and
/// by however much, the session ends within a minute.
#[tokio::test]
async fn a_thief_who_polls_beside_the_victim_is_caught_within_a_minute() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    for (head_start, offset) in [(0, 1), (0, 4), (2, 1), (2, 3), (12, 2)] {
        let first = pool.signed_in("ann@example.com").await.refresh_token;
        let mut tokens = [first.clone(), first];
        if head_start > 0 {
            tokens[0] = rotated(&pool.refresh(&tokens[0]).await);
            pool.pass(Duration::from_secs(head_start));
        }
        let mut seconds = 0;
        let caught = 'polling: loop {
            for (who, wait) in [(0, offset), (1, 5 - offset)] {
                let answer = pool.refresh(&tokens[who]).await;
                if answer.status == 401 {
                    break 'polling true;
                }
                if let Some((next, _)) = answer.session_cookie() {
                    tokens[who] = next;
                }
                pool.pass(Duration::from_secs(wait));
                seconds += wait;
            }
            if seconds > 60 {
                break false;
            }
        };
        assert!(caught, "not caught with a head start of {head_start} and an offset of {offset}");
        for token in tokens {
            assert_over(&pool.refresh(&token).await);
        }
    }
}

#[tokio::test]
async fn a_session_ends_after_thirty_idle_days_and_after_ninety_in_any_case() {
    let day = Duration::from_hours(24);
    let Some((pool, idle)) = signed_in([Need::Inside, Need::Mailbox]).await else { return };
    pool.pass(30 * day);
    assert_over(&pool.refresh(&idle.refresh_token).await);

    let mut token = pool.signed_in(&idle.email).await.refresh_token;
    for left in [61, 32, 3] {
        pool.pass(29 * day);
        let (next, max_age) = pool.refresh(&token).await.session_cookie().unwrap();
        assert_eq!(max_age, left.min(30) * 86_400);
        token = next;
    }
    pool.pass(3 * day);
    assert_over(&pool.refresh(&token).await);
}

#[tokio::test]
async fn the_pool_decides_how_long_sessions_live() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let key = json!({"pk": "us-east-1_Freehold1#POOL", "sk": "SETTINGS", "item_type": "settings"});
    let mut settings = key;
    settings["session_idle_seconds"] = json!(600);
    settings["session_absolute_seconds"] = json!(900);
    pool.table().put(settings).await;
    pool.verified("ann@example.com").await;
    let answer = pool.login("ann@example.com").await;
    let (token, max_age) = answer.session_cookie().unwrap();
    assert_eq!(max_age, 600);
    pool.pass(Duration::from_secs(500));
    let (token, max_age) = pool.refresh(&token).await.session_cookie().unwrap();
    assert_eq!(max_age, 400);
    pool.pass(Duration::from_secs(400));
    assert_over(&pool.refresh(&token).await);
}

#[tokio::test]
async fn an_expired_session_is_over_before_the_table_deletes_it() {
    let Some((pool, session)) = signed_in([Need::Inside, Need::Mailbox]).await else { return };
    let Some(database) = pool.database() else { return };
    pool.pass(Duration::from_hours(744));
    assert!(pool.items().await.iter().any(|item| item["item_type"] == "session"));
    assert_over(&pool.refresh(&session.refresh_token).await);
    database.sweep_ttl().unwrap();
    assert!(!pool.items().await.iter().any(|item| item["item_type"] == "session"));
    assert_over(&pool.refresh(&session.refresh_token).await);
}

#[tokio::test]
async fn a_signed_out_session_is_not_refreshed() {
    let Some((pool, session)) = signed_in([Need::Mailbox]).await else { return };
    pool.logout(&session.refresh_token).await.assert_status(200);
    assert_over(&pool.refresh(&session.refresh_token).await);
}

#[tokio::test]
async fn junk_is_refused_before_the_database_and_ends_nothing() {
    let Some((pool, session)) = signed_in([Need::Inside, Need::Mailbox]).await else { return };
    let token = &session.refresh_token;
    let flipped = format!("{}{}", &token[..token.len() - 4], "AAAA");
    let guessed_secret = format!("{}{}{}", &token[..60], "A".repeat(20), &token[80..]);
    pool.proxy().take_requests();
    for junk in ["", "junk", &token[..token.len() - 1], &format!("{token}A"), &flipped, &guessed_secret] {
        assert_over(&pool.refresh(junk).await);
    }
    assert!(pool.proxy().take_requests().is_empty(), "junk reached the database");
    rotated(&pool.refresh(token).await);
}

#[tokio::test]
async fn a_refresh_without_any_token_is_refused() {
    let Some(pool) = Pool::with([]).await else { return };
    pool.send("POST", "/refresh", &[], "").await.assert_problem(401, "invalid_refresh_token");
    pool.post("/refresh", json!({})).await.assert_problem(401, "invalid_refresh_token");
    pool.post("/refresh", json!({"refresh_token": "fh_rt_"})).await.assert_problem(401, "invalid_refresh_token");
}
