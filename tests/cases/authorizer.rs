use std::time::Duration;

use serde_json::{Value, json};
use tests::{Fault, Need, Pool, root};

fn event(authorization: &Value) -> Value {
    let text = std::fs::read_to_string(root().join("events/authorizer.json")).unwrap();
    let mut event: Value = serde_json::from_str(&text).unwrap();
    event["headers"]["authorization"] = authorization.clone();
    event
}

async fn authorize(pool: &Pool, authorization: &str) -> Value {
    authorizer::handle(pool.local().app(), event(&json!(authorization))).await.unwrap()
}

#[tokio::test]
async fn the_authorizer_lets_in_whom_me_lets_in_and_says_who_it_is() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let user = pool.verified("ann@example.com").await;
    let session = pool.signed_in("ann@example.com").await;
    let claims: Value = jsonwebtoken::dangerous::insecure_decode_claims(&session.access_token).unwrap();
    let answer = authorize(&pool, &format!("Bearer {}", session.access_token)).await;
    let context = json!({"sub": user, "roles": ["user"], "session": claims["sid"]});
    assert_eq!(answer, json!({"isAuthorized": true, "context": context}));
}

#[tokio::test]
async fn the_authorizer_keeps_out_everybody_else() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    let session = pool.signed_in("ann@example.com").await;
    let bearer = format!("Bearer {}", session.access_token);
    let refused = json!({"isAuthorized": false, "context": {}});
    let twice = format!("{bearer},{bearer}");
    let refresh_token = format!("Bearer {}", session.refresh_token);
    for authorization in ["", "Bearer", "Bearer junk", &bearer[7..], &twice, &refresh_token] {
        assert_eq!(authorize(&pool, authorization).await, refused, "{authorization}");
    }
    let mut without = event(&Value::Null);
    without["headers"].as_object_mut().unwrap().remove("authorization");
    assert_eq!(authorizer::handle(pool.local().app(), without).await.unwrap(), refused);

    pool.pass(Duration::from_mins(16));
    assert_eq!(authorize(&pool, &bearer).await, refused, "an expired token was let in");
}

#[tokio::test]
async fn signing_out_works_at_once_at_the_authorizer() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    let session = pool.signed_in("ann@example.com").await;
    pool.logout(&session.refresh_token).await.assert_status(200);
    let answer = authorize(&pool, &format!("Bearer {}", session.access_token)).await;
    assert_eq!(answer["isAuthorized"], false);
}

#[tokio::test]
async fn a_table_that_does_not_answer_lets_nobody_in() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    let session = pool.signed_in("ann@example.com").await;
    pool.proxy().inject_reads(Fault::Throttle, 100);
    let event = event(&json!(format!("Bearer {}", session.access_token)));
    let refused = authorizer::handle(pool.local().app(), event).await;
    assert_eq!(refused.map_err(|error| error.code()), Err("unavailable"));
}
