use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use freehold_crypto::envelope::Envelope;
use freehold_crypto::jwt::{AccessTokenClaims, Signer};
use freehold_crypto::key_pair::{PrivateKeyPem, PublicKey};
use freehold_crypto::{ApplicationSecret, SecretRing};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, Fault, Link, Need, PASSWORD, Pool};

#[tokio::test]
async fn the_bearer_of_an_access_token_is_told_who_it_is() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("Ann");
    pool.post("/register", json!({"email": email, "password": PASSWORD, "name": "Ann"})).await.assert_status(201);
    let link = pool.link(&email).await;
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    let token = pool.signed_in(&email).await.access_token;
    let me = pool.me(&token).await;
    me.assert_status(200);
    let mut me = me.json();
    // `openapi.yaml` says that it is a date and a time.
    me.as_object_mut().unwrap().remove("created_at").unwrap();
    let expected = json!({"user_id": link.user, "email": email, "email_verified": true, "name": "Ann", "attributes": {},
            "roles": ["user"], "deletion_at": null});
    assert_eq!(me, expected);
}

async fn patch(pool: &Pool, token: &str, body: Value) -> Answer {
    pool.as_bearer(token, "PATCH", "/me", body).await
}

async fn token_of(pool: &Pool) -> String {
    let email = pool.address("ann");
    pool.verified(&email).await;
    pool.signed_in(&email).await.access_token
}

#[tokio::test]
async fn name_and_attributes_are_changed_and_removed() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let token = token_of(&pool).await;
    let changed = patch(&pool, &token, json!({"name": "Ann", "attributes": {"locale": "de-CH", "gender": "x"}})).await;
    changed.assert_status(200);
    let me = pool.me(&token).await.json();
    assert_eq!(changed.json(), me);
    assert_eq!((&me["name"], &me["attributes"]), (&json!("Ann"), &json!({"locale": "de-CH", "gender": "x"})));
    // What is not named stays.
    patch(&pool, &token, json!({"attributes": {"gender": null}})).await.assert_status(200);
    patch(&pool, &token, json!({"name": null})).await.assert_status(200);
    patch(&pool, &token, json!({})).await.assert_status(200);
    let me = pool.me(&token).await.json();
    assert_eq!((&me["name"], &me["attributes"]), (&Value::Null, &json!({"locale": "de-CH"})));
}

#[tokio::test]
async fn nobody_sets_what_is_not_their_own_to_say() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let token = token_of(&pool).await;
    let before = pool.me(&token).await.json();
    for name in ["email", "email_verified", "sub", "roles", "phone_number", "updated_at", "name"] {
        let refused = patch(&pool, &token, json!({"attributes": {name: "x", "gender": "x"}})).await;
        refused.assert_problem(422, "read_only_attribute");
        assert_eq!(refused.json()["errors"][0]["field"], format!("attributes.{name}"));
    }
    for body in [json!({"roles": ["admin"]}), json!({"email_verified": true}), json!({"deletion_at": null})] {
        patch(&pool, &token, body).await.assert_problem(422, "unknown_field");
    }
    patch(&pool, &token, json!({"attributes": {"custom:plan": "gold"}})).await.assert_problem(422, "unknown_attribute");
    patch(&pool, &token, json!({"attributes": {"birthdate": "soon"}})).await.assert_problem(422, "invalid_attribute");
    patch(&pool, &token, json!({"name": " "})).await.assert_problem(422, "invalid_name");
    pool.as_bearer("junk", "PATCH", "/me", json!({})).await.assert_problem(401, "invalid_token");
    assert_eq!(pool.me(&token).await.json(), before);
}

#[tokio::test]
async fn the_pools_schema_says_what_there_is() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let schema = json!({
        "custom:plan": {"mutable": false, "required": true, "max_length": 8},
        "custom:seats": {"type": "number", "min": 1, "max": 9},
        "custom:news": {"type": "boolean"}
    });
    pool.set(json!({"attributes": schema.to_string()})).await;
    let email = pool.address("ann");
    let register = async |attributes: Value| {
        pool.post("/register", json!({"email": email, "password": PASSWORD, "attributes": attributes})).await
    };
    register(json!({})).await.assert_problem(422, "required_attribute");
    register(json!(null)).await.assert_problem(422, "required_attribute");
    register(json!({"custom:plan": "much too long"})).await.assert_problem(422, "invalid_attribute");
    register(json!({"custom:plan": "gold", "custom:seats": 3})).await.assert_status(201);
    let link = pool.link(&email).await;
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    let token = pool.signed_in(&email).await.access_token;
    let change = async |attributes: Value| patch(&pool, &token, json!({"attributes": attributes})).await;
    change(json!({"custom:plan": "tin"})).await.assert_problem(422, "read_only_attribute");
    change(json!({"custom:seats": 10})).await.assert_problem(422, "invalid_attribute");
    change(json!({"custom:seats": 4, "custom:news": true})).await.assert_status(200);
    let expected = json!({"custom:plan": "gold", "custom:seats": 4, "custom:news": true});
    assert_eq!(pool.me(&token).await.json()["attributes"], expected);
}

#[tokio::test]
async fn parallel_changes_of_different_attributes_are_all_kept() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let token = token_of(&pool).await;
    let names = ["gender", "nickname", "given_name", "family_name"];
    let answers = join_all(names.map(|name| patch(&pool, &token, json!({"attributes": {name: name}})))).await;
    for answer in answers {
        answer.assert_status(200);
    }
    let expected =
        json!({"gender": "gender", "nickname": "nickname", "given_name": "given_name", "family_name": "family_name"});
    assert_eq!(pool.me(&token).await.json()["attributes"], expected);
}

#[tokio::test]
async fn a_lost_answer_and_a_conflict_change_a_profile_once() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let token = token_of(&pool).await;
    for fault in Fault::OF_ANY_WRITE {
        let name = format!("{fault:?}");
        pool.under(fault, 2, patch(&pool, &token, json!({"name": name}))).await.assert_status(200);
        assert_eq!(pool.me(&token).await.json()["name"], name);
    }
}

#[tokio::test]
async fn mail_is_in_the_language_of_the_users_locale_first() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let register = json!({"email": email, "password": PASSWORD, "attributes": {"locale": "fr-CH"}});
    pool.post_with("/register", &[("accept-language", "de")], register).await.assert_status(201);
    assert_eq!(pool.mails(&email).await[0]["subject"], "Vous êtes-vous inscrit ?");
    let Link { user, token, .. } = pool.link(&email).await;
    pool.post("/verify-email", json!({"user_id": user, "token": token})).await.assert_status(200);
    let token = pool.signed_in(&email).await.access_token;
    patch(&pool, &token, json!({"attributes": {"locale": "es"}})).await.assert_status(200);
    pool.post_with("/password/forgot", &[("accept-language", "de")], json!({"email": email})).await.assert_status(202);
    assert_eq!(pool.mails(&email).await[0]["subject"], "Elija otra contraseña");
    // A language that mail is not written in leaves the choice to the request.
    patch(&pool, &token, json!({"attributes": {"locale": "nl"}})).await.assert_status(200);
    pool.post_with("/password/forgot", &[("accept-language", "de")], json!({"email": email})).await.assert_status(202);
    assert_eq!(pool.mails(&email).await[0]["subject"], "Neues Passwort wählen");
}

#[tokio::test]
async fn everything_that_is_stored_about_somebody_is_exported() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let user = pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    patch(&pool, &session.access_token, json!({"name": "Ann", "attributes": {"gender": "x"}})).await.assert_status(200);
    let new = pool.address("new");
    pool.asked_for_email(&session, &new).await;
    let answer = pool.as_bearer(&session.access_token, "GET", "/me/export", Value::Null).await;
    answer.assert_status(200);
    let export = answer.json();
    assert_eq!(export["user"]["user_id"], user);
    assert_eq!(export["user"]["attributes"], json!({"gender": "x"}));
    assert_eq!(export["sessions"][0]["source_ip"].as_str().map(str::is_empty), Some(false));
    assert_eq!(export["challenges"][0]["purpose"], "change-email");
    assert_eq!(export["challenges"][0]["email"], new);
    pool.send("GET", "/me/export", &[], "").await.assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn an_export_has_no_secret_and_whatever_else_the_table_has() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let user = pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    pool.refresh(&session.refresh_token).await.assert_status(200);
    pool.asked_for_email(&session, &pool.address("new")).await;
    pool.post("/login", json!({"email": email, "password": "wrong"})).await.assert_status(401);
    let export = pool.as_bearer(&session.access_token, "GET", "/me/export", Value::Null).await.body;
    let mut kinds = Vec::new();
    for item in pool.items().await {
        if item["pk"] != pool.user_key(&user) {
            continue;
        }
        kinds.push(item["item_type"].clone());
        for secret in ["password_hash", "private_key"] {
            assert!(item.get(secret).is_none_or(|value| !export.contains(value.as_str())), "{secret} in {export}");
        }
        for told in ["email", "source_ip", "user_agent", "display_name"] {
            assert!(item.get(told).is_none_or(|value| export.contains(value.as_str())), "no {told} in {export}");
        }
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["change-email", "credentials", "session", "user"]);
    let export: Value = serde_json::from_str(&export).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(
        names(&export["user"]),
        "attributes created_at deletion_at email email_verified generation name public_key roles user_id version"
    );
    let session = "created_at expires_at id last_used_at source_ip user_agent";
    assert_eq!(names(&export["sessions"][0]), session);
    assert_eq!(names(&export["challenges"][0]), "email expires_at purpose");
    assert_eq!(export["guesses"]["failures"], 1);
    assert_eq!(names(&export["guesses"]), "failures last_at");
}

#[tokio::test]
async fn no_other_scheme_is_taken() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    let bearer = format!("Bearer {}", session.access_token);
    let cookie = format!("__Host-refresh_token={}", session.refresh_token);
    let as_refresh_token = format!("Bearer {}", session.refresh_token);
    let refused: [&[(&str, &str)]; 5] = [
        &[],
        &[("authorization", "")],
        &[("authorization", &bearer[7..])],
        &[("cookie", &cookie)],
        &[("authorization", &as_refresh_token)],
    ];
    for headers in refused {
        let answer = pool.send("GET", "/me", headers, "").await;
        answer.assert_problem(401, "invalid_token");
        assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    }
    pool.send("GET", "/me", &[("authorization", &bearer.replace("Bearer", "bearer"))], "").await.assert_status(200);
}

/// The gateway joins both into one header, which is no token.
#[tokio::test]
async fn a_second_header_is_not_taken() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let bearer = format!("Bearer {}", pool.signed_in(&email).await.access_token);
    for tokens in [[bearer.as_str(), "Bearer x"], ["Bearer x", bearer.as_str()]] {
        let answer = pool.send("GET", "/me", &tokens.map(|token| ("authorization", token)), "").await;
        answer.assert_problem(401, "invalid_token");
        assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    }
}

#[tokio::test]
async fn a_token_is_refused_thirty_seconds_after_its_end() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    let token = pool.signed_in("ann@example.com").await.access_token;
    pool.pass(Duration::from_secs(15 * 60 + 4));
    pool.me(&token).await.assert_status(200);
    pool.pass(Duration::from_secs(1));
    pool.me(&token).await.assert_problem(401, "invalid_token");
    pool.pass(Duration::from_secs(25));
    pool.me(&token).await.assert_problem(401, "invalid_token");
}

#[tokio::test]
async fn a_token_outlives_neither_its_session_nor_a_cold_start() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    let session = pool.signed_in("ann@example.com").await;
    pool.logout(&session.refresh_token).await.assert_status(200);
    let cold = local::Local::start(local::Options {
        dynamodb_endpoint: Some(pool.proxy().url().to_owned()),
        environment: pool.local().environment().clone(),
        ..local::Options::default()
    });
    let cold = cold.await.unwrap();
    let authenticated = freehold_service::flow::authenticate(cold.app(), &session.access_token).await;
    assert_eq!(authenticated.err(), Some(freehold_domain::Error::InvalidAccessToken));
}

/// A user's own key, which only the owner of the application secret can open, signs whatever a case wants.
struct Forger {
    signer: Signer,
    public_key: PublicKey,
    claims: AccessTokenClaims,
}

impl Forger {
    async fn of(pool: &Pool, email: &str) -> Self {
        let user = pool.verified(email).await;
        let token = pool.signed_in(email).await.access_token;
        let items = pool.items().await;
        let find = |sk: &str| items.iter().find(|item| item["sk"] == sk && item["pk"].ends_with(&user)).unwrap();
        let secret = ApplicationSecret::parse(&pool.local().environment()["APPLICATION_SECRET"]).unwrap();
        let envelope = Envelope::from_stored(find("CREDENTIALS")["private_key"].clone());
        let associated_data = format!("freehold/v1|us-east-1_Freehold1|private-key|{user}");
        let private_key = SecretRing::new(secret, None).open(&associated_data, &envelope).unwrap();
        let public_key = PublicKey::from_stored(&find("PROFILE")["public_key"]).unwrap();
        let signer = Signer::new(&PrivateKeyPem::from_opened(&private_key).unwrap(), &public_key).unwrap();
        Self { signer, public_key, claims: jsonwebtoken::dangerous::insecure_decode_claims(&token).unwrap() }
    }

    fn token(&self, change: impl Fn(&mut AccessTokenClaims)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        self.signer.sign(&claims).unwrap()
    }
}

type Change<'a> = &'a dyn Fn(&mut AccessTokenClaims);

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn a_token_of_another_issuer_audience_or_client_is_refused_although_its_signature_is_right() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (ann, bob) = (Forger::of(&pool, "ann@example.com").await, Forger::of(&pool, "bob@example.com").await);
    pool.me(&ann.token(|_| {})).await.assert_status(200);

    let (url, right, bob_sub) = (pool.url(), ann.claims.iss.clone(), bob.claims.sub.clone());
    let host = url.trim_start_matches("http://");
    let issuers = [
        right.replace(host, &format!("{host}.evil")),
        right.replace(host, &format!("{host}@evil")),
        right.replace("/users/", "/users/../users/"),
        right.replace("/users/", "/users/%2e%2e/users/"),
        right.replace("http://127.0.0.1", "http://localhost"),
        right.replace("http://", "https://"),
        right.replace(url, "http://127.0.0.1:1"),
        right.replace("us-east-1_Freehold1", "us-east-1_Other"),
        format!("{right}?a=b"),
        format!("{right}#a"),
        format!("{right}/"),
        right.to_uppercase(),
        bob.claims.iss.clone(),
        String::new(),
    ];
    for issuer in issuers {
        let token = ann.token(|claims| claims.iss.clone_from(&issuer));
        pool.me(&token).await.assert_problem(401, "invalid_token");
    }
    let changes: [(&str, Change<'_>); 8] = [
        ("A's issuer with B's sub", &|claims| claims.sub.clone_from(&bob_sub)),
        ("B's issuer and sub under A's signature", &|claims| {
            claims.sub.clone_from(&bob.claims.sub);
            claims.iss.clone_from(&bob.claims.iss);
        }),
        ("upper-case sub", &|claims| claims.sub = claims.sub.to_uppercase()),
        ("another audience", &|claims| claims.aud = "https://evil.example".to_owned()),
        ("another client", &|claims| claims.client_id = "us-east-1_Other".to_owned()),
        ("B's session", &|claims| claims.sid.clone_from(&bob.claims.sid)),
        ("from the future", &|claims| claims.iat += 3_600),
        ("no session", &|claims| claims.sid = String::new()),
    ];
    for (why, change) in changes {
        let answer = pool.me(&ann.token(change)).await;
        assert_eq!((answer.status.as_u16(), answer.text("code").as_str()), (401, "invalid_token"), "{why}");
    }
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let (ann, bob) = (Forger::of(&pool, "ann@example.com").await, Forger::of(&pool, "bob@example.com").await);
    let right = ann.token(|_| {});
    let claims = serde_json::to_value(&ann.claims).unwrap();
    let key_id = ann.public_key.thumbprint();
    let (message, signature) = right.rsplit_once('.').unwrap();
    let (_, payload) = message.split_once('.').unwrap();

    let hs256 = {
        let header = part(&json!({"alg": "HS256", "typ": "at+jwt", "kid": key_id}));
        let key = jsonwebtoken::EncodingKey::from_secret(ann.public_key.to_pem().unwrap().as_bytes());
        let message = format!("{header}.{payload}");
        let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
        format!("{message}.{mac}")
    };
    let under_another_header = |header: Value| format!("{}.{payload}.{signature}", part(&header));
    let jwk = json!({"kty": "RSA", "n": bob.public_key.modulus(), "e": bob.public_key.exponent()});
    let mut admin = claims.clone();
    admin["roles"] = json!(["admin"]);
    let forged = [
        ("alg none", format!("{}.{payload}.", part(&json!({"alg": "none", "typ": "at+jwt", "kid": key_id})))),
        ("alg none with a signature", under_another_header(json!({"alg": "none", "typ": "at+jwt", "kid": key_id}))),
        ("HS256 with the public key", hs256),
        ("a key of its own", under_another_header(json!({"alg": "RS256", "typ": "at+jwt", "kid": key_id, "jwk": jwk}))),
        (
            "a key set of its own",
            under_another_header(json!({"alg": "RS256", "typ": "at+jwt", "jku": "https://evil.example"})),
        ),
        ("another type", under_another_header(json!({"alg": "RS256", "typ": "JWT", "kid": key_id}))),
        ("other claims", format!("{}.{}.{signature}", message.split('.').next().unwrap(), part(&admin))),
        ("B's signature", bob.signer.sign(&ann.claims).unwrap()),
        ("no signature", format!("{message}.")),
        ("a truncated signature", right[..right.len() - 2].to_owned()),
        ("an extended signature", format!("{right}AA")),
        ("two parts", message.to_owned()),
        ("four parts", format!("{right}.{signature}")),
        ("junk", "junk".to_owned()),
        ("a megabyte's beginning", "a".repeat(7_000)),
    ];
    for (why, token) in forged {
        let answer = pool.me(&token).await;
        assert_eq!((answer.status.as_u16(), answer.text("code").as_str()), (401, "invalid_token"), "{why}");
    }
    pool.me(&right).await.assert_status(200);
}
