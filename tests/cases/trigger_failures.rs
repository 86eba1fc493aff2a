//! How triggers fail, and what becomes of the action.

use serde_json::{Value, json};
use tests::{Answer, Pool, Reply, Triggers};
use tokio::time::Instant;

async fn registered(function: impl Fn(&Value) -> Reply + Send + Sync + 'static) -> Option<(Triggers, Pool, Answer)> {
    let triggers = Triggers::start().await;
    triggers.on("PreSignUp", function);
    let pool = Pool::with_triggers(&triggers, ["PreSignUp"]).await?;
    let answer = pool.register("ann@example.com").await;
    Some((triggers, pool, answer))
}

/// Refused with 502, with nothing about the inside, and without a trace.
async fn assert_failed((triggers, pool, answer): (Triggers, Pool, Answer), calls: usize) {
    answer.assert_problem(502, "trigger_failed");
    assert_eq!(answer.text("detail"), "A function of the pool's owner does not answer as it must.");
    assert_eq!(triggers.sources().len(), calls);
    let accounts = pool.accounts().await;
    assert_eq!(accounts, 0);
}

#[tokio::test]
async fn a_function_that_crashes_fails_the_action_and_says_nothing_of_it() {
    let exit = "RequestId: 1 Error: Runtime exited with error: exit status 1";
    let old_timeout = "2026-11-22T00:00:00.000Z 1 Task timed out after 3.00 seconds";
    for payload in [
        json!({"errorType": "Runtime.ExitError", "errorMessage": exit}),
        json!({"errorType": "Runtime.ImportModuleError", "errorMessage": "No module named 'secret'"}),
        json!({"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: 1 Error: Task timed out after 3.00 seconds"}),
        json!({"errorMessage": old_timeout}),
        json!({"errorMessage": exit}),
        json!({"errorType": "Lambda", "errorMessage": "Lambda panicked: at the disco"}),
        json!({"errorType": "Error"}),
        json!("nothing"),
    ] {
        let reply = payload.clone();
        let Some(failed) = registered(move |_| Reply::Crashes(reply.clone())).await else { return };
        assert!(!failed.2.body.contains("secret"));
        assert_failed(failed, 1).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_not_the_event_fails_the_action() {
    for answer in [
        Value::Null,
        json!("ok"),
        json!([]),
        json!({}),
        json!({"statusCode": 200, "body": "{}"}),
        json!({"response": null}),
        json!({"response": []}),
        json!({"response": {"autoConfirmUser": "true"}}),
    ] {
        let Some(failed) = registered(move |_| Reply::Returns(answer.clone())).await else { return };
        assert_failed(failed, 1).await;
    }
}

#[tokio::test]
async fn a_function_that_does_not_answer_is_called_three_times_for_five_seconds() {
    let began = Instant::now();
    let Some(failed) = registered(|_| Reply::Hangs).await else { return };
    assert!((15..20).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert_failed(failed, 3).await;
}

#[tokio::test]
async fn a_function_that_lambda_does_not_call_fails_the_action() {
    let gone = |_: &Value| Reply::Refused(404, "ResourceNotFoundException");
    let Some(failed) = registered(gone).await else { return };
    assert_failed(failed, 1).await;
    let throttled = |_: &Value| Reply::Refused(429, "TooManyRequestsException");
    let Some(failed) = registered(throttled).await else { return };
    assert_failed(failed, 3).await;
}

#[tokio::test]
async fn a_function_that_answers_the_second_time_has_answered() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let second = move |_: &Value| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Reply::Refused(503, "ServiceException"),
        _ => Reply::Response(json!({"autoConfirmUser": true, "autoVerifyEmail": true})),
    };
    let Some((triggers, pool, answer)) = registered(second).await else { return };
    answer.assert_status(201);
    assert_eq!(triggers.sources().len(), 2);
    pool.login("ann@example.com").await.assert_status(200);
}

#[tokio::test]
async fn what_a_function_throws_is_passed_on_word_for_word_and_cut() {
    let Some((_, _, answer)) = registered(|_| Reply::Throws("Ends with a full stop.")).await else { return };
    assert_eq!(answer.text("detail"), "PreSignUp failed with error Ends with a full stop..");
    let long: &'static str = "é".repeat(5_000).leak();
    let Some((_, _, answer)) = registered(move |_| Reply::Throws(long)).await else { return };
    answer.assert_problem(400, "trigger_refused");
    assert_eq!(answer.text("detail").chars().filter(|character| *character == 'é').count(), 1_000);
}

#[tokio::test]
async fn an_unreachable_lambda_fails_the_action() {
    let nobody = "http://127.0.0.1:9";
    let environment = [("TRIGGERS", r#"{"PreSignUp": "PreSignUp"}"#), ("AWS_ENDPOINT_URL_LAMBDA", nobody)];
    let Some(pool) = Pool::with_environment([tests::Need::Inside], environment).await else { return };
    pool.register("ann@example.com").await.assert_problem(502, "trigger_failed");
}

#[tokio::test]
async fn a_pool_does_not_start_with_a_trigger_that_there_is_not() {
    let options = local::Options {
        environment: [("TRIGGERS".to_owned(), r#"{"PreSignup": "f"}"#.to_owned())].into(),
        ..local::Options::default()
    };
    let refused = local::Local::start(options).await.err().map(|error| error.to_string());
    assert_eq!(refused.as_deref(), Some("TRIGGERS: there is no PreSignup"));
}
