//! `PreSignUp` and `PostConfirmation`: who may sign up, and who is told.

use serde_json::{Value, json};
use tests::{PASSWORD, Pool, Reply, Triggers};

const PRE_SIGN_UP: &str = "PreSignUp_SignUp";
const CONFIRMED: &str = "PostConfirmation_ConfirmSignUp";

async fn with_pre_sign_up(response: Value) -> Option<(Triggers, Pool)> {
    let triggers = Triggers::start().await;
    triggers.answer("PreSignUp", response);
    let pool = Pool::with_triggers(&triggers, ["PreSignUp", "PostConfirmation"]).await?;
    Some((triggers, pool))
}

#[tokio::test]
async fn a_refused_sign_up_leaves_nothing_behind() {
    let triggers = Triggers::start().await;
    triggers.on("PreSignUp", |_| Reply::Throws("Invitation required"));
    let Some(pool) = Pool::with_triggers(&triggers, ["PreSignUp"]).await else { return };
    let before = pool.items().await.len();
    let answer = pool.register("ann@example.com").await;
    answer.assert_problem(400, "trigger_refused");
    assert_eq!(answer.text("detail"), "PreSignUp failed with error Invitation required.");
    assert_eq!(pool.items().await.len(), before);
    assert!(pool.mails("ann@example.com").await.is_empty());
    triggers.answer("PreSignUp", json!({}));
    pool.register("ann@example.com").await.assert_status(201);
}

#[tokio::test]
async fn what_is_wrong_or_taken_is_refused_before_anybody_is_asked() {
    let Some((triggers, pool)) = with_pre_sign_up(json!({})).await else { return };
    pool.verified("ann@example.com").await;
    triggers.forget();
    pool.register("ann@example.com").await.assert_problem(409, "email_taken");
    let weak = json!({"email": "bob@example.com", "password": "password"});
    pool.post("/register", weak).await.assert_problem(422, "password_too_common");
    assert!(triggers.sources().is_empty());
}

#[tokio::test]
async fn an_account_waits_for_its_mail_unless_the_function_confirms_it() {
    for response in [json!({}), json!({"autoVerifyEmail": true}), json!({"autoConfirmUser": null})] {
        let Some((triggers, pool)) = with_pre_sign_up(response).await else { return };
        let answer = pool.register("ann@example.com").await;
        answer.assert_status(201);
        assert_eq!(answer.json()["user_confirmed"], false);
        pool.login("ann@example.com").await.assert_problem(403, "email_not_verified");
        assert_eq!(triggers.sources(), [PRE_SIGN_UP]);
        assert_eq!(pool.mails("ann@example.com").await.len(), 1);
    }
}

#[tokio::test]
async fn a_confirmed_account_can_be_signed_in_to_at_once_and_gets_no_mail() {
    let response = json!({"autoConfirmUser": true, "autoVerifyEmail": true, "autoVerifyPhone": false});
    let Some((triggers, pool)) = with_pre_sign_up(response).await else { return };
    let answer = pool.register("ann@example.com").await;
    answer.assert_status(201);
    assert_eq!(answer.json()["user_confirmed"], true);
    assert!(pool.mails("ann@example.com").await.is_empty());
    let session = pool.signed_in("ann@example.com").await;
    assert_eq!(pool.me(&session.access_token).await.json()["email_verified"], true);
    assert_eq!(triggers.sources(), [PRE_SIGN_UP, CONFIRMED]);
    let told = triggers.event(CONFIRMED);
    assert_eq!(told["request"]["userAttributes"]["cognito:user_status"], "CONFIRMED");
    assert_eq!(told["request"]["userAttributes"]["sub"], answer.text("user_id").as_str());
    pool.forgot("ann@example.com").await;
}

#[tokio::test]
async fn a_confirmed_account_whose_address_nobody_showed_gets_no_mail_that_resets_its_password() {
    let Some((triggers, pool)) = with_pre_sign_up(json!({"autoConfirmUser": true})).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    let session = pool.signed_in("ann@example.com").await;
    assert_eq!(pool.me(&session.access_token).await.json()["email_verified"], false);
    assert_eq!(triggers.event(CONFIRMED)["request"]["userAttributes"]["email_verified"], "false");
    pool.post("/password/forgot", json!({"email": "ann@example.com"})).await.assert_status(202);
    assert!(pool.mails("ann@example.com").await.is_empty());
    let change = json!({"new_email": "new@example.com", "current_password": PASSWORD});
    let refused = pool.as_bearer(&session.access_token, "POST", "/me/email", change).await;
    refused.assert_problem(403, "email_not_verified");
}

#[tokio::test]
async fn a_confirmed_account_can_have_its_address_verified_and_keeps_it_until_then() {
    let Some((triggers, pool)) = with_pre_sign_up(json!({"autoConfirmUser": true})).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    let session = pool.signed_in("ann@example.com").await;
    pool.pass(std::time::Duration::from_hours(48));
    pool.register("ann@example.com").await.assert_problem(409, "email_taken");
    triggers.forget();
    pool.post("/verify-email/resend", json!({"email": "ann@example.com"})).await.assert_status(202);
    let link = pool.link("ann@example.com").await;
    // Whoever reads the mail can no longer say that it was not them: the account is in use.
    let page = pool.get(&format!("/verify-email?user={}&token={}", link.user, link.token)).await;
    assert!(page.body.contains("Yes, I signed up") && !page.body.contains("No, this was not me"), "{}", page.body);
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    let verified = pool.signed_in("ann@example.com").await;
    assert_eq!(pool.me(&verified.access_token).await.json()["email_verified"], true);
    pool.me(&session.access_token).await.assert_problem(401, "invalid_token");
    // Its confirmation was told of when it was confirmed.
    assert!(triggers.sources().is_empty());
    pool.forgot("ann@example.com").await;
}

#[tokio::test]
async fn a_confirmed_account_changes_its_password_and_ends_its_sessions_like_any_other() {
    let Some((_triggers, pool)) = with_pre_sign_up(json!({"autoConfirmUser": true})).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    let (one, two) = (pool.signed_in("ann@example.com").await, pool.signed_in("ann@example.com").await);
    pool.as_bearer(&one.access_token, "DELETE", "/me/sessions", Value::Null).await.assert_status(200);
    pool.me(&two.access_token).await.assert_problem(401, "invalid_token");
    let change = json!({"current_password": PASSWORD, "new_password": "another horse battery staple"});
    pool.as_bearer(&one.access_token, "POST", "/password/change", change).await.assert_status(200);
}

#[tokio::test]
async fn what_follows_a_confirmation_fails_without_undoing_it() {
    let triggers = Triggers::start().await;
    triggers.on("PostConfirmation", |_| Reply::Throws("No mailing list"));
    let Some(pool) = Pool::with_triggers(&triggers, ["PostConfirmation"]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    assert!(triggers.sources().is_empty());
    let link = pool.link("ann@example.com").await;
    let body = json!({"user_id": link.user, "token": link.token, "client_metadata": {"via": "mail"}});
    let answer = pool.post("/verify-email", body).await;
    assert_eq!(triggers.event(CONFIRMED)["request"]["clientMetadata"], json!({"via": "mail"}));
    answer.assert_problem(400, "trigger_refused");
    assert_eq!(answer.text("detail"), "PostConfirmation failed with error No mailing list.");
    pool.login("ann@example.com").await.assert_status(200);

    let link = pool.forgot("ann@example.com").await;
    let reset = json!({"user_id": link.user, "token": link.token, "new_password": "another horse battery staple"});
    pool.post("/password/reset", reset).await.assert_problem(400, "trigger_refused");
    let login = json!({"email": "ann@example.com", "password": "another horse battery staple"});
    pool.post("/login", login).await.assert_status(200);
}

#[tokio::test]
async fn a_function_that_fails_after_an_account_was_confirmed_leaves_the_account() {
    let triggers = Triggers::start().await;
    triggers.answer("PreSignUp", json!({"autoConfirmUser": true, "autoVerifyEmail": true}));
    triggers.on("PostConfirmation", |_| Reply::Throws("No mailing list"));
    let Some(pool) = Pool::with_triggers(&triggers, ["PreSignUp", "PostConfirmation"]).await else { return };
    pool.register("ann@example.com").await.assert_problem(400, "trigger_refused");
    pool.login("ann@example.com").await.assert_status(200);
}

#[tokio::test]
async fn the_page_behind_the_mail_says_what_a_function_says_and_no_html_of_it() {
    let triggers = Triggers::start().await;
    triggers.on("PostConfirmation", |_| Reply::Throws("<b>Later</b>"));
    let Some(pool) = Pool::with_triggers(&triggers, ["PostConfirmation"]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    let link = pool.link("ann@example.com").await;
    let form = format!("user={}&token={}", link.user, link.token);
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let page = pool.send("POST", "/verify-email", &headers, form).await;
    page.assert_status(400);
    assert!(page.body.contains("failed with error &lt;b&gt;Later"), "{}", page.body);
}

#[tokio::test]
async fn what_a_client_hands_over_reaches_the_functions_of_the_action() {
    let Some((triggers, pool)) = with_pre_sign_up(json!({"autoConfirmUser": true, "autoVerifyEmail": true})).await
    else {
        return;
    };
    let body = json!({"email": "ann@example.com", "password": PASSWORD, "validation_data": {"captcha": "c"},
        "client_metadata": {"campaign": "x"}});
    pool.post("/register", body).await.assert_status(201);
    let asked = triggers.event(PRE_SIGN_UP);
    assert_eq!(asked["request"]["validationData"], json!({"captcha": "c"}));
    assert_eq!(asked["request"]["clientMetadata"], json!({"campaign": "x"}));
    assert_eq!(triggers.event(CONFIRMED)["request"]["clientMetadata"], json!({"campaign": "x"}));

    let link = pool.forgot("ann@example.com").await;
    let reset = json!({"user_id": link.user, "token": link.token, "new_password": "another horse battery staple",
        "client_metadata": {"via": "mail"}});
    pool.post("/password/reset", reset).await.assert_status(200);
    let told = triggers.event("PostConfirmation_ConfirmForgotPassword");
    assert_eq!(told["request"]["clientMetadata"], json!({"via": "mail"}));

    for wrong in [json!({"a": 1}), json!({"a": null}), json!(["a"]), json!("a")] {
        let body = json!({"email": "bob@example.com", "password": PASSWORD, "client_metadata": wrong});
        pool.post("/register", body).await.assert_problem(400, "invalid_json");
    }
}
