//! What mail says, in which language, and how it looks.

use serde_json::json;
use tests::{Need, PASSWORD, Pool};

const EMAIL: &str = "ann@example.com";

/// The subject and the HTML of the newest mail.
async fn newest(pool: &Pool) -> (String, String) {
    let mail = pool.mails(EMAIL).await.remove(0);
    let text = |name: &str| mail[name].as_str().unwrap().to_owned();
    (text("subject"), text("html"))
}

#[tokio::test]
async fn a_mail_is_in_the_language_that_its_request_prefers() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let post = async |path: &str, language: &str, body| {
        let answer = pool.post_with(path, &[("accept-language", language)], body).await;
        assert!(answer.status.is_success(), "{}", answer.body);
        newest(&pool).await.0
    };
    let register = json!({"email": EMAIL, "password": PASSWORD});
    assert_eq!(post("/register", "de-CH, en;q=0.8", register).await, "Haben Sie sich angemeldet?");
    let email = json!({"email": EMAIL});
    assert_eq!(post("/verify-email/resend", "fr", email.clone()).await, "Vous êtes-vous inscrit ?");
    let link = pool.link(EMAIL).await;
    pool.post("/verify-email", json!({"user_id": link.user, "token": link.token})).await.assert_status(200);
    assert_eq!(post("/password/forgot", "es, en;q=0.5", email).await, "Elija otra contraseña");
    let link = pool.link(EMAIL).await;
    let reset = json!({"user_id": link.user, "token": link.token, "new_password": PASSWORD});
    assert_eq!(post("/password/reset", "ja", reset).await, "パスワードが変更されました");
    let session = pool.signed_in(EMAIL).await;
    let change = json!({"current_password": PASSWORD, "new_password": PASSWORD});
    let bearer = format!("Bearer {}", session.access_token);
    let headers = [("accept-language", "pt-BR"), ("authorization", &*bearer)];
    pool.pass(std::time::Duration::from_secs(1));
    pool.post_with("/password/change", &headers, change).await.assert_status(200);
    assert_eq!(newest(&pool).await.0, "Sua senha foi alterada");
}

#[tokio::test]
async fn another_language_or_none_gets_the_pools() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.post_with("/register", &[("accept-language", "nl")], json!({"email": EMAIL, "password": PASSWORD}))
        .await
        .assert_status(201);
    assert_eq!(newest(&pool).await.0, "Did you sign up?");
}

#[tokio::test]
async fn the_pools_settings_say_how_mail_looks() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.set(json!({
        "language": "de", "product": "Ann & Co", "colour": "#ffd600", "logo": "https://example.com/logo.png",
        "sender": "ann@co.example"
    }))
    .await;
    pool.register(EMAIL).await.assert_status(201);
    let (subject, html) = newest(&pool).await;
    assert_eq!(subject, "Haben Sie sich angemeldet?");
    assert_eq!(pool.mails(EMAIL).await[0]["from"], "ann@co.example");
    for shown in ["lang=\"de\"", "Ann &amp; Co", "#ffd600", "logo.png"] {
        assert!(html.contains(shown), "{shown} is not in {html}");
    }
}

#[tokio::test]
async fn a_deployment_brings_its_own_templates() {
    let folder = std::env::temp_dir().join(format!("freehold-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("layout.html"), "<p>Ours: {{ greeting }} {{ answer.code }}</p>").unwrap();
    let variables = [("MAIL_TEMPLATES", folder.to_str().unwrap())];
    let Some(pool) = Pool::with_environment([Need::Inside, Need::Mailbox], variables).await else { return };
    pool.register(EMAIL).await.assert_status(201);
    let (subject, html) = newest(&pool).await;
    let link = pool.link(EMAIL).await;
    assert_eq!((subject, html), ("Did you sign up?".to_owned(), format!("<p>Ours: Hello, {}</p>", link.code)));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn every_mail_is_shown_in_every_language() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let page = pool.get("/_local/mail/preview").await;
    page.assert_status(200);
    assert_eq!(page.body.matches("<iframe").count(), 8 * 6);
    assert!(page.body.contains("Choose another password") && page.body.contains("新しいパスワードの設定"));
}
