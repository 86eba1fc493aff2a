use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use freehold_crypto::envelope::Envelope;
use freehold_crypto::jwt::{AccessTokenClaims, Signer};
use freehold_crypto::key_pair::{PrivateKeyPem, PublicKey};
use freehold_crypto::{ApplicationSecret, SecretRing};
use serde_json::{Value, json};
use tests::{Need, PASSWORD, Pool};

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
    let expected =
        json!({"user_id": link.user, "email": email, "email_verified": true, "name": "Ann", "roles": ["user"]});
    assert_eq!(me, expected);
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
