//! `cargo dev --triggers`: functions behind URLs that speak Lambda's Invoke API.

use std::time::Duration;

use local::{Local, Options};
use serde_json::{Value, json};
use tests::{PASSWORD, Reply, Triggers};

/// An instance whose triggers are URLs, by the names that a file gives them.
async fn with_urls<const N: usize>(triggers: &Triggers, names: [&str; N]) -> Local {
    let url = |name: &str| format!("{}/2015-03-31/functions/{name}/invocations", triggers.url());
    let targets: Value = names.into_iter().map(|name| (name.to_owned(), json!(url(name)))).collect();
    let file = std::env::temp_dir().join(format!("freehold-triggers-{}.json", uuid::Uuid::new_v4()));
    std::fs::write(&file, targets.to_string()).unwrap();
    let local = Local::start(Options { triggers: Some(file.clone()), ..Options::default() }).await.unwrap();
    std::fs::remove_file(file).unwrap();
    local
}

async fn register(local: &Local) -> (u16, Value) {
    let body = json!({"email": "ann@example.com", "password": PASSWORD});
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = http.timeout(Duration::from_secs(30)).build().unwrap();
    let answer = http.post(format!("{}/register", local.url())).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_function_behind_a_url_answers_and_refuses() {
    let triggers = Triggers::start().await;
    let local = with_urls(&triggers, ["PreSignUp"]).await;
    triggers.on("PreSignUp", |_| Reply::Throws("Closed"));
    let (status, problem) = register(&local).await;
    assert_eq!((status, &problem["detail"]), (400, &json!("PreSignUp failed with error Closed.")));
    triggers.answer("PreSignUp", json!({"autoConfirmUser": true, "autoVerifyEmail": true}));
    let (status, registered) = register(&local).await;
    assert_eq!((status, &registered["user_confirmed"]), (201, &json!(true)));
}

#[tokio::test]
async fn a_url_that_nobody_answers_at_fails_the_action() {
    let triggers = Triggers::start().await;
    let local = with_urls(&triggers, ["PreSignUp"]).await;
    triggers.on("PreSignUp", |_| Reply::Refused(500, "ServiceException"));
    let (status, problem) = register(&local).await;
    assert_eq!((status, &problem["code"]), (502, &json!("trigger_failed")));
}

#[tokio::test]
async fn a_function_that_sends_mail_gets_its_event_in_the_background_and_its_code_under_the_local_key() {
    let triggers = Triggers::start().await;
    let local = with_urls(&triggers, ["CustomEmailSender"]).await;
    assert_eq!(register(&local).await.0, 201);
    local.drain().await.unwrap();
    assert!(local.mailbox().mails().is_empty());
    // It answers 202 before it has called the function.
    while triggers.events().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(triggers.event("CustomEmailSender_SignUp")["request"]["type"], "customEmailSenderRequestV1");
}
