//! Each flow, on the database in this process: over HTTP to the database and back, with no gateway and no function around.

use std::collections::BTreeMap;
use std::sync::Arc;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use freehold_domain::challenge::Purpose;
use freehold_domain::email::Email;
use freehold_domain::mail::Shard;
use freehold_domain::name::DisplayName;
use freehold_domain::password::{ChosenPassword, Password};
use freehold_domain::session::Device;
use freehold_domain::settings::Settings;
use freehold_domain::{SessionId, UserId};
use freehold_service::flow::challenge::{Answer, Caller, Link};
use freehold_service::flow::confirm_email::Confirmation;
use freehold_service::flow::custom_login::Turn;
use freehold_service::flow::send_mail::shard_of;
use freehold_service::flow::sign_in::SignedIn;
use freehold_service::flow::{
    change_email, change_password, custom_login, delete_account, login, register, update_profile,
};
use freehold_service::{App, flow};
use local::{Local, Options};
use serde_json::{Value, json};
use tests::{Reply, Table, TestClock, Triggers};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

const PASSWORD: &str = "correct horse battery staple";
/// What the owner's function asks for.
const ANSWER: &str = "forty-two";

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// A pool, and somebody who has signed up.
struct Bench {
    runtime: Runtime,
    local: Local,
}

impl Bench {
    fn new() -> Self {
        Self::with(Runtime::new().unwrap(), Options::default())
    }

    fn with(runtime: Runtime, options: Options) -> Self {
        let local = runtime.block_on(Local::start(options)).unwrap();
        let bench = Self { runtime, local };
        // The settings come first: once they were read they are kept for a minute.
        bench.runtime.block_on(bench.name_page());
        bench.runtime.block_on(bench.verified());
        bench
    }

    fn app(&self) -> &App {
        self.local.app()
    }

    fn table(&self) -> Table {
        Table::local(self.local.dynamodb_endpoint(), &self.local.environment()["TABLE_NAME"])
    }

    /// Has the pool say where a password is changed.
    async fn name_page(&self) {
        let pk = format!("{}#POOL", self.local.environment()["POOL_ID"]);
        let page = "https://app.example/settings/password";
        let settings = json!({"pk": pk, "sk": "SETTINGS", "item_type": "settings", "change_password_url": page});
        self.table().put(settings).await;
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

    /// Has somebody ask for another address: what the link carries that is mailed there.
    async fn asked_for_email(&self, email: &Email) -> Link {
        let (token, new_email) = (self.new_session(email).await, somebody());
        self.change_email(&token, new_email.clone()).await;
        self.mailed(Purpose::ChangeEmail, &new_email).await
    }

    /// Has somebody move to another address: what the link carries that is mailed to the one before.
    async fn moved(&self, email: &Email) -> Link {
        let link = self.asked_for_email(email).await;
        flow::confirm_email(self.app(), &Confirmation::Link(link), None).await.unwrap();
        self.mailed(Purpose::UndoEmailChange, email).await
    }

    /// Has somebody ask to be deleted: what the mailed link carries.
    async fn leaving(&self, email: &Email) -> Link {
        let token = self.new_session(email).await;
        self.delete_account(&token).await;
        self.mailed(Purpose::KeepAccount, email).await
    }

    /// The access token of somebody who has just signed up and in.
    async fn new_session(&self, email: &Email) -> String {
        self.verify(email).await;
        self.sign_in(email.clone()).await.access_token
    }

    /// One more session of somebody who has signed up.
    async fn another_session(&self, email: &Email) -> SessionId {
        let token = self.sign_in(email.clone()).await.access_token;
        flow::authenticate(self.app(), &token).await.unwrap().session()
    }

    /// Signs somebody up, whose mail is then the only one that waits: where it does.
    async fn waiting(&self) -> Shard {
        self.local.drain().await.unwrap();
        self.register(&somebody()).await;
        let items = self.table().items().await;
        items.iter().find_map(|item| shard_of(self.app(), &item["pk"])).unwrap()
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
            password: chosen_password(),
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
        let input = login::Input { email, password: password(), device: device(), validation_data: None };
        flow::login(self.app(), input).await.unwrap()
    }

    async fn change_email(&self, token: &str, new_email: Email) {
        let input = change_email::Input { new_email, current_password: password(), caller: Caller::default() };
        flow::change_email(self.app(), token, input).await.unwrap();
    }

    async fn delete_account(&self, token: &str) {
        let input = delete_account::Input { current_password: password(), language: None };
        flow::delete_account(self.app(), token, input).await.unwrap();
    }

    /// Begins a conversation, which is to come back with the answer.
    async fn begin_custom_login(&self) -> String {
        let input = custom_login::Input { email: alice(), password: None, device: device(), validation_data: None };
        let turn = flow::begin_custom_login(self.app(), input).await.unwrap();
        let Turn::Asked(asked) = turn else { panic!("nobody is let in without an answer") };
        asked.session
    }

    /// Answers, by which the conversation ends.
    async fn answer_challenge(&self, session: String) -> SignedIn {
        let device = device();
        let answer = custom_login::Answer { session, answer: ANSWER.to_owned(), device, client_metadata: None };
        let turn = flow::answer_challenge(self.app(), answer).await.unwrap();
        let Turn::SignedIn(signed_in) = turn else { panic!("the answer is right") };
        signed_in
    }
}

fn alice() -> Email {
    Email::parse("alice@example.com").unwrap()
}

fn somebody() -> Email {
    Email::parse(&format!("{}@example.com", freehold_crypto::token::Secret::generate().expose_base64url())).unwrap()
}

fn password() -> Password {
    Password::attempt(PASSWORD).unwrap()
}

fn chosen_password() -> ChosenPassword {
    ChosenPassword::read("password", Some(PASSWORD)).unwrap()
}

fn device() -> Device {
    Device::new("203.0.113.7", "criterion")
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
    let newcomer = bench.runtime.block_on(bench.new_session(&somebody()));
    quick.bench_function("export", |bencher| {
        bencher
            .to_async(&bench.runtime)
            .iter(|| async { flow::export(bench.app(), &newcomer).await.unwrap().sessions.len() });
    });
    let input = update_profile::Input { name: Some(DisplayName::parse("Ann")), attributes: BTreeMap::new() };
    quick.bench_function("update-profile", |bencher| {
        bencher
            .to_async(&bench.runtime)
            .iter(|| async { flow::update_profile(bench.app(), &newcomer, &input).await.unwrap() });
    });
    quick.bench_function("change-password page", |bencher| {
        bencher.to_async(&bench.runtime).iter(|| async { flow::change_password_page(bench.app()).await.unwrap() });
    });
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
    sessions(&mut group, bench);
    registrations(&mut group, bench);
    passwords(&mut group, bench);
    addresses(&mut group, bench);
    deletions(&mut group, bench);
    group.bench_function("send mail, one waiting", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.waiting()),
            |shard| bench.runtime.block_on(flow::drain(bench.app(), shard)).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn sessions(group: &mut Group<'_>, bench: &Bench) {
    group.bench_function("logout", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.login()).session_token.text,
            |token| bench.runtime.block_on(flow::logout(bench.app(), &[&token], None)).unwrap(),
            BatchSize::PerIteration,
        );
    });
    let email = somebody();
    let token = bench.runtime.block_on(bench.new_session(&email));
    group.bench_function("end-session", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.another_session(&email)),
            |session| bench.runtime.block_on(flow::end_session(bench.app(), &token, session)).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("end-other-sessions", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.another_session(&email)),
            |_| bench.runtime.block_on(flow::end_other_sessions(bench.app(), &token)).unwrap(),
            BatchSize::PerIteration,
        );
    });
}

fn registrations(group: &mut Group<'_>, bench: &Bench) {
    group.bench_function("verify-email", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.registered(&somebody())),
            |link| bench.runtime.block_on(flow::verify_email(bench.app(), &Answer::Link(link), None)).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("cancel-registration", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.registered(&somebody())),
            |link| bench.runtime.block_on(flow::cancel_registration(bench.app(), &link)).unwrap(),
            BatchSize::PerIteration,
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
            BatchSize::PerIteration,
        );
    });
}

fn passwords(group: &mut Group<'_>, bench: &Bench) {
    group.bench_function("forgot-password", |bencher| {
        bencher.iter_batched(
            || {
                let email = somebody();
                bench.runtime.block_on(bench.verify(&email));
                email
            },
            |email| bench.runtime.block_on(flow::forgot_password(bench.app(), &email, &Caller::default())).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("reset-password", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.forgotten(&somebody())),
            |link| {
                let (answer, caller) = (Answer::Link(link), Caller::default());
                let reset = flow::reset_password(bench.app(), &answer, chosen_password(), &caller);
                bench.runtime.block_on(reset).unwrap();
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("change-password", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.new_session(&somebody())),
            |token| {
                let (current_password, new_password) = (password(), chosen_password());
                let input = change_password::Input { current_password, new_password, language: None };
                bench.runtime.block_on(flow::change_password(bench.app(), &token, input)).unwrap()
            },
            BatchSize::PerIteration,
        );
    });
}

/// An account changes its address once in a week, so each change is one of a new account.
fn addresses(group: &mut Group<'_>, bench: &Bench) {
    group.bench_function("change-email", |bencher| {
        bencher.iter_batched(
            || (bench.runtime.block_on(bench.new_session(&somebody())), somebody()),
            |(token, new_email)| bench.runtime.block_on(bench.change_email(&token, new_email)),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("confirm-email", |bencher| {
        bencher.iter_batched(
            || Confirmation::Link(bench.runtime.block_on(bench.asked_for_email(&somebody()))),
            |link| bench.runtime.block_on(flow::confirm_email(bench.app(), &link, None)).unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("undo-email-change", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.moved(&somebody())),
            |link| {
                let undo = flow::undo_email_change(bench.app(), &link, chosen_password(), None);
                bench.runtime.block_on(undo).unwrap();
            },
            BatchSize::PerIteration,
        );
    });
}

fn deletions(group: &mut Group<'_>, bench: &Bench) {
    group.bench_function("delete-account", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.new_session(&somebody())),
            |token| bench.runtime.block_on(bench.delete_account(&token)),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("keep-account", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.leaving(&somebody())),
            |link| bench.runtime.block_on(flow::keep_account(bench.app(), &link)).unwrap(),
            BatchSize::PerIteration,
        );
    });
}

/// What is due after days of grace, in a pool of its own, whose clock can be moved on.
fn erasures(criterion: &mut Criterion) {
    let clock = TestClock::default();
    let bench = Bench::with(Runtime::new().unwrap(), Options { clock: clock.clock(), ..Options::default() });
    let erase = || bench.runtime.block_on(flow::erase_accounts(bench.app())).unwrap();
    let mut group = criterion.benchmark_group("flow");
    group.bench_function("erase-accounts, none due", |bencher| bencher.iter(erase));
    group.sample_size(10);
    group.bench_function("erase-accounts, one due", |bencher| {
        bencher.iter_batched(
            || {
                // The account before stays due until a second look has found nothing of it.
                erase();
                bench.runtime.block_on(bench.leaving(&somebody()));
                clock.pass(Settings::default().deletion_grace);
            },
            |()| erase(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// A conversation of one question, in a pool of its own, whose owner's functions are in this process too and answer at once.
fn conversations(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let functions = runtime.block_on(Triggers::start());
    functions.on("DefineAuthChallenge", define);
    functions.answer("CreateAuthChallenge", json!({"privateChallengeParameters": {"answer": ANSWER}}));
    functions.on("VerifyAuthChallengeResponse", verify);
    let names = ["DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse"];
    let environment = BTreeMap::from([
        ("TRIGGERS".to_owned(), Triggers::variable(names)),
        ("AWS_ENDPOINT_URL_LAMBDA".to_owned(), functions.url().to_owned()),
    ]);
    let bench = Bench::with(runtime, Options { environment, ..Options::default() });
    let mut group = criterion.benchmark_group("flow");
    group.sample_size(10);
    group.bench_function("custom login, begun", |bencher| {
        bencher.iter_batched(
            // A conversation is held against the account as a guess until somebody signs in.
            || drop(bench.runtime.block_on(bench.login())),
            |()| bench.runtime.block_on(bench.begin_custom_login()),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("custom login, answered", |bencher| {
        bencher.iter_batched(
            || bench.runtime.block_on(bench.begin_custom_login()),
            |session| bench.runtime.block_on(bench.answer_challenge(session)),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// Asks once, and lets in whoever answered rightly.
fn define(event: &Value) -> Reply {
    let is_answered = event["request"]["session"][0]["challengeResult"] == true;
    let asks = json!({"challengeName": "CUSTOM_CHALLENGE", "issueTokens": false, "failAuthentication": false});
    Reply::Response(if is_answered { json!({"issueTokens": true}) } else { asks })
}

fn verify(event: &Value) -> Reply {
    let request = &event["request"];
    let is_correct = request["challengeAnswer"] == request["privateChallengeParameters"]["answer"];
    Reply::Response(json!({"answerCorrect": is_correct}))
}

criterion_group!(benches, flows, erasures, conversations);
criterion_main!(benches);
