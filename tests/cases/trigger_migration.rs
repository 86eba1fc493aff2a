//! `UserMigration`: accounts that are made when somebody from elsewhere first comes by.

use serde_json::{Value, json};
use tests::{PASSWORD, Pool, Reply, Triggers};

const SIGN_IN: &str = "UserMigration_Authentication";
const FORGOT: &str = "UserMigration_ForgotPassword";

/// A function that knows Ann, by her usual password.
async fn knowing(ann: Value) -> Option<(Triggers, Pool)> {
    let triggers = Triggers::start().await;
    triggers.on("UserMigration", move |event| {
        let password = &event["request"]["password"];
        match event["userName"].as_str() {
            Some("ann@example.com") if password.is_null() || password == PASSWORD => Reply::Response(ann.clone()),
            Some("ann@example.com") => Reply::Throws("Bad password"),
            _ => Reply::Throws("Unknown user"),
        }
    });
    let pool = Pool::with_triggers(&triggers, ["UserMigration", "PreAuthentication"]).await?;
    Some((triggers, pool))
}

fn ann() -> Value {
    json!({
        "userAttributes": {"email": "ann@example.com", "email_verified": "true", "name": "Ann", "given_name": "Anna",
            "phone_number": "+4912345678", "sub": "old"},
        "finalUserStatus": "CONFIRMED", "messageAction": "SUPPRESS", "desiredDeliveryMediums": ["EMAIL"],
        "forceAliasCreation": false,
    })
}

#[tokio::test]
async fn somebody_from_elsewhere_signs_in_with_the_password_from_there_and_is_asked_about_once() {
    let Some((triggers, pool)) = knowing(ann()).await else { return };
    let session = pool.signed_in("ann@example.com").await;
    let me = pool.me(&session.access_token).await.json();
    assert_eq!((me["name"].as_str(), &me["email_verified"]), (Some("Ann"), &json!(true)));
    assert_eq!(me["attributes"], json!({"given_name": "Anna"}));
    assert_ne!(me["user_id"], "old");
    assert!(pool.mails("ann@example.com").await.is_empty());
    assert_eq!(triggers.sources(), ["PreAuthentication_Authentication", SIGN_IN]);
    assert_eq!(triggers.event("PreAuthentication_Authentication")["request"]["userNotFound"], true);
    triggers.forget();
    pool.login("ann@example.com").await.assert_status(200);
    let wrong = json!({"email": "ann@example.com", "password": "wrong password"});
    pool.post("/login", wrong).await.assert_problem(401, "invalid_credentials");
    assert!(!triggers.sources().contains(&SIGN_IN.to_owned()));
}

#[tokio::test]
async fn what_the_function_says_of_strangers_is_not_told() {
    let Some((_triggers, pool)) = knowing(ann()).await else { return };
    for (email, password) in [("ann@example.com", "wrong password"), ("nobody@example.com", PASSWORD)] {
        let answer = pool.post("/login", json!({"email": email, "password": password})).await;
        answer.assert_problem(401, "invalid_credentials");
        assert_eq!(answer.text("detail"), "The address or the password is wrong.");
    }
    pool.post("/password/forgot", json!({"email": "nobody@example.com"})).await.assert_status(202);
    let accounts = pool.accounts().await;
    assert_eq!(accounts, 0);
}

#[tokio::test]
async fn a_function_that_returns_the_event_as_it_came_knows_nobody() {
    let triggers = Triggers::start().await;
    let Some(pool) = Pool::with_triggers(&triggers, ["UserMigration"]).await else { return };
    pool.login("ann@example.com").await.assert_problem(401, "invalid_credentials");
    triggers.on("UserMigration", |_| Reply::Returns(Value::Null));
    pool.login("ann@example.com").await.assert_problem(502, "trigger_failed");
}

#[tokio::test]
async fn guesses_at_accounts_elsewhere_are_counted_before_the_function_is_asked() {
    let Some((triggers, pool)) = knowing(ann()).await else { return };
    let wrong = json!({"email": "ann@example.com", "password": "wrong password"});
    for _ in 0..5 {
        pool.post("/login", wrong.clone()).await.assert_status(401);
    }
    triggers.forget();
    pool.login("ann@example.com").await.assert_problem(429, "too_many_attempts");
    assert!(triggers.sources().is_empty());
}

#[tokio::test]
async fn an_account_that_the_function_does_not_confirm_needs_another_password_first() {
    for status in [Value::Null, json!("RESET_REQUIRED")] {
        let mut known = ann();
        known["finalUserStatus"] = status;
        let Some((triggers, pool)) = knowing(known).await else { return };
        for _ in 0..2 {
            pool.login("ann@example.com").await.assert_problem(403, "password_reset_required");
        }
        assert_eq!(triggers.sources().iter().filter(|source| *source == SIGN_IN).count(), 1);
        let link = pool.forgot("ann@example.com").await;
        let password = "another horse battery staple";
        let reset = json!({"user_id": link.user, "token": link.token, "new_password": password});
        pool.post("/password/reset", reset).await.assert_status(200);
        pool.login("ann@example.com").await.assert_problem(401, "invalid_credentials");
        pool.post("/login", json!({"email": "ann@example.com", "password": password})).await.assert_status(200);
    }
}

#[tokio::test]
async fn an_address_that_was_not_verified_elsewhere_is_not_here() {
    let mut known = ann();
    known["userAttributes"]["email_verified"] = Value::Null;
    known["userAttributes"].as_object_mut().unwrap().remove("email_verified");
    let Some((_triggers, pool)) = knowing(known).await else { return };
    let session = pool.signed_in("ann@example.com").await;
    assert_eq!(pool.me(&session.access_token).await.json()["email_verified"], false);
}

#[tokio::test]
async fn whoever_forgot_a_password_elsewhere_gets_an_account_and_a_mail_here() {
    let mut known = ann();
    known["finalUserStatus"] = json!("RESET_REQUIRED");
    let Some((triggers, pool)) = knowing(known).await else { return };
    let body = json!({"email": "ann@example.com", "client_metadata": {"via": "app"}});
    pool.post("/password/forgot", body).await.assert_status(202);
    assert_eq!(triggers.event(FORGOT)["request"]["clientMetadata"], json!({"via": "app"}));
    let link = pool.link("ann@example.com").await;
    // Nobody has its password until then.
    pool.login("ann@example.com").await.assert_problem(401, "invalid_credentials");
    let reset = json!({"user_id": link.user, "token": link.token, "new_password": "another horse battery staple"});
    pool.post("/password/reset", reset).await.assert_status(200);
    let login = json!({"email": "ann@example.com", "password": "another horse battery staple"});
    pool.post("/login", login).await.assert_status(200);
}

#[tokio::test]
async fn nobody_comes_over_whose_attempt_is_refused() {
    let Some((triggers, pool)) = knowing(ann()).await else { return };
    triggers.on("PreAuthentication", |_| Reply::Throws("Not from here"));
    pool.login("ann@example.com").await.assert_problem(400, "trigger_refused");
    assert_eq!(pool.accounts().await, 0);
}

#[tokio::test]
async fn mail_goes_to_the_address_as_it_is_known_elsewhere_and_not_as_a_stranger_spells_it() {
    let triggers = Triggers::start().await;
    triggers.answer("UserMigration", ann());
    let Some(pool) = Pool::with_triggers(&triggers, ["UserMigration"]).await else { return };
    pool.post("/password/forgot", json!({"email": "ANN@example.com"})).await.assert_status(202);
    assert_eq!(pool.mails("ann@example.com").await[0]["to"], "ann@example.com");
}

#[tokio::test]
async fn whoever_forgot_a_password_can_set_one_whatever_the_function_says_of_the_account() {
    for (status, verified) in [("CONFIRMED", "true"), ("CONFIRMED", "false"), ("RESET_REQUIRED", "false")] {
        let mut known = ann();
        known["finalUserStatus"] = json!(status);
        known["userAttributes"]["email_verified"] = json!(verified);
        let Some((_triggers, pool)) = knowing(known).await else { return };
        let link = pool.forgot("ann@example.com").await;
        let password = "another horse battery staple";
        let reset = json!({"user_id": link.user, "token": link.token, "new_password": password});
        pool.post("/password/reset", reset).await.assert_status(200);
        pool.post("/login", json!({"email": "ann@example.com", "password": password})).await.assert_status(200);
    }
}

#[tokio::test]
async fn somebody_whom_the_pool_could_not_keep_is_like_nobody_to_whoever_asks_for_a_mail() {
    for (name, value) in [("custom:unknown", "x"), ("email", "bob@example.com")] {
        let mut known = ann();
        known["userAttributes"][name] = json!(value);
        let Some((_triggers, pool)) = knowing(known).await else { return };
        pool.post("/password/forgot", json!({"email": "ann@example.com"})).await.assert_status(202);
        assert_eq!(pool.accounts().await, 0);
    }
}

#[tokio::test]
async fn somebody_whom_the_pool_could_not_keep_is_not_taken_in() {
    for (name, value) in [
        ("email", json!("bob@example.com")),
        ("email", json!("no address")),
        ("name", json!("\u{202e}")),
        ("custom:unknown", json!("x")),
        ("birthdate", json!("yesterday")),
    ] {
        let mut known = ann();
        known["userAttributes"][name] = value;
        let Some((_triggers, pool)) = knowing(known).await else { return };
        pool.login("ann@example.com").await.assert_problem(502, "trigger_failed");
        let accounts = pool.accounts().await;
        assert_eq!(accounts, 0, "{name}");
    }
    let mut known = ann();
    known["finalUserStatus"] = json!("ARCHIVED");
    let Some((_triggers, pool)) = knowing(known).await else { return };
    pool.login("ann@example.com").await.assert_problem(502, "trigger_failed");
}

#[tokio::test]
async fn attributes_that_are_texts_there_are_what_the_schema_says_here() {
    let mut known = ann();
    known["userAttributes"]["custom:seats"] = json!("12");
    known["userAttributes"]["custom:news"] = json!("true");
    let Some((_triggers, pool)) = knowing(known).await else { return };
    let schema = json!({"custom:seats": {"type": "number"}, "custom:news": {"type": "boolean"}});
    pool.set(json!({"attributes": schema.to_string()})).await;
    let session = pool.signed_in("ann@example.com").await;
    let me = pool.me(&session.access_token).await.json();
    assert_eq!(me["attributes"], json!({"given_name": "Anna", "custom:seats": 12, "custom:news": true}));
}

#[tokio::test]
async fn parallel_first_sign_ins_make_one_account() {
    let Some((_triggers, pool)) = knowing(ann()).await else { return };
    let answers = futures::future::join_all((0..4).map(|_| pool.login("ann@example.com"))).await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert!(statuses.contains(&200) && statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    let accounts = pool.accounts().await;
    assert_eq!(accounts, 1);
    pool.login("ann@example.com").await.assert_status(200);
}

#[tokio::test]
async fn parallel_requests_for_a_mail_make_one_account_and_tell_nothing() {
    let Some((_triggers, pool)) = knowing(ann()).await else { return };
    let body = json!({"email": "ann@example.com"});
    for answer in futures::future::join_all((0..3).map(|_| pool.post("/password/forgot", body.clone()))).await {
        answer.assert_status(202);
    }
    assert_eq!(pool.accounts().await, 1);
}

#[tokio::test]
async fn an_abandoned_registration_gives_way_to_somebody_from_elsewhere() {
    let Some((_triggers, pool)) = knowing(ann()).await else { return };
    let squatter = json!({"email": "ann@example.com", "password": "the password of a stranger"});
    pool.post("/register", squatter).await.assert_status(201);
    pool.login("ann@example.com").await.assert_problem(401, "invalid_credentials");
    pool.pass(std::time::Duration::from_hours(25));
    pool.login("ann@example.com").await.assert_status(200);
    let accounts = pool.accounts().await;
    assert_eq!(accounts, 1);
}
