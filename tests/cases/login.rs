use serde_json::json;
use tests::{Need, PASSWORD, Pool};

#[tokio::test]
async fn a_sign_in_gives_an_access_token_and_a_closed_cookie() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let user = pool.verified(&email).await;
    let answer = pool.login(&email.to_uppercase()).await;
    answer.assert_status(200);
    assert_eq!((answer.text("token_type").as_str(), answer.json()["expires_in"].as_u64()), ("Bearer", Some(900)));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.json().get("refresh_token").is_none());
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-refresh_token=fh_rt_"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=2592000"), "{cookie}");
    assert_eq!(pool.me(&answer.text("access_token")).await.text("user_id"), user);
}

#[tokio::test]
async fn an_access_token_says_what_rfc_9068_asks_for() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let user = pool.verified(&email).await;
    let token = pool.signed_in(&email).await.access_token;
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), jsonwebtoken::Algorithm::RS256));
    let claims: serde_json::Value = jsonwebtoken::dangerous::insecure_decode_claims(&token).unwrap();
    let issuer = format!("{}/{}/users/{user}", pool.public_url(), pool.id());
    let (iat, exp) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    assert_eq!(claims["iss"], json!(issuer));
    assert_eq!(claims["sub"], json!(user));
    assert_eq!(claims["aud"], json!(pool.public_url()));
    assert_eq!(claims["client_id"], json!(pool.id()));
    assert_eq!((exp - iat, claims["auth_time"].as_u64()), (900, Some(iat)));
    assert_eq!((&claims["amr"], &claims["roles"]), (&json!(["pwd"]), &json!(["user"])));
    for id in ["jti", "sid"] {
        assert!(uuid::Uuid::parse_str(claims[id].as_str().unwrap()).is_ok(), "{id}");
    }
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_get_one_answer_for_one_cost() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    // The pool's settings are read once a minute, by whoever comes first.
    pool.login("ann@example.com").await.assert_status(200);
    let mut answers = Vec::new();
    let mut requests = Vec::new();
    for email in ["ann@example.com", "eve@example.com"] {
        pool.proxy().take_requests();
        let answer = pool.post("/login", json!({"email": email, "password": "wrong password"})).await;
        answer.assert_problem(401, "invalid_credentials");
        assert!(answer.session_cookie().is_none());
        let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        answers.push((headers, answer.body));
        requests.push(pool.proxy().take_requests());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(requests[0], requests[1]);
}

#[tokio::test]
async fn only_the_right_password_learns_that_the_address_is_not_verified() {
    let Some(pool) = Pool::with([]).await else { return };
    let email = pool.address("ann");
    pool.register(&email).await.assert_status(201);
    pool.login(&email).await.assert_problem(403, "email_not_verified");
    let wrong = pool.post("/login", json!({"email": email, "password": "wrong password"})).await;
    wrong.assert_problem(401, "invalid_credentials");
}

#[tokio::test]
async fn what_no_account_can_have_is_just_wrong() {
    let Some(pool) = Pool::with([]).await else { return };
    for (email, password) in [("ann", PASSWORD), ("ann@example.com", &"a".repeat(129)), ("ann@example.com", "")] {
        let answer = pool.post("/login", json!({"email": email, "password": password})).await;
        answer.assert_problem(401, "invalid_credentials");
    }
    pool.post("/login", json!({"password": PASSWORD})).await.assert_problem(422, "invalid_email");
    pool.post("/login", json!({"email": "ann@example.com"})).await.assert_problem(422, "invalid_password");
    let answer = pool.post("/login", json!({"email": "a@b.cd", "password": PASSWORD, "token_in": "header"})).await;
    answer.assert_problem(422, "invalid_token_in");
}

#[tokio::test]
async fn a_password_is_the_same_on_every_keyboard() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let composed = json!({"email": email, "password": "pässwörd 12"});
    pool.post("/register", composed.clone()).await.assert_status(201);
    let link = pool.link(&email).await;
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    pool.post("/login", composed).await.assert_status(200);
    let decomposed = json!({"email": email, "password": "pa\u{308}sswo\u{308}rd\u{a0}12"});
    pool.post("/login", decomposed).await.assert_status(200);
}

#[tokio::test]
async fn every_sign_in_is_a_new_session() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let (one, two) = (pool.signed_in(&email).await, pool.signed_in(&email).await);
    assert_ne!(one.refresh_token, two.refresh_token);
    pool.logout(&one.refresh_token).await.assert_status(200);
    pool.me(&one.access_token).await.assert_problem(401, "invalid_token");
    pool.me(&two.access_token).await.assert_status(200);
}

#[tokio::test]
async fn a_session_knows_where_it_began_and_believes_no_header() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let pk = pool.user_key(&pool.verified(&email).await);
    let headers = [("x-forwarded-for", "203.0.113.66"), ("user-agent", "curl/8")];
    let body = json!({"email": email, "password": PASSWORD});
    pool.post_with("/login", &headers, body).await.assert_status(200);
    let items = pool.items().await;
    let session = items.iter().find(|item| item["pk"] == pk && item["item_type"] == "session").unwrap();
    assert_eq!((session["source_ip"].as_str(), session["user_agent"].as_str()), ("127.0.0.1", "curl/8"));
}

#[tokio::test]
async fn a_weaker_hash_is_replaced_by_the_sign_in_that_it_lets_in() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let pk = pool.user_key(&pool.verified(&email).await);
    // argon2-cffi made it of the same password, with 19 MiB and 2 iterations.
    let weaker = include_str!("../vectors/weaker-hash.txt").trim();
    pool.table().set(&pk, "CREDENTIALS", "password_hash", weaker).await;
    let stored = async || {
        let items = pool.items().await;
        items.iter().find(|item| item["pk"] == pk && item["sk"] == "CREDENTIALS").unwrap()["password_hash"].clone()
    };
    pool.post("/login", json!({"email": email, "password": "wrong password"})).await.assert_status(401);
    assert_eq!(stored().await, weaker);
    pool.login(&email).await.assert_status(200);
    let stronger = stored().await;
    assert!(stronger.starts_with("$argon2id$v=19$m=65536,t=1,"), "{stronger}");
    pool.login(&email).await.assert_status(200);
    assert_eq!(stored().await, stronger);
}

#[tokio::test]
async fn a_stored_hash_that_would_exhaust_the_function_is_an_error_and_no_attempt() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let pk = pool.user_key(&pool.verified(&email).await);
    let bomb = "$argon2id$v=19$m=4194304,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    pool.table().set(&pk, "CREDENTIALS", "password_hash", bomb).await;
    pool.login(&email).await.assert_problem(500, "internal");
}

#[tokio::test]
async fn half_an_account_is_no_account() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    for half in ["CREDENTIALS", "PROFILE"] {
        let email = pool.address(&half.to_lowercase());
        let user = pool.verified(&email).await;
        let session = pool.signed_in(&email).await;
        pool.table().delete(&pool.user_key(&user), half).await;
        pool.login(&email).await.assert_problem(401, "invalid_credentials");
        pool.refresh(&session.refresh_token).await.assert_problem(401, "invalid_refresh_token");
    }
}

#[tokio::test]
async fn a_private_key_that_was_moved_to_another_account_does_not_open() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let (ann, bob) = (pool.verified(&email).await, pool.verified(&pool.address("bob")).await);
    let items = pool.items().await;
    let of = |user: &str| {
        items.iter().find(|item| item["sk"] == "CREDENTIALS" && item["pk"].contains(user)).unwrap().clone()
    };
    pool.table().set(&of(&ann)["pk"], "CREDENTIALS", "private_key", of(&bob)["private_key"].as_str()).await;
    pool.login(&email).await.assert_problem(500, "internal");
}

#[tokio::test]
async fn the_refresh_token_goes_into_the_body_for_clients_without_cookies() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let answer = pool.post("/login", json!({"email": email, "password": PASSWORD, "token_in": "body"})).await;
    answer.assert_status(200);
    assert!(answer.text("refresh_token").starts_with("fh_rt_") && answer.session_cookie().is_none());
    let refreshed = pool.post("/refresh", json!({"refresh_token": answer.text("refresh_token")})).await;
    refreshed.assert_status(200);
    assert!(refreshed.session_cookie().is_none());
    let ended = pool.post("/logout", json!({"refresh_token": refreshed.text("refresh_token")})).await;
    assert_eq!(ended.json()["ended"], true);
}
