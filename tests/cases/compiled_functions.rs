//! The functions as Lambda would run them: compiled, one process each, behind a Runtime API.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2CustomAuthorizerV2Request, ApiGatewayV2httpRequest};
use serde_json::{Value, json};
use tests::{Fault, Need, PASSWORD, Pool, Reply, RuntimeApi, Triggers, compiled, root};

fn event(function: &str) -> String {
    std::fs::read_to_string(root().join(format!("events/{function}.json"))).unwrap()
}

/// Runs a compiled function with one event: its answer, and all that it printed.
async fn invoke(pool: &Pool, folder: &Path, function: &str, event: String) -> (Value, String) {
    let mut api = RuntimeApi::start().await;
    let environment: &BTreeMap<String, String> = pool.local().environment();
    let mut process = tokio::process::Command::new(folder.join(function))
        .env_clear()
        .envs(environment)
        .envs([("AWS_LAMBDA_RUNTIME_API", api.address()), ("AWS_LAMBDA_FUNCTION_NAME", function)])
        .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"), ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let answer = tokio::time::timeout(Duration::from_mins(1), api.invoke(event)).await;
    process.start_kill().unwrap();
    let output = process.wait_with_output().await.unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let answer = answer.unwrap_or_else(|_| panic!("{function} does not answer: {printed}"));
    assert!(answer.is_answer, "{function} failed: {printed}");
    (serde_json::from_slice(&answer.body).unwrap(), printed)
}

#[test]
fn every_event_parses_as_what_the_gateway_sends() {
    for entry in std::fs::read_dir(root().join("events")).unwrap() {
        let function = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        let event = event(&function);
        match function.as_str() {
            "authorizer" => drop(serde_json::from_str::<ApiGatewayV2CustomAuthorizerV2Request>(&event).unwrap()),
            "erase-accounts" => {
                assert_eq!(serde_json::from_str::<Value>(&event).unwrap()["detail-type"], "Scheduled Event");
            }
            "send-mail" => drop(serde_json::from_str::<aws_lambda_events::dynamodb::Event>(&event).unwrap()),
            _ => {
                let event: ApiGatewayV2httpRequest = serde_json::from_str(&event).unwrap();
                let template = local::Template::read(&root().join("template.yaml")).unwrap();
                let key = event.route_key.unwrap();
                let route = template.routes.iter().find(|route| route.key() == key).expect("the event is of a route");
                assert_eq!(route.function(), function);
            }
        }
    }
}

#[tokio::test]
async fn every_compiled_function_answers_its_event_and_prints_nothing_of_it() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let folder = compiled().await;
    let expected = [
        ("register", 201),
        ("login", 403),
        ("refresh", 401),
        ("logout", 200),
        ("me", 401),
        ("issuer", 404),
        ("verify-email", 400),
        ("cancel-registration", 400),
        ("resend-verification", 202),
        ("forgot-password", 202),
        ("reset-password", 400),
        ("change-password", 401),
        ("change-email", 401),
        ("delete-account", 401),
        ("sessions", 401),
    ];
    for (function, status) in expected {
        let (answer, printed) = invoke(&pool, &folder, function, event(function)).await;
        assert_eq!(answer["statusCode"], status, "{function}: {answer}");
        for secret in
            ["alice", "correct horse", "fh_rt_", "fh_cs_", "fh_ev_", "fh_pr_", "another horse", "203.0.113.7", "Bearer"]
        {
            assert!(!printed.contains(secret), "{function} printed {secret}: {printed}");
        }
    }
    let (answer, _) = invoke(&pool, &folder, "authorizer", event("authorizer")).await;
    assert_eq!(answer["isAuthorized"], false);
    let (answer, _) = invoke(&pool, &folder, "send-mail", event("send-mail")).await;
    assert_eq!(answer["batchItemFailures"], serde_json::json!([]));
    let (answer, _) = invoke(&pool, &folder, "erase-accounts", event("erase-accounts")).await;
    assert_eq!(answer["erased"], 0);
    assert!(pool.items().await.iter().any(|item| item["item_type"] == "user"), "the registration is not in the table");
}

/// The example of a function, from a program, with another body and access token.
fn event_with(function: &str, body: &Value, access_token: &str) -> String {
    let mut event: Value = serde_json::from_str(&event(function)).unwrap();
    event["cookies"] = Value::Null;
    event["headers"]["content-type"] = "application/json".into();
    event["headers"]["authorization"] = format!("Bearer {access_token}").into();
    event["body"] = body.to_string().into();
    event["isBase64Encoded"] = false.into();
    event.to_string()
}

/// What a process is given, no case over HTTP sees: there every function has everything.
#[tokio::test]
async fn every_compiled_function_that_has_triggers_can_call_them() {
    let triggers = Triggers::start().await;
    let names =
        ["PreSignUp", "PostConfirmation", "PreAuthentication", "PreTokenGeneration", "UserMigration", "CustomMessage"];
    let Some(pool) = Pool::with_triggers(&triggers, names).await else { return };
    let folder = compiled().await;
    pool.verified("ann@example.com").await;
    let session = pool.signed_in("ann@example.com").await;
    let reset = pool.forgot("ann@example.com").await;
    pool.register("bob@example.com").await.assert_status(201);
    let verify = pool.link("bob@example.com").await;
    for name in names {
        triggers.on(name, |_| Reply::Throws("no"));
    }
    let new_password = "another horse battery staple";
    let signing_up = json!({"email": "eve@example.com", "password": PASSWORD});
    for (function, body, trigger) in [
        ("register", signing_up.clone(), "PreSignUp"),
        ("login", signing_up, "PreAuthentication"),
        ("change-password", json!({"current_password": PASSWORD, "new_password": new_password}), "PreTokenGeneration"),
        ("refresh", json!({"refresh_token": session.refresh_token}), "PreTokenGeneration"),
        ("verify-email", json!({"user_id": verify.user, "token": verify.token}), "PostConfirmation"),
        (
            "reset-password",
            json!({"user_id": reset.user, "token": reset.token, "new_password": new_password}),
            "PostConfirmation",
        ),
    ] {
        let (answer, printed) =
            invoke(&pool, &folder, function, event_with(function, &body, &session.access_token)).await;
        let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(problem["detail"], format!("{trigger} failed with error no."), "{function}: {printed}");
    }
    triggers.forget();
    let body = json!({"email": "eve@example.com"});
    let (answer, _) = invoke(&pool, &folder, "forgot-password", event_with("forgot-password", &body, "")).await;
    assert_eq!(answer["statusCode"], 202);
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event"}).to_string();
    triggers.answer("PreSignUp", json!({}));
    pool.register("carol@example.com").await.assert_status(201);
    invoke(&pool, &folder, "send-mail", schedule).await;
    let sources = triggers.sources();
    assert!(sources.contains(&"UserMigration_ForgotPassword".to_owned()), "{sources:?}");
    assert!(sources.contains(&"CustomMessage_SignUp".to_owned()), "{sources:?}");
}

/// The local server waits longer for its table, so that this is seen here. Where other tests have the processors, an attempt
/// after the one fault may be given up as well. Without its time-out, the held answer would never end the first one.
#[tokio::test]
async fn a_table_whose_answers_do_not_end_within_a_second_is_asked_four_times_at_most() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let folder = compiled().await;
    let mut event: Value = serde_json::from_str(&event("issuer")).unwrap();
    event["pathParameters"]["pool"] = pool.id().into();
    for fault in [Fault::HoldAnswer, Fault::StallAnswer] {
        for (times, status, requests) in [(1, 404, 2..=4), (100, 503, 3..=4)] {
            pool.proxy().inject_for("GetItem", fault, times);
            pool.proxy().take_requests();
            let (answer, printed) = invoke(&pool, &folder, "issuer", event.to_string()).await;
            let asked = pool.proxy().take_requests();
            pool.proxy().calm();
            assert_eq!(answer["statusCode"], status, "{fault:?}, {times} times: {printed}");
            assert!(requests.contains(&asked["GetItem"]), "{fault:?}, {times} times: {asked:?}");
        }
    }
}

/// The template's metric filter reads this line, and its alarm takes silence for trouble.
#[tokio::test]
async fn every_run_of_the_schedule_says_how_long_mail_waits_whatever_the_log_level() {
    let Some(pool) = Pool::with_environment([Need::Inside], [("LOG_LEVEL", "ERROR")]).await else { return };
    let schedule = serde_json::json!({"source": "aws.events", "detail-type": "Scheduled Event"}).to_string();
    let (_, printed) = invoke(&pool, &compiled().await, "send-mail", schedule).await;
    let line: Value = serde_json::from_str(printed.trim()).unwrap();
    assert_eq!((&line["target"], &line["fields"]["oldest_unsent_mail_seconds"]), (&"metric".into(), &0.into()));
}

#[tokio::test]
async fn a_function_that_is_told_contradictions_does_not_start() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let folder = compiled().await;
    let start = async |name: &str, value: &str| {
        let mut process = tokio::process::Command::new(folder.join("register"));
        process
            .env_clear()
            .envs(pool.local().environment())
            .env(name, value)
            .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1");
        let output = process.output().await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let both = start("APPLICATION_SECRET_ARN", "arn:aws:secretsmanager:x").await;
    assert!(both.starts_with("freehold does not start: APPLICATION_SECRET and"), "{both}");
    let weak = start("APPLICATION_SECRET", "c2hvcnQ=").await;
    assert!(weak.starts_with("freehold does not start: APPLICATION_SECRET:") && !weak.contains("c2hvcnQ"), "{weak}");
    let url = start("PUBLIC_URL", "http://auth.example.com/").await;
    assert!(url.starts_with("freehold does not start: PUBLIC_URL"), "{url}");
}
