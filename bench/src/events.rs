//! Recorded API Gateway events, filled in for people who exist: each one succeeds.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tests::{Link, PASSWORD, Passed, Pool, SignedIn};

use crate::Effort;
use crate::function::{Function, Invocation};

const COOKIE: &str = "__Host-refresh_token=";

/// What users and other functions do, one per function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Login,
    Refresh,
    Register,
    Me,
    Authorizer,
    Issuer,
    Logout,
    VerifyEmail,
    CancelRegistration,
    ResendVerification,
    ForgotPassword,
    ResetPassword,
    ChangePassword,
    ChangeEmail,
    DeleteAccount,
    EraseAccounts,
    Sessions,
    SendMail,
}

impl Action {
    pub(crate) const ALL: [Self; 18] = [
        Self::Login,
        Self::Refresh,
        Self::Register,
        Self::Me,
        Self::Authorizer,
        Self::Issuer,
        Self::Logout,
        Self::VerifyEmail,
        Self::CancelRegistration,
        Self::ResendVerification,
        Self::ForgotPassword,
        Self::ResetPassword,
        Self::ChangePassword,
        Self::ChangeEmail,
        Self::DeleteAccount,
        Self::EraseAccounts,
        Self::Sessions,
        Self::SendMail,
    ];

    /// The folder of its function.
    pub(crate) fn function(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Register => "register",
            Self::Me => "me",
            Self::Authorizer => "authorizer",
            Self::Issuer => "issuer",
            Self::Logout => "logout",
            Self::VerifyEmail => "verify-email",
            Self::CancelRegistration => "cancel-registration",
            Self::ResendVerification => "resend-verification",
            Self::ForgotPassword => "forgot-password",
            Self::ResetPassword => "reset-password",
            Self::ChangePassword => "change-password",
            Self::ChangeEmail => "change-email",
            Self::DeleteAccount => "delete-account",
            Self::EraseAccounts => "erase-accounts",
            Self::Sessions => "sessions",
            Self::SendMail => "send-mail",
        }
    }

    /// Whether its function has memory to hash in.
    pub(crate) fn hashes(self) -> bool {
        matches!(
            self,
            Self::Login
                | Self::Register
                | Self::ResetPassword
                | Self::ChangePassword
                | Self::ChangeEmail
                | Self::DeleteAccount
        )
    }

    /// The function that does nothing and builds the same clients.
    pub(crate) fn floor(self) -> &'static str {
        if self == Self::SendMail { "mail-clients" } else { "table-client" }
    }

    /// In how many processes, one after the other, it is done in a round. How quick a hash is depends on where its pages lie,
    /// and how quick anything is on the moment: what is held against a floor has several, each followed by one of the floor.
    pub(crate) fn processes(self, effort: Effort) -> u32 {
        if self.has_floor() && !effort.quick { 10 } else { 1 }
    }

    /// Whether it is held against its cryptography alone.
    pub(crate) fn has_floor(self) -> bool {
        matches!(self, Self::Login | Self::Refresh | Self::Register)
    }

    /// How often it is done in a round: those that need somebody new for each take a registration to prepare.
    pub(crate) fn repetitions(self, effort: Effort) -> u32 {
        let whole: u32 = match self {
            Self::Refresh | Self::Me | Self::Authorizer | Self::Issuer | Self::Sessions => 500,
            // How long a key pair takes is luck, so that a hundred registrations differ by a tenth from the next hundred.
            Self::Register => 600,
            Self::Login => 100,
            Self::Logout
            | Self::VerifyEmail
            | Self::CancelRegistration
            | Self::ResendVerification
            | Self::ForgotPassword
            | Self::ResetPassword
            | Self::ChangePassword
            | Self::ChangeEmail
            | Self::DeleteAccount
            | Self::EraseAccounts
            | Self::SendMail => 20,
        };
        if effort.quick { whole.div_ceil(10) } else { whole }
    }

    /// An event that is answered before the table is asked anything: what remains is the start of the function. There is none
    /// for what asks the table whatever it is told.
    pub(crate) fn trivial_event(self) -> anyhow::Result<Value> {
        let mut event = self.recorded()?;
        match self {
            Self::EraseAccounts => {}
            Self::SendMail => event["Records"] = json!([]),
            Self::Issuer => event["pathParameters"]["user_id"] = json!("nobody"),
            Self::Me | Self::Authorizer | Self::Sessions => event["headers"]["authorization"] = json!(""),
            Self::Logout | Self::Refresh => event["cookies"] = json!([]),
            Self::Login
            | Self::Register
            | Self::VerifyEmail
            | Self::CancelRegistration
            | Self::ResendVerification
            | Self::ForgotPassword
            | Self::ResetPassword
            | Self::ChangePassword
            | Self::ChangeEmail
            | Self::DeleteAccount => set_body(&mut event, &json!({})),
        }
        Ok(event)
    }

    /// The event of its function, as it was recorded.
    pub(crate) fn recorded(self) -> anyhow::Result<Value> {
        let path = tests::root().join(format!("events/{}.json", self.function()));
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Whether this is the answer of an action that was done.
    pub(crate) fn is_done(self, answer: &Value) -> bool {
        match self {
            Self::Authorizer => answer["isAuthorized"] == true,
            Self::SendMail => answer["batchItemFailures"] == json!([]),
            Self::Register => answer["statusCode"] == 201,
            // Who is erased is counted by the next look, so that the first says 0.
            Self::EraseAccounts => answer["erased"].is_u64(),
            Self::ResendVerification | Self::ForgotPassword | Self::ChangeEmail | Self::DeleteAccount => {
                answer["statusCode"] == 202
            }
            Self::Login
            | Self::Refresh
            | Self::Me
            | Self::Issuer
            | Self::Logout
            | Self::VerifyEmail
            | Self::ResetPassword
            | Self::ChangePassword
            | Self::Sessions
            | Self::CancelRegistration => answer["statusCode"] == 200,
        }
    }
}

/// Not every recorded body is JSON, or text.
pub(crate) fn set_body(event: &mut Value, body: &Value) {
    event["headers"]["content-type"] = json!("application/json");
    event["isBase64Encoded"] = json!(false);
    event["body"] = json!(body.to_string());
}

fn cookie(refresh_token: &str) -> String {
    format!("{COOKIE}{refresh_token}")
}

/// People who are signed in to a pool, and take turns.
pub(crate) struct People<'a> {
    pool: &'a Pool,
    users: VecDeque<Person>,
}

struct Person {
    id: String,
    session: SignedIn,
}

/// An action that was done.
pub(crate) struct Done {
    /// From the event to the answer.
    pub(crate) wall: Duration,
    /// From the start of the process to the answer.
    pub(crate) since_start: Duration,
    /// What was asked of the table.
    pub(crate) passed: Vec<Passed>,
}

impl<'a> People<'a> {
    /// Signs people up and in.
    pub(crate) async fn of(pool: &'a Pool, number: usize) -> Self {
        let mut users = VecDeque::new();
        for _ in 0..number {
            let email = pool.address("person");
            let id = pool.verified(&email).await;
            users.push_back(Person { id, session: pool.signed_in(&email).await });
        }
        Self { pool, users }
    }

    /// An event that has an action done for the next in turn, or for somebody new where that can be done but once.
    pub(crate) async fn event(&mut self, action: Action) -> anyhow::Result<Value> {
        let mut event = action.recorded()?;
        let pool = self.pool;
        self.users.rotate_left(1);
        let person = self.users.front().context("there are people")?;
        match action {
            Action::Login => {
                let email = &person.session.email;
                set_body(&mut event, &json!({"email": email, "password": PASSWORD, "token_in": "body"}));
            }
            Action::Refresh => event["cookies"] = json!([cookie(&person.session.refresh_token)]),
            Action::Register => {
                set_body(&mut event, &json!({"email": pool.address("new"), "password": PASSWORD}));
            }
            Action::Me | Action::Authorizer | Action::Sessions => {
                event["headers"]["authorization"] = json!(format!("Bearer {}", person.session.access_token));
            }
            Action::Issuer => {
                event["pathParameters"] = json!({"pool": pool.id(), "user_id": person.id});
                event["rawPath"] = json!(format!("/{}/users/{}/.well-known/jwks.json", pool.id(), person.id));
            }
            Action::Logout => {
                let session = pool.signed_in(&person.session.email).await;
                event["cookies"] = json!([cookie(&session.refresh_token)]);
            }
            Action::VerifyEmail | Action::CancelRegistration => {
                let email = pool.address("new");
                pool.register(&email).await.assert_status(201);
                let Link { user, token, .. } = pool.link(&email).await;
                set_body(&mut event, &json!({"user_id": user, "token": token}));
            }
            Action::ResendVerification => {
                let email = pool.address("new");
                pool.register(&email).await.assert_status(201);
                set_body(&mut event, &json!({"email": email}));
            }
            Action::ForgotPassword => {
                let email = pool.address("new");
                pool.verified(&email).await;
                set_body(&mut event, &json!({"email": email}));
            }
            Action::ResetPassword => {
                let email = pool.address("new");
                pool.verified(&email).await;
                let Link { user, token, .. } = pool.forgot(&email).await;
                set_body(&mut event, &json!({"user_id": user, "token": token, "new_password": PASSWORD}));
            }
            Action::ChangePassword | Action::ChangeEmail | Action::DeleteAccount => {
                let email = pool.address("new");
                pool.verified(&email).await;
                let token = pool.signed_in(&email).await.access_token;
                event["headers"]["authorization"] = json!(format!("Bearer {token}"));
                let mut body = json!({"current_password": PASSWORD});
                if action == Action::ChangePassword {
                    body["new_password"] = json!(PASSWORD);
                } else if action == Action::ChangeEmail {
                    body["new_email"] = json!(pool.address("newer"));
                }
                set_body(&mut event, &body);
            }
            // Each finds somebody who is due, and whoever the one before left to be looked at once more.
            Action::EraseAccounts => {
                let user = pool.verified(&pool.address("new")).await;
                pool.table().set(&pool.user_key(&user), "PROFILE", "deletion_at", 1).await;
                let (pk, sk) = (format!("{}#DELETIONS", pool.id()), format!("DUE#{:015}#{user}", 1));
                let due = json!({"pk": pk, "sk": sk, "item_type": "deletion", "user_id": user, "deletion_at": 1});
                pool.table().put(due).await;
            }
            Action::SendMail => {
                pool.register(&pool.address("new")).await.assert_status(201);
                let items = pool.items().await;
                let mail =
                    items.iter().find(|item| item["item_type"] == "mail").context("a registration writes a mail")?;
                let keys = &mut event["Records"][0]["dynamodb"]["Keys"];
                *keys = json!({"pk": {"S": mail["pk"]}, "sk": {"S": mail["sk"]}});
            }
        }
        Ok(event)
    }

    /// Has an action done for the next in turn.
    pub(crate) async fn have_done(&mut self, action: Action, function: &mut Function) -> anyhow::Result<Done> {
        let event = self.event(action).await?;
        self.pool.proxy().take_passed();
        let Invocation { answer, wall, since_start } = function.invoke(&event).await?;
        let passed = self.pool.proxy().take_passed();
        ensure!(action.is_done(&answer), "{action:?}: {answer}");
        self.learn(action, &answer).await?;
        Ok(Done { wall, since_start, passed })
    }

    /// Takes from an answer what the next event of whoever was in turn needs, and leaves them with as many sessions as before.
    async fn learn(&mut self, action: Action, answer: &Value) -> anyhow::Result<()> {
        if action == Action::Refresh {
            let cookie = answer["cookies"][0].as_str().and_then(|cookie| cookie.strip_prefix(COOKIE));
            let (token, _) = cookie.and_then(|cookie| cookie.split_once(';')).context("a refresh sets the cookie")?;
            let person = self.users.front_mut().context("there are people")?;
            token.clone_into(&mut person.session.refresh_token);
        } else if action == Action::Login {
            let body: Value = serde_json::from_str(answer["body"].as_str().context("a sign-in has a body")?)?;
            let token = body["refresh_token"].as_str().context("a sign-in gives a refresh token")?;
            self.pool.logout(token).await.assert_status(200);
        }
        Ok(())
    }
}

#[cfg(test)]
mod unit_tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_function_is_measured() {
        let folders = std::fs::read_dir(tests::root().join("functions")).unwrap();
        let functions: BTreeSet<String> =
            folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(
            Action::ALL.map(|action| action.function().to_owned()).into_iter().collect::<BTreeSet<_>>(),
            functions
        );
    }
}
