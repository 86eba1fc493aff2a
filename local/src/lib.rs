//! The whole user pool on one port of this machine, for trying it out and for the end-to-end tests.
//!
//! - [`template`] and [`routes`]: what `template.yaml` deploys, so that nothing here can differ from it.
//! - `gateway`, `event` and `cors`: the HTTP API in front of the functions, as API Gateway behaves.
//! - `functions`: the functions themselves, which run unchanged.
//! - `database`: DynamoDB, in this process.
//! - [`mailbox`] and `services`: SES and SQS, into a mailbox that can be read, and `kms`.
//! - `triggers`: Lambda, in front of the owner's own functions.
//! - `pages`: what a browser shows of all this.
//! - `environment`: the variables that the functions would have in Lambda.

mod cors;
mod database;
mod environment;
mod event;
mod functions;
mod gateway;
mod kms;
pub mod mailbox;
mod pages;
pub mod routes;
mod services;
mod start_error;
mod tasks;
pub mod template;
mod triggers;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use dynoxide::Database;
use freehold_service::store::dynamodb_client;
use freehold_service::triggers::{kms_client, lambda_client};
use freehold_service::{App, Clock, Config};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::cors::Cors;
use crate::environment::Addresses;
use crate::gateway::Api;
pub use crate::mailbox::{Mail, Mailbox, SesFailure};
pub use crate::start_error::StartError;
use crate::tasks::{Stop, Tasks};
pub use crate::template::Template;
use crate::triggers::TriggerTargets;

/// How long an attempt at DynamoDB may take here, where it shares a developer's CPUs with everything else, unoptimised.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// What to start.
#[derive(Clone)]
pub struct Options {
    /// The port of the HTTP API; 0 takes any that is free.
    pub port: u16,
    /// Where users, mail and the application secret are kept; in memory where absent.
    pub data: Option<PathBuf>,
    /// The template that says what is deployed.
    pub template: PathBuf,
    /// What the functions take for the time.
    pub clock: Clock,
    /// Another DynamoDB to use; absent, one runs in this process.
    pub dynamodb_endpoint: Option<String>,
    /// A JSON file that says which functions are the pool's triggers: an object from a trigger such as `PreSignUp` to
    /// either the URL of a function that speaks Lambda's Invoke API, or a command line, which is started in the file's
    /// folder as a Lambda runtime.
    pub triggers: Option<PathBuf>,
    /// Whether the outbox is emptied and what is due is deleted every second; otherwise [`Local::drain`] and
    /// [`Local::erase_accounts`] do it on demand.
    pub drain: bool,
    /// Whether to leave the functions out, for `cargo lambda watch` to run them.
    pub services_only: bool,
    /// How many passwords are hashed at a time, in 64 MiB each that are kept; none where functions are left out.
    pub hashes_at_a_time: usize,
    /// Whether each request is a line on stderr.
    pub log: bool,
    /// Variables of the functions that are not to have their usual value, such as `ALLOWED_ORIGINS`.
    pub environment: BTreeMap<String, String>,
}

impl Default for Options {
    /// Everything in memory on any port, quiet, with mail sent on demand.
    fn default() -> Self {
        Self {
            port: 0,
            data: None,
            template: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml")),
            clock: Clock::system(),
            dynamodb_endpoint: None,
            triggers: None,
            drain: false,
            services_only: false,
            hashes_at_a_time: 1,
            log: false,
            environment: BTreeMap::new(),
        }
    }
}

/// A running instance. Dropping it ends it at once; [`Local::shutdown`] lets requests finish.
pub struct Local {
    url: String,
    environment: BTreeMap<String, String>,
    app: Arc<App>,
    mailbox: Mailbox,
    database: Option<Database>,
    front: Tasks,
    back: Tasks,
}

impl Local {
    /// Starts everything; once it returns, requests are answered.
    ///
    /// # Errors
    /// [`StartError`], where a port, a folder, the template or the environment cannot be used.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        // 1. Everything that can be wrong with the surroundings, before anything runs.
        let template = Template::read(&options.template)?;
        let triggers = options.triggers.as_deref().map(TriggerTargets::read).transpose()?;
        let (gateway, url) = listen(options.port).await?;
        let (services, services_url) = listen(0).await?;
        let mailbox = match &options.data {
            None => Mailbox::default(),
            Some(folder) => {
                environment::create_folder(folder)?;
                Mailbox::in_folder(folder)?
            }
        };

        // 2. The services that the functions call.
        let mut back = Tasks::new();
        let (database, dynamodb_url) = if let Some(endpoint) = options.dynamodb_endpoint {
            (None, endpoint)
        } else {
            let (listener, url) = listen(0).await?;
            let database = database::open(options.data.as_deref(), options.clock.clone())?;
            let served = database.clone();
            back.spawn(|stop| async {
                if let Err(error) = dynoxide::server::serve_with_shutdown(listener, served, stop).await {
                    tracing::error!(error, "the database stopped");
                }
            });
            (Some(database), url)
        };
        let router = services::router(mailbox.clone(), options.clock.clone());
        back.spawn(|stop| serve(services, router, stop));
        let lambda = if triggers.is_some() { Some(listen(0).await?) } else { None };
        let named = triggers.as_ref().zip(lambda.as_ref()).map(|(triggers, (_, url))| triggers.variables(url));
        let mut variables = named.unwrap_or_default();
        variables.extend(options.environment);

        // 3. The functions, which find the services as they would find AWS.
        let addresses = Addresses { api: &url, services: &services_url, dynamodb: &dynamodb_url };
        let secret = environment::application_secret(options.data.as_deref())?;
        let environment = environment::of_functions(&addresses, secret, variables);
        if let (Some(triggers), Some((listener, _))) = (triggers, lambda) {
            let router = triggers.router(&environment::of_triggers(&environment), &mut back)?;
            back.spawn(|stop| serve(listener, router, stop));
        }
        let app = Arc::new(app(
            &environment,
            options.clock,
            if options.services_only { 0 } else { options.hashes_at_a_time },
        )?);
        let client = dynamodb_client(&environment::aws(&dynamodb_url), ATTEMPT_TIMEOUT);
        database::create_table(&client, &environment["TABLE_NAME"], &template.table).await?;

        // 4. The door.
        let cors = Cors::new(template.cors, &environment["ALLOWED_ORIGINS"]);
        let api = Api::new(template.routes, cors, Arc::clone(&app), options.log)?;
        let api = (!options.services_only).then(|| Arc::new(api));
        let mut front = Tasks::new();
        let router = gateway::router(api, mailbox.clone(), Arc::clone(&app));
        front.spawn(|stop| serve(gateway, router, stop));
        if options.drain {
            let app = Arc::clone(&app);
            front.spawn(|stop| keep_schedules(app, stop));
        }
        Ok(Self { url, environment, app, mailbox, database, front, back })
    }

    /// The address of the HTTP API, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of DynamoDB.
    #[must_use]
    pub fn dynamodb_endpoint(&self) -> &str {
        &self.environment["AWS_ENDPOINT_URL_DYNAMODB"]
    }

    /// The address of SES and SQS.
    #[must_use]
    pub fn services_endpoint(&self) -> &str {
        &self.environment["AWS_ENDPOINT_URL_SESV2"]
    }

    /// The address of Lambda, where there are triggers.
    #[must_use]
    pub fn triggers_endpoint(&self) -> Option<&str> {
        self.environment.get("AWS_ENDPOINT_URL_LAMBDA").map(String::as_str)
    }

    /// The environment with which the functions run as processes of their own against this instance.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Writes [`Local::environment`] to a file for `cargo lambda watch --env-file`, which its owner alone may read.
    ///
    /// # Errors
    /// [`StartError::Data`], where the file cannot be written.
    pub fn write_environment(&self, path: &Path) -> Result<(), StartError> {
        environment::write(&self.environment, path)
    }

    /// What the functions run on.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// The mail that was sent.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The database in this process, where there is one.
    #[must_use]
    pub fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// Sends what is due in the outbox, as the schedule does.
    ///
    /// # Errors
    /// The function's own error.
    pub async fn drain(&self) -> Result<Value, freehold_domain::Error> {
        drain(&self.app).await
    }

    /// Deletes the accounts whose time has come, as the schedule does.
    ///
    /// # Errors
    /// The function's own error.
    pub async fn erase_accounts(&self) -> Result<Value, freehold_domain::Error> {
        erase_accounts::handle(&self.app, scheduled()).await
    }

    /// Answers the requests that are under way, then stops.
    pub async fn shutdown(self) {
        self.front.stop().await;
        self.back.stop().await;
    }
}

async fn listen(port: u16) -> Result<(TcpListener, String), StartError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let refused = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let url = format!("http://{}", listener.local_addr().map_err(refused)?);
    Ok((listener, url))
}

async fn serve(listener: TcpListener, router: Router, stop: Stop) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "a server stopped");
    }
}

/// The functions share one `App` here; in Lambda each has its own, with what it needs of this.
fn app(environment: &BTreeMap<String, String>, clock: Clock, hashes_at_a_time: usize) -> Result<App, StartError> {
    let config = Config::from_lookup(|name| environment.get(name).cloned())?;
    let secret = freehold_crypto::ApplicationSecret::parse(&environment["APPLICATION_SECRET"])?;
    let services = environment::aws(&environment["AWS_ENDPOINT_URL_SESV2"]);
    let dynamodb = environment::aws(&environment["AWS_ENDPOINT_URL_DYNAMODB"]);
    let app = App::new(config, clock, dynamodb_client(&dynamodb, ATTEMPT_TIMEOUT))
        .with_secret(freehold_crypto::SecretRing::new(secret, None))
        .with_hashing(hashes_at_a_time)
        .with_triggers(|| lambda_client(&of_variable(environment, "AWS_ENDPOINT_URL_LAMBDA")))
        .with_custom_sender(|| kms_client(&of_variable(environment, "AWS_ENDPOINT_URL_KMS")))
        .with_mail(freehold_service::mail::ses_client(&services), aws_sdk_sqs::Client::new(&services))?;
    Ok(app)
}

/// What the AWS SDK needs to call the service whose address a variable holds.
fn of_variable(environment: &BTreeMap<String, String>, name: &str) -> aws_config::SdkConfig {
    environment::aws(environment.get(name).map_or("", String::as_str))
}

async fn drain(app: &App) -> Result<Value, freehold_domain::Error> {
    send_mail::handle(app, scheduled()).await
}

fn scheduled() -> Value {
    json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} })
}

/// Does each second what the schedules of a deployment do each minute and each hour.
async fn keep_schedules(app: Arc<App>, mut stop: Stop) {
    let mut every_second = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = every_second.tick() => {}
        }
        if let Err(error) = drain(&app).await {
            tracing::warn!(code = error.code(), "the outbox waits");
        }
        if let Err(error) = erase_accounts::handle(&app, scheduled()).await {
            tracing::warn!(code = error.code(), "accounts wait to be deleted");
        }
    }
}
