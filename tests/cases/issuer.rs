use serde_json::json;
use tests::{Need, Pool};

#[tokio::test]
async fn a_user_is_an_issuer_whose_key_verifies_the_users_tokens() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let token = pool.signed_in(&email).await.access_token;
    let claims: serde_json::Value = jsonwebtoken::dangerous::insecure_decode_claims(&token).unwrap();
    let issuer = claims["iss"].as_str().unwrap();
    let path = issuer.strip_prefix(pool.public_url()).unwrap();

    let metadata = pool.get(&format!("{path}/.well-known/openid-configuration")).await;
    metadata.assert_status(200);
    assert_eq!(metadata.text("issuer"), issuer);
    assert_eq!(metadata.header("cache-control"), "public, max-age=300");
    let jwks_path = metadata.text("jwks_uri").strip_prefix(pool.public_url()).unwrap().to_owned();
    let keys = pool.get(&jwks_path).await;
    keys.assert_status(200);
    assert_eq!(keys.header("cache-control"), "public, max-age=300");

    let key = keys.json()["keys"][0].clone();
    assert_eq!(jsonwebtoken::decode_header(&token).unwrap().kid.as_deref(), key["kid"].as_str());
    let (n, e) = (key["n"].as_str().unwrap(), key["e"].as_str().unwrap());
    let decoding_key = jsonwebtoken::DecodingKey::from_rsa_components(n, e).unwrap();
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.validate_exp = false;
    rules.set_audience(&[claims["aud"].as_str().unwrap()]);
    jsonwebtoken::decode::<serde_json::Value>(&token, &decoding_key, &rules).unwrap();
}

#[tokio::test]
async fn what_is_no_issuer_is_not_found() {
    let Some(pool) = Pool::with([]).await else { return };
    let user = pool.register(&pool.address("ann")).await.text("user_id");
    let known = format!("/{}/users/{user}/.well-known/jwks.json", pool.id());
    pool.get(&known).await.assert_status(200);
    let unknown = "0199a3f0-7c1e-7b52-9d64-3f1c2a5b8e07";
    for path in [
        known.replace(&user, unknown),
        known.replace(&user, &user.to_uppercase()),
        known.replace(&user, "ann"),
        known.replace(pool.id(), "us-east-1_Other"),
        known.replace("jwks.json", "openid-configuration").replace(&user, unknown),
    ] {
        let answer = pool.get(&path).await;
        answer.assert_problem(404, "not_found");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_path_without_a_route_is_not_found() {
    let Some(pool) = Pool::with([]).await else { return };
    let user = pool.register(&pool.address("ann")).await.text("user_id");
    let answer = pool.get(&format!("/{}/users/{user}/.well-known/other", pool.id())).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (404, json!({"message": "Not Found"})));
}
