//! Each flow, on the database in this process: over HTTP to the database and back, with no gateway and no function around.

use std::collections::BTreeMap;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use freehold_domain::UserId;
use freehold_domain::challenge::Purpose;
use freehold_domain::email::Email;
use freehold_domain::mail::Shard;
use freehold_domain::password::{ChosenPassword, Password};
use freehold_domain::session::Device;
use freehold_service::flow::challenge::{Answer, Caller, Link};
use freehold_service::flow::sign_in::SignedIn;
use freehold_service::flow::{change_email, change_password, delete_account, login, register};
use freehold_service::{App, flow};
use local::{Local, Options};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

const PASSWORD: &str = "correct horse battery staple";

/// A pool, and somebody who has signed up.
struct Bench {
    runtime: Runtime,
    local: Local,
}

impl Bench {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let local = runtime.block_on(Local::start(Options::default())).unwrap();
        let bench = Self { runtime, local };
        bench.runtime.block_on(bench.verified());
        bench
    }

    fn app(&self) -> &App {
        self.local.app()
    }

    async fn verified(&self) {
        self.verify(&alice()).await;
    }

    async fn verify(&self, email: &Email) {
        let link = self.registered(email).await;
        flow::verify_email(self.app(), &Answer::Link(link), None).await.unwrap();
    }

    /// Signs somebody up: what the mailed link carries.
    async fn registered(&self, email: &Email) -> Link {
        self.register(email).await;
        self.mailed(Purpose::VerifyEmail, email).await
    }

    /// Has somebody forget their password: what the mailed link carries.
    async fn forgotten(&self, email: &Email) -> Link {
        self.verify(email).await;
        flow::forgot_password(self.app(), email, &Caller::default()).await.unwrap();
        self.mailed(Purpose::ResetPassword, email).await
    }

    /// The access token of somebody who has just signed up and in.
    fn new_session(&self, email: Email) -> String {
        self.runtime.block_on(async {
            self.verify(&email).await;
            self.sign_in(email).await.access_token
        })
    }

    async fn mailed(&self, purpose: Purpose, email: &Email) -> Link {
        self.local.drain().await.unwrap();
        let mail = self.local.mailbox().mails().into_iter().find(|mail| mail.to == email.as_str()).unwrap();
        let link = mail.text.lines().find_map(|line| line.split_once("?user=")).unwrap().1;
        let (user, token) = link.split_once("&token=").unwrap();
        Link::parse(purpose, user, token).unwrap()
    }

    async fn register(&self, email: &Email) -> UserId {
        let input = register::Input {
            email: email.clone(),
            password: ChosenPassword::read("password", Some(PASSWORD)).unwrap(),
            name: None,
            attributes: BTreeMap::new(),
            caller: Caller::default(),
            validation_data: None,
        };
        flow::register(self.app(), input).await.unwrap().id
    }

    async fn login(&self) -> SignedIn {
        self.sign_in(alice()).await
    }

    async fn sign_in(&self, email: Email) -> SignedIn {
        let password = Password::attempt(PASSWORD).unwrap();
        let device = Device::new("203.0.113.7", "criterion");
        flow::login(self.app(), login::Input { email, password, device, validation_data: None }).await.unwrap()
    }
}

fn alice() -> Email {
    Email::parse("alice@example.com").unwrap()
}

fn somebody() -> Email {
    Email::parse(&format!("{}@example.com", freehold_crypto::token::Secret::generate().expose_base64url())).unwrap()
}

fn flows(criterion: &mut Criterion) {
    let bench = Bench::new();
    let mut slow = criterion.benchmark_group("flow");
    slow.sample_size(20);
    slow.bench_function("register", |bencher| {
        bencher.to_async(&bench.runtime).iter(|| async { bench.register(&somebody()).await });
    });
    slow.bench_function("login", |bencher| bencher.to_async(&bench.runtime).iter(|| bench.login()));
    slow.finish();

    let mut quick = criterion.benchmark_group("flow");
    let signed_in = bench.runtime.block_on(bench.login());
    quick.bench_function("authenticate", |bencher| {
        bencher
            .to_async(&bench.runtime)
            .iter(|| async { flow::authenticate(bench.app(), &signed_in.access_token).await.unwrap().session() });
    });
    quick.bench_function("sessions", |bencher| {
        bencher
            .to_async(&bench.runtime)
            .iter(|| async { flow::sessions(bench.app(), &signed_in.access_token).await.unwrap().all.len() });
    });
    let user = bench.runtime.block_on(flow::authenticate(bench.app(), &signed_in.access_token)).unwrap().user().id;
    quick.bench_function("issuer", |bencher| {
        bencher.to_async(&bench.runtime).iter(|| async { flow::issuer(bench.app(), user).await.unwrap() });
    });
    let token = Arc::new(Mutex::new(signed_in.session_token.text));
    quick.bench_function("refresh", |bencher| {
        bencher.to_async(&bench.runtime).iter(|| async {
            let mut token = token.lock().await;
            let refreshed = flow::refresh(bench.app(), &token).await.unwrap();
            *token = refreshed.session_token.unwrap().text;
        });
    });
    quick.bench_function("send mail, none waiting", |bencher| {
        let shard = Shard::all().next().unwrap();
        bencher.to_async(&bench.runtime).iter(|| async { flow::drain(bench.app(), shard).await.unwrap() });
    });
    quick.finish();
    once(criterion, &bench);
}

/// What can be done but once for each registration or session, which is made before the time is taken.
fn once(criterion: &mut Criterion, bench: &Bench) {
    let mut group = criterion.benchmark_group("flow");
    group.sample_size(10);
    group.bench_function("logout", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.login()).session_token.text,
            |token| bench.runtime.block_on(flow::logout(bench.app(), &[&token], None)).unwrap(),
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("verify-email", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.registered(&somebody())),
            |link| bench.runtime.block_on(flow::verify_email(bench.app(), &Answer::Link(link), None)).unwrap(),
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("cancel-registration", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.registered(&somebody())),
            |link| bench.runtime.block_on(flow::cancel_registration(bench.app(), &link)).unwrap(),
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("resend-verification", |bencher| {
        bencher.iter_batched(
            || {
                let email = somebody();
                bench.runtime.block_on(bench.register(&email));
                email
            },
            |email| bench.runtime.block_on(flow::resend_verification(bench.app(), &email, &Caller::default())).unwrap(),
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("forgot-password", |bencher| {
        bencher.iter_batched(
            || {
                let email = somebody();
                bench.runtime.block_on(bench.verify(&email));
                email
            },
            |email| bench.runtime.block_on(flow::forgot_password(bench.app(), &email, &Caller::default())).unwrap(),
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("reset-password", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.forgotten(&somebody())),
            |link| {
                let password = ChosenPassword::read("password", Some(PASSWORD)).unwrap();
                bench
                    .runtime
                    .block_on(flow::reset_password(bench.app(), &Answer::Link(link), password, &Caller::default()))
                    .unwrap();
            },
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("change-password", |bencher| {
        bencher.iter_batched(
            || bench.new_session(somebody()),
            |token| {
                let (current_password, new_password) =
                    (Password::attempt(PASSWORD).unwrap(), ChosenPassword::read("password", Some(PASSWORD)).unwrap());
                let input = change_password::Input { current_password, new_password, language: None };
                bench.runtime.block_on(flow::change_password(bench.app(), &token, input)).unwrap()
            },
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("change-email", |bencher| {
        bencher.iter_batched(
            || (bench.new_session(somebody()), somebody()),
            |(token, new_email)| {
                let current_password = Password::attempt(PASSWORD).unwrap();
                let input = change_email::Input { new_email, current_password, caller: Caller::default() };
                bench.runtime.block_on(flow::change_email(bench.app(), &token, input)).unwrap();
            },
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("delete-account", |bencher| {
        bencher.iter_batched(
            || bench.new_session(somebody()),
            |token| {
                let current_password = Password::attempt(PASSWORD).unwrap();
                let input = delete_account::Input { current_password, language: None };
                bench.runtime.block_on(flow::delete_account(bench.app(), &token, input)).unwrap();
            },
            criterion::BatchSize::PerIteration,
        );
    });
    group.bench_function("send mail, one waiting", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.register(&somebody())),
            |_| bench.runtime.block_on(bench.local.drain()).unwrap(),
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, flows);
criterion_main!(benches);
