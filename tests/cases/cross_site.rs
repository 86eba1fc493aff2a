use serde_json::json;
use tests::{APP, Need, PASSWORD, Pool};

const EVIL: &str = "https://evil.example";

#[tokio::test]
async fn pages_of_other_sites_sign_nobody_in_or_out() {
    let Some(pool) = Pool::with([Need::Cors, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    let cookie = format!("__Host-refresh_token={}", session.refresh_token);
    let login = json!({"email": email, "password": PASSWORD}).to_string();
    for header in
        [("origin", EVIL), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
    {
        let headers = [("content-type", "application/json"), header];
        pool.send("POST", "/login", &headers, login.clone()).await.assert_problem(403, "cross_site");
        let challenge = json!({"session": "s", "answer": "a"}).to_string();
        pool.send("POST", "/login/challenge", &headers, challenge).await.assert_problem(403, "cross_site");
        for path in ["/refresh", "/logout"] {
            pool.send("POST", path, &[("cookie", &cookie), header], "").await.assert_problem(403, "cross_site");
        }
    }
    pool.me(&session.access_token).await.assert_status(200);
    let url = pool.public_url().to_owned();
    for header in
        [("origin", APP), ("origin", url.as_str()), ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")]
    {
        let headers = [("content-type", "application/json"), header];
        pool.send("POST", "/login", &headers, login.clone()).await.assert_status(200);
    }
}

#[tokio::test]
async fn a_browser_is_given_no_refresh_token_that_scripts_can_read() {
    let Some(pool) = Pool::with([Need::Cors, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    pool.verified(&email).await;
    let session = pool.signed_in(&email).await;
    let login = json!({"email": email, "password": PASSWORD, "token_in": "body"});
    let token = json!({"refresh_token": session.refresh_token});
    for header in [("origin", APP), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")] {
        pool.post_with("/login", &[header], login.clone()).await.assert_problem(403, "cross_site");
        let challenge = json!({"session": "s", "answer": "a", "token_in": "body"});
        pool.post_with("/login/challenge", &[header], challenge).await.assert_problem(403, "cross_site");
        pool.post_with("/refresh", &[header], token.clone()).await.assert_problem(403, "cross_site");
        pool.post_with("/logout", &[header], token.clone()).await.assert_problem(403, "cross_site");
    }
    pool.me(&session.access_token).await.assert_status(200);
}

#[tokio::test]
async fn cors_answers_configured_origins_alone() {
    let Some(pool) = Pool::with([Need::Cors]).await else { return };
    let preflight = async |origin| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        pool.send("OPTIONS", "/login", &headers, "").await
    };
    let allowed = preflight(APP).await;
    assert_eq!(allowed.header("access-control-allow-origin"), APP);
    assert_eq!(allowed.header("access-control-allow-credentials"), "true");
    assert_eq!(preflight(EVIL).await.header("access-control-allow-origin"), "");
    let me = pool.send("GET", "/me", &[("origin", APP)], "").await;
    assert_eq!(me.header("access-control-allow-origin"), APP);
    assert_eq!(pool.send("GET", "/me", &[("origin", EVIL)], "").await.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn without_configured_origins_there_is_no_cors() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let answer = pool.send("GET", "/me", &[("origin", APP)], "").await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
