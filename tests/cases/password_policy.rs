//! What passwords a pool takes, at every door that sets one.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;
use tests::{Answer, Link, Need, PASSWORD, Pool};

/// SHA-1 of [`PASSWORD`], as five digits that are told and 35 that are not.
const RANGE: &str = "ABF7A";
const REST: &str = "AD6438836DBE526AA231ABDE2D0EEF74D42";

async fn register(pool: &Pool, password: &str) -> Answer {
    let email = pool.address("somebody");
    pool.post("/register", json!({"email": email, "password": password, "name": "Zoe Lindqvist"})).await
}

fn detail(answer: &Answer) -> String {
    answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_door_that_sets_a_password_holds_the_policy() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    register(&pool, "trustno1").await.assert_problem(422, "password_too_common");
    let email = pool.address("ann");
    pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    let change = json!({"current_password": PASSWORD, "new_password": "trustno1"});
    let refused = pool.as_bearer(&session.access_token, "POST", "/password/change", change).await;
    refused.assert_problem(422, "password_too_common");
    assert_eq!(refused.json()["errors"][0]["field"], "new_password");
    let Link { user, token, .. } = pool.forgot(&email).await;
    let reset = |password: &str| json!({"user_id": user, "token": token, "new_password": password});
    pool.post("/password/reset", reset("trustno1")).await.assert_problem(422, "password_too_common");
    // A password that is refused does not use the link up.
    pool.post("/password/reset", reset(PASSWORD)).await.assert_status(200);

    let session = pool.signed_in(&email).await;
    let link = pool.asked_for_email(&session, &pool.address("new")).await;
    pool.post("/email/confirm", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    let link = pool.link_to_undo(&email).await;
    let undo = |password: &str| json!({"user_id": link.user, "token": link.token, "new_password": password});
    pool.post("/email/undo", undo("trustno1")).await.assert_problem(422, "password_too_common");
    pool.post("/email/undo", undo("quiet otters swim home")).await.assert_status(200);
}

#[tokio::test]
async fn a_refusal_says_which_rule_and_how_to_do_better() {
    let Some(pool) = Pool::with([]).await else { return };
    for (password, code, hint) in [
        ("short", "password_too_short", "add a word"),
        ("iloveyou", "password_too_common", "do not belong together"),
        ("aaaaaaaaaaaa", "password_too_guessable", "Add another word or two"),
        ("lindqvist under the sea", "password_contains_personal_data", "nobody connects with you"),
        ("somebody under the sea", "password_contains_personal_data", "nobody connects with you"),
    ] {
        let refused = register(&pool, password).await;
        refused.assert_problem(422, code);
        assert!(detail(&refused).contains(hint), "{password}: {}", detail(&refused));
    }
}

#[tokio::test]
async fn a_password_that_anybody_can_see_is_weak_costs_no_guess_at_the_code() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let link = pool.forgot(&email).await;
    let reset = async |password: &str| {
        pool.post("/password/reset", json!({"email": email, "code": link.code, "new_password": password})).await
    };
    for _ in 0..10 {
        reset("trustno1").await.assert_problem(422, "password_too_common");
    }
    reset("quiet otters swim home").await.assert_status(200);
}

#[tokio::test]
async fn length_composition_and_score_are_settings() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    register(&pool, "hf73kq0z").await.assert_status(201);
    pool.set(json!({"password_min_length": 15})).await;
    register(&pool, "hf73kq0z91mvx2").await.assert_problem(422, "password_too_short");
    pool.set(json!({"password_min_score": 4})).await;
    register(&pool, "hf73kq0z").await.assert_problem(422, "password_too_guessable");
    for (setting, code) in [
        ("lower_case", "password_needs_lower_case"),
        ("upper_case", "password_needs_upper_case"),
        ("digit", "password_needs_digit"),
        ("symbol", "password_needs_symbol"),
    ] {
        pool.set(json!({format!("password_requires_{setting}"): true})).await;
        let password = if setting == "lower_case" { "QUIET OTTERS SWIM" } else { "quiet otters swim" };
        register(&pool, password).await.assert_problem(422, code);
        register(&pool, "Quiet otters swim 7!").await.assert_status(201);
    }
}

#[tokio::test]
async fn the_name_of_the_product_is_no_password() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.set(json!({"product": "Lighthouse"})).await;
    register(&pool, "lighthouse keeper 9").await.assert_problem(422, "password_contains_personal_data");
}

#[tokio::test]
async fn a_setting_that_makes_no_sense_is_an_error_and_not_another_policy() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    for wrong in
        [json!({"password_min_length": 4}), json!({"password_min_score": 0}), json!({"breached_passwords": "on"})]
    {
        pool.set(wrong).await;
        register(&pool, PASSWORD).await.assert_problem(500, "internal");
    }
}

/// A service that speaks as Have I Been Pwned does, and what it was asked.
#[derive(Clone, Default)]
struct Service {
    asked: Arc<Mutex<Vec<(String, String)>>>,
    answer: Arc<Mutex<Option<(u16, String)>>>,
}

impl Service {
    async fn start(&self) -> String {
        async fn range(
            State(service): State<Service>,
            Path(prefix): Path<String>,
            headers: HeaderMap,
        ) -> (StatusCode, String) {
            let padding = headers.get("add-padding").map(|value| value.to_str().unwrap().to_owned());
            service.asked.lock().unwrap().push((prefix, padding.unwrap_or_default()));
            let answer = service.answer.lock().unwrap().clone();
            let Some((status, text)) = answer else { return std::future::pending().await };
            (StatusCode::from_u16(status).unwrap(), text)
        }
        let router = axum::Router::new().route("/range/{prefix}", axum::routing::get(range)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn answers(&self, status: u16, text: impl Into<String>) {
        *self.answer.lock().unwrap() = Some((status, text.into()));
    }

    async fn pool(&self, setting: &str) -> Option<Pool> {
        let url = self.start().await;
        let pool = Pool::with_environment([Need::Inside], [("BREACHED_PASSWORDS_URL", &*url)]).await?;
        pool.set(json!({"breached_passwords": setting})).await;
        Some(pool)
    }
}

#[tokio::test]
async fn a_password_from_a_leak_is_refused_and_five_digits_alone_leave() {
    let service = Service::default();
    let Some(pool) = service.pool("fail_closed").await else { return };
    service.answers(200, format!("0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n{REST}:7\r\n"));
    register(&pool, PASSWORD).await.assert_problem(422, "password_breached");
    assert_eq!(*service.asked.lock().unwrap(), [(RANGE.to_owned(), "true".to_owned())]);
    service.answers(200, format!("{REST}:0\r\n"));
    register(&pool, PASSWORD).await.assert_status(201);
}

#[tokio::test]
async fn a_silent_service_is_passed_over_or_not_as_the_pool_says() {
    for (setting, status) in [("fail_open", 201), ("fail_closed", 503)] {
        let service = Service::default();
        let Some(pool) = service.pool(setting).await else { return };
        // It never answers; it refuses; it answers without end.
        register(&pool, PASSWORD).await.assert_status(status);
        service.answers(503, "");
        register(&pool, PASSWORD).await.assert_status(status);
        service.answers(200, "A".repeat(300_000));
        register(&pool, PASSWORD).await.assert_status(status);
    }
}

#[tokio::test]
async fn nobody_is_asked_unless_the_pool_says_so() {
    let service = Service::default();
    let Some(pool) = service.pool("off").await else { return };
    register(&pool, PASSWORD).await.assert_status(201);
    assert_eq!(*service.asked.lock().unwrap(), []);
}
