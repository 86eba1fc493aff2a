use std::time::Duration;

use serde_json::json;
use tests::{Fault, Need, PASSWORD, Pool};

const GRACE: Duration = Duration::from_hours(7 * 24);

/// Somebody whose account is due, with so many more items: the address and the id.
async fn due(pool: &Pool, more_items: usize) -> (String, String) {
    let email = pool.address("ann");
    let user = pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    for number in 0..more_items {
        let item = json!({"pk": pool.user_key(&user), "sk": format!("AUDIT#{number:05}"), "item_type": "audit"});
        pool.table().put(item).await;
    }
    pool.asked_to_be_deleted(&session).await;
    pool.pass(GRACE);
    (email, user)
}

/// What is left that names a user or an address, but for the mail that says that all is gone.
async fn left(pool: &Pool, email: &str, user: &str) -> Vec<String> {
    let items = pool.items().await;
    let names = |text: &str| text.contains(user) || text.contains(email);
    let is_left = |item: &&std::collections::BTreeMap<String, String>| {
        item["item_type"] != "mail" && item.values().any(|value| names(value))
    };
    items.iter().filter(is_left).map(|item| format!("{} {}", item["pk"], item["sk"])).collect()
}

#[tokio::test]
async fn two_thousand_items_go_even_where_it_is_interrupted() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, user) = due(&pool, 2_000).await;
    // In the midst of it the database begins to refuse, for longer than the client tries.
    let proxy = pool.proxy().clone();
    pool.proxy().before_nth("BatchWriteItem", 30, move || proxy.inject_for("BatchWriteItem", Fault::Throttle, 20));
    let erase = async || pool.local().erase_accounts().await.unwrap()["erased"].clone();
    assert_eq!(erase().await, 0);
    let interrupted = left(&pool, &email, &user).await.len();
    assert!((100..1_900).contains(&interrupted), "{interrupted} items are left");
    pool.login(&email).await.assert_problem(401, "invalid_credentials");
    pool.proxy().calm();
    // The next look deletes what is left, and the one after finds nothing and forgets it.
    assert_eq!((erase().await, erase().await, erase().await), (json!(0), json!(1), json!(0)));
    // Somebody has guessed at an address that nobody has.
    assert_eq!(left(&pool, &email, &user).await, [format!("{}#LIMIT#guesses#{email} COUNT", pool.id())]);
}

#[tokio::test]
async fn items_that_the_database_leaves_for_another_time_go_too() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, user) = due(&pool, 20).await;
    pool.proxy().take_requests();
    pool.proxy().inject_for("BatchWriteItem", Fault::LeaveHalf, 3);
    pool.local().erase_accounts().await.unwrap();
    // One batch has them all, and what is left of it is asked for again. So the next look finds nothing.
    assert_eq!(pool.proxy().take_requests()["BatchWriteItem"], 4);
    assert_eq!(pool.local().erase_accounts().await.unwrap()["erased"], 1);
    assert!(left(&pool, &email, &user).await.is_empty());
}

#[tokio::test]
async fn a_deletion_without_days_of_grace_that_is_interrupted_is_answered_and_goes_on() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.set(json!({"deletion_grace_seconds": 0})).await;
    let email = pool.address("ann");
    let user = pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    pool.proxy().inject_for("BatchWriteItem", Fault::Throttle, 20);
    let body = json!({"current_password": PASSWORD});
    pool.as_bearer(&session.access_token, "DELETE", "/me", body).await.assert_status(202);
    pool.proxy().calm();
    assert!(!left(&pool, &email, &user).await.is_empty());
    for _ in 0..2 {
        pool.local().erase_accounts().await.unwrap();
    }
    assert!(left(&pool, &email, &user).await.is_empty());
}

#[tokio::test]
async fn a_session_that_was_written_meanwhile_goes_with_the_next_look() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, user) = due(&pool, 0).await;
    pool.local().erase_accounts().await.unwrap();
    let late = json!({"pk": pool.user_key(&user), "sk": "SESSION#late", "item_type": "session"});
    pool.table().put(late).await;
    for _ in 0..2 {
        pool.local().erase_accounts().await.unwrap();
    }
    assert!(left(&pool, &email, &user).await.is_empty());
}

/// Somebody whose address was changed and whose account is to be deleted as soon as that can be: the old address, the new one,
/// and the user.
async fn moved_and_leaving(pool: &Pool) -> (String, String, String) {
    let (email, new) = (pool.address("ann"), pool.address("new"));
    let user = pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    let link = pool.asked_for_email(&session, &new).await;
    pool.post("/email/confirm", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    pool.set(json!({"deletion_grace_seconds": 0})).await;
    let session = pool.signed_in(&new).await;
    let body = json!({"current_password": PASSWORD});
    pool.as_bearer(&session.access_token, "DELETE", "/me", body).await.assert_status(202);
    (email, new, user)
}

#[tokio::test]
async fn an_address_that_the_account_had_before_is_free_too() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, new, _) = moved_and_leaving(&pool).await;
    pool.pass(GRACE);
    pool.local().erase_accounts().await.unwrap();
    assert!(pool.items().await.iter().all(|item| item["item_type"] != "claim"));
    pool.register(&email).await.assert_status(201);
    pool.register(&new).await.assert_status(201);
}

#[tokio::test]
async fn an_account_goes_although_somebody_else_has_its_former_address_by_now() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, new, _) = moved_and_leaving(&pool).await;
    pool.pass(GRACE);
    pool.verified(&email).await;
    pool.local().erase_accounts().await.unwrap();
    pool.login(&new).await.assert_problem(401, "invalid_credentials");
    pool.login(&email).await.assert_status(200);
}

#[tokio::test]
async fn an_account_whose_address_can_be_given_back_does_not_go_before() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (email, _, _) = moved_and_leaving(&pool).await;
    pool.pass(Duration::from_hours(6 * 24));
    pool.local().erase_accounts().await.unwrap();
    let link = pool.link_to_undo(&email).await;
    let body = json!({"user_id": link.user, "token": link.token, "new_password": PASSWORD});
    pool.post("/email/undo", body).await.assert_status(200);
    pool.pass(GRACE);
    pool.local().erase_accounts().await.unwrap();
    pool.login(&email).await.assert_status(200);
}

#[tokio::test]
async fn an_account_that_is_not_due_stays() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let (other, _) = due(&pool, 0).await;
    let session = pool.signed_in(&email).await;
    pool.asked_to_be_deleted(&session).await;
    pool.local().erase_accounts().await.unwrap();
    pool.login(&other).await.assert_problem(401, "invalid_credentials");
    pool.login(&email).await.assert_status(200);
}
