use std::process::ExitCode;

use freehold_domain::Error;
use freehold_service::{App, Environment, StartError};
use futures::future::{BoxFuture, LocalBoxFuture};
use lambda_http::{Body, Request, Response, service_fn};
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// One action, over HTTP. It cannot fail: what goes wrong is an answer too.
pub type Handler = for<'a> fn(&'a App, Request) -> BoxFuture<'a, Response<Body>>;

/// One action, over an event that is no HTTP request.
pub type EventHandler = for<'a> fn(&'a App, Value) -> BoxFuture<'a, Result<Value, Error>>;

/// Takes from the environment the parts that a function needs.
pub type Assemble = fn(Environment) -> BoxFuture<'static, Result<App, StartError>>;

/// Runs a function that answers HTTP requests, until Lambda ends the process.
///
/// It is not generic, so that the runtime is compiled once, into this crate, and not into every function.
#[must_use]
pub fn serve(assemble: Assemble, handler: Handler) -> ExitCode {
    run(assemble, |app| {
        Box::pin(async move {
            let service = service_fn(|request| async move { Ok::<_, lambda_http::Error>(handler(app, request).await) });
            lambda_http::run(service).await
        })
    })
}

/// Runs a function that answers other events, until Lambda ends the process.
#[must_use]
pub fn serve_events(assemble: Assemble, handler: EventHandler) -> ExitCode {
    run(assemble, |app| {
        Box::pin(async move {
            let service = service_fn(|event: LambdaEvent<Value>| async move {
                handler(app, event.payload).await.map_err(|error| {
                    tracing::error!(code = error.code(), cause = error.cause(), "an event failed");
                    lambda_runtime::Error::from(error.code())
                })
            });
            lambda_runtime::run(service).await
        })
    })
}

fn run(
    assemble: Assemble,
    serve: impl for<'a> FnOnce(&'a App) -> LocalBoxFuture<'a, Result<(), lambda_runtime::Error>>,
) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse_to_start(&error.to_string()),
    };
    runtime.block_on(async {
        let environment = match Environment::load().await {
            Ok(environment) => environment,
            Err(error) => return refuse_to_start(&error.to_string()),
        };
        log(environment.log_level());
        match assemble(environment).await {
            Ok(app) => match serve(&app).await {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => refuse_to_start(&error.to_string()),
            },
            Err(error) => refuse_to_start(&error.to_string()),
        }
    })
}

fn refuse_to_start(reason: &str) -> ExitCode {
    eprintln!("freehold does not start: {reason}");
    ExitCode::FAILURE
}

/// The level is that of our own crates. The SDK, hyper and the runtime stay at WARN: below it they print requests. What the
/// template makes metrics of is written at every level.
fn log(level: Level) {
    let targets = Targets::new().with_default(LevelFilter::WARN).with_target("freehold", level);
    let targets = targets.with_target("metric", LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer().json().with_current_span(false).with_span_list(false);
    tracing_subscriber::registry().with(lines).with(targets).init();
}
