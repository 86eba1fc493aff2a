use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use tests::{Need, PASSWORD, Pool};

#[tokio::test]
async fn a_registration_is_one_account_that_waits_to_be_verified() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let answer = pool.post("/register", json!({"email": "Ann@Example.com", "password": PASSWORD, "name": "Ann"})).await;
    answer.assert_status(201);
    let user = answer.text("user_id");

    let items = pool.items().await;
    let types: Vec<&str> = items.iter().map(|item| item["item_type"].as_str()).collect();
    assert_eq!(types, ["claim", "mail", "verification", "credentials", "user"]);
    assert!(items[0]["pk"].ends_with("#LOGIN#email#ann@example.com"), "{:?}", items[0]);
    let profile = items.iter().find(|item| item["sk"] == "PROFILE").unwrap();
    assert!(profile["pk"].ends_with(&format!("#USER#{user}")));
    assert_eq!((profile["account_status"].as_str(), profile["email"].as_str()), ("unverified", "Ann@example.com"));
    assert_eq!(profile["roles"], r#"L([S("user")])"#);
}

#[tokio::test]
async fn what_is_stored_is_a_hash_an_envelope_and_the_base64_of_a_pem() {
    let Some(pool) = Pool::with([Need::Table]).await else { return };
    let answer = pool.register(&pool.address("ann")).await;
    answer.assert_status(201);
    let mut items = pool.items().await;
    items.retain(|item| item["pk"] == pool.user_key(&answer.text("user_id")));
    let credentials = items.iter().find(|item| item["sk"] == "CREDENTIALS").unwrap();
    assert!(
        credentials["password_hash"].starts_with("$argon2id$v=19$m=65536,t=1,p="),
        "{}",
        credentials["password_hash"]
    );
    assert_eq!(credentials["private_key"].split('.').count(), 4);
    assert!(credentials["private_key"].ends_with(".1000"));
    let profile = items.iter().find(|item| item["sk"] == "PROFILE").unwrap();
    // "-----BEGIN RSA PUBLIC KEY" in base64.
    assert!(profile["public_key"].starts_with("LS0tLS1CRUdJTiBSU0EgUFVCTElDIEtFW"), "{}", profile["public_key"]);
}

#[tokio::test]
async fn a_taken_address_is_refused_in_every_spelling() {
    let Some(pool) = Pool::with([]).await else { return };
    let email = pool.address("ann");
    pool.register(&email).await.assert_status(201);
    for spelling in [email.clone(), email.to_uppercase(), format!(" {email} "), email.replace("example", "ｅxample")] {
        pool.register(&spelling).await.assert_problem(409, "email_taken");
    }
}

#[tokio::test]
async fn fifty_parallel_registrations_of_one_address_have_one_winner() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let spellings = ["ann@example.com", "ANN@example.com", " Ann@EXAMPLE.com", "ann@ｅxample.com", "aNN@example。com"];
    let registrations = (0..50).map(|at| pool.register(spellings[at % spellings.len()]));
    let statuses: Vec<u16> = join_all(registrations).await.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 49, "{statuses:?}");
    assert_eq!(pool.items().await.len(), 5, "a registration that was refused left something behind");
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() {
    let Some(pool) = Pool::with([]).await else { return };
    let answer = pool.post("/register", json!({"email": "ann", "password": "123\u{0}", "name": "\u{202e}"})).await;
    answer.assert_problem(422, "invalid_email");
    let errors = answer.json()["errors"].clone();
    let codes: Vec<&str> = errors.as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["invalid_email", "invalid_password", "invalid_name"]);
    let missing = pool.post("/register", json!({})).await;
    missing.assert_problem(422, "invalid_email");
}

#[tokio::test]
async fn nobody_sets_what_an_action_does_not_take() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    for field in ["roles", "email_verified", "account_status", "user_id"] {
        let answer =
            pool.post("/register", json!({"email": "ann@example.com", "password": PASSWORD, field: "admin"})).await;
        answer.assert_problem(422, "unknown_field");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
    assert!(pool.items().await.is_empty());
}

#[tokio::test]
async fn an_abandoned_account_gives_way_after_its_day_and_never_before() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let first = pool.register("ann@example.com").await.text("user_id");
    let old_link = pool.link("ann@example.com").await;
    pool.pass(Duration::from_secs(24 * 60 * 60 - 1));
    pool.register("ann@example.com").await.assert_problem(409, "email_taken");
    pool.pass(Duration::from_secs(1));

    let answer = pool.register("ann@example.com").await;
    answer.assert_status(201);
    assert!(!pool.items().await.iter().any(|item| item["pk"].contains(&first)), "the abandoned account is still there");
    let old = json!({"user_id": old_link.user, "token": old_link.token});
    pool.post("/verify-email", old).await.assert_problem(400, "invalid_token");
    let link = pool.link("ann@example.com").await;
    assert_eq!(link.user, answer.text("user_id"));
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
}

#[tokio::test]
async fn whoever_takes_a_lapsed_address_over_deletes_the_abandoned_account() {
    let Some(pool) = Pool::with([Need::Table]).await else { return };
    let email = pool.address("ann");
    let first = pool.user_key(&pool.register(&email).await.text("user_id"));
    let claim = format!("{}#LOGIN#email#{email}", pool.id());
    pool.table().set(&claim, "CLAIM", "unverified_until", 0).await;
    pool.register(&email).await.assert_status(201);
    assert!(!pool.items().await.iter().any(|item| item["pk"] == first), "the abandoned account is still there");
}

#[tokio::test]
async fn a_verified_address_is_never_taken_over() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    pool.pass(Duration::from_hours(9600));
    pool.register("ann@example.com").await.assert_problem(409, "email_taken");
}

#[tokio::test]
async fn fifty_parallel_takeovers_of_an_abandoned_address_have_one_winner() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    pool.pass(Duration::from_hours(24));
    let answers = join_all((0..50).map(|_| pool.register("ann@example.com"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let profiles = pool.items().await.iter().filter(|item| item["item_type"] == "user").count();
    assert_eq!(profiles, 1);
}
