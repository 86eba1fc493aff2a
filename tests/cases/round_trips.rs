//! What each action costs at the table, counted.

use std::collections::BTreeMap;

use serde_json::json;
use tests::{Need, Pool};

fn requests<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.into_iter().map(|(operation, count)| (operation.to_owned(), count)).collect()
}

#[tokio::test]
async fn every_action_asks_the_table_no_more_often_than_it_must() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let proxy = pool.proxy();
    // The pool's settings are read once a minute, by whoever comes first.
    pool.login("warm@example.com").await.assert_status(401);

    proxy.take_requests();
    pool.register("ann@example.com").await.assert_status(201);
    assert_eq!(proxy.take_requests(), requests([("GetItem", 1), ("TransactWriteItems", 1)]), "register");

    let link = pool.link("ann@example.com").await;
    proxy.take_requests();
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    assert_eq!(proxy.take_requests(), requests([("GetItem", 1), ("TransactWriteItems", 1)]), "verify-email");

    let session = pool.signed_in("ann@example.com").await;
    // The claim; the profile and the credentials at once; the session.
    assert_eq!(proxy.take_requests(), requests([("GetItem", 3), ("PutItem", 1)]), "login");

    pool.me(&session.access_token).await.assert_status(200);
    // The profile and the session at once.
    assert_eq!(proxy.take_requests(), requests([("GetItem", 2)]), "me");

    let answer = pool.refresh(&session.refresh_token).await;
    // The rotation, the profile and the credentials at once.
    assert_eq!(proxy.take_requests(), requests([("GetItem", 2), ("UpdateItem", 1)]), "refresh");

    pool.logout(&answer.session_cookie().unwrap().0).await.assert_status(200);
    assert_eq!(proxy.take_requests(), requests([("DeleteItem", 1)]), "logout");
}
