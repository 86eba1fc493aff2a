//! The functions as Lambda would run them: compiled, one process each, behind a Runtime API.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lambda_events::apigw::{ApiGatewayV2CustomAuthorizerV2Request, ApiGatewayV2httpRequest};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tests::{Need, Pool, compiled, root};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

fn event(function: &str) -> String {
    std::fs::read_to_string(root().join(format!("events/{function}.json"))).unwrap()
}

/// The Runtime API of one invocation: gives out one event, and takes what is answered.
struct RuntimeApi {
    address: String,
    answers: mpsc::Receiver<(String, Vec<u8>)>,
}

impl RuntimeApi {
    async fn start(event: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (answered, answers) = mpsc::channel(1);
        let waiting = Arc::new(Mutex::new(Some(event)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (waiting, answered) = (Arc::clone(&waiting), answered.clone());
                let service = hyper::service::service_fn(move |request| {
                    Self::answer(request, Arc::clone(&waiting), answered.clone())
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, answers }
    }

    async fn answer(
        request: Request<Incoming>,
        waiting: Arc<Mutex<Option<String>>>,
        answered: mpsc::Sender<(String, Vec<u8>)>,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        if request.uri().path().ends_with("/invocation/next") {
            let event = waiting.lock().unwrap().take();
            let Some(event) = event else { return std::future::pending().await };
            let response = Response::builder()
                .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
                .header("lambda-runtime-deadline-ms", "4102444800000")
                .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:x")
                .header("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793");
            return Ok(response.body(Full::new(Bytes::from(event))).unwrap());
        }
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await?.to_bytes().to_vec();
        answered.send((path, body)).await.unwrap();
        Ok(Response::builder().status(202).body(Full::default()).unwrap())
    }
}

/// Runs a compiled function with one event: its answer, and all that it printed.
async fn invoke(pool: &Pool, folder: &Path, function: &str, event: String) -> (Value, String) {
    let mut api = RuntimeApi::start(event).await;
    let environment: &BTreeMap<String, String> = pool.local().environment();
    let mut process = tokio::process::Command::new(folder.join(function))
        .env_clear()
        .envs(environment)
        .envs([("AWS_LAMBDA_RUNTIME_API", api.address.as_str()), ("AWS_LAMBDA_FUNCTION_NAME", function)])
        .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"), ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let answer = tokio::time::timeout(Duration::from_mins(1), api.answers.recv()).await;
    process.start_kill().unwrap();
    let output = process.wait_with_output().await.unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let (path, body) = answer.unwrap_or_else(|_| panic!("{function} does not answer: {printed}")).unwrap();
    assert!(path.ends_with("/response"), "{function} failed: {printed}");
    (serde_json::from_slice(&body).unwrap(), printed)
}

#[test]
fn every_event_parses_as_what_the_gateway_sends() {
    for entry in std::fs::read_dir(root().join("events")).unwrap() {
        let function = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        let event = event(&function);
        match function.as_str() {
            "authorizer" => drop(serde_json::from_str::<ApiGatewayV2CustomAuthorizerV2Request>(&event).unwrap()),
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
    ];
    for (function, status) in expected {
        let (answer, printed) = invoke(&pool, &folder, function, event(function)).await;
        assert_eq!(answer["statusCode"], status, "{function}: {answer}");
        for secret in ["alice", "correct horse", "fh_rt_", "fh_ev_", "203.0.113.7", "Bearer"] {
            assert!(!printed.contains(secret), "{function} printed {secret}: {printed}");
        }
    }
    let (answer, _) = invoke(&pool, &folder, "authorizer", event("authorizer")).await;
    assert_eq!(answer["isAuthorized"], false);
    let (answer, _) = invoke(&pool, &folder, "send-mail", event("send-mail")).await;
    assert_eq!(answer["batchItemFailures"], serde_json::json!([]));
    assert!(pool.items().await.iter().any(|item| item["item_type"] == "user"), "the registration is not in the table");
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
