//! What is in no log, whatever happens.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tests::{Fault, Need, PASSWORD, Pool};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_and_nothing_that_a_caller_sent_is_in_the_log_of_a_whole_run() {
    let log = Log::default();
    let writer = log.clone();
    // Our own crates at every level; the rest as in Lambda, where it stays at WARN.
    let targets = Targets::new().with_default(LevelFilter::WARN).with_target("freehold", LevelFilter::TRACE);
    let lines = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines).with(targets));

    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = "ann.secret@example.com";
    let body = json!({"email": email, "password": PASSWORD, "name": "Ann Secretname"});
    pool.under(Fault::LoseAnswer, 1, pool.post("/register", body)).await.assert_status(201);
    let link = pool.link(email).await;
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(400);
    let way_back = pool.forgot(email).await;
    let body = json!({"email": email, "code": "00000000", "new_password": "hostile new password"});
    pool.post("/password/reset", body).await.assert_status(400);
    let body = json!({"user_id": way_back.user, "token": way_back.token, "new_password": PASSWORD});
    pool.post("/password/reset", body).await.assert_status(200);
    let session = pool.signed_in(email).await;
    let second = pool.refresh(&session.refresh_token).await.session_cookie().unwrap().0;
    let third = pool.refresh(&second).await.session_cookie().unwrap().0;
    pool.refresh(&session.refresh_token).await.assert_status(401);
    pool.under(Fault::Throttle, 100, pool.login(email)).await.assert_status(503);
    pool.post("/login", json!({"email": email, "password": "wrong hostile password"})).await.assert_status(401);
    pool.post("/register", json!({"email": "hostile\u{0}", "password": PASSWORD, "hostilefield": 1}))
        .await
        .assert_status(422);
    pool.send("POST", "/register", &[("content-type", "application/json")], "{hostile").await.assert_status(400);
    pool.me("hostile.token.here").await.assert_status(401);
    pool.table()
        .set(&format!("us-east-1_Freehold1#USER#{}", link.user), "CREDENTIALS", "password_hash", "hostilehash")
        .await;
    pool.login(email).await.assert_status(500);

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("a stolen refresh token ended its session"), "the log was not taken: {log}");
    assert!(log.contains("UpdateItem") || log.contains("PutItem"), "the cause of a failure is not in the log: {log}");
    let secrets = [
        email,
        "Secretname",
        PASSWORD,
        &link.token,
        &link.code,
        &way_back.token,
        &way_back.code,
        &session.access_token,
        &session.refresh_token,
        &second,
        &third,
        "fh_rt_",
        "fh_cs_",
        "fh_ev_",
        "fh_pr_",
        "argon2id",
        "hostile",
        "BEGIN RSA",
        "127.0.0.1",
    ];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}
