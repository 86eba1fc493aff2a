use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Need, PASSWORD, Pool, operations};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn contents(pool: &Pool) -> Vec<BTreeMap<String, String>> {
    pool.items().await
}

#[tokio::test]
async fn bodies_that_are_no_json_object_are_refused_everywhere_and_store_nothing() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let deep = format!("{}{}", "[".repeat(1_200), "]".repeat(1_200));
    let nested = format!(
        r#"{{"email":{deep},"user_id":{deep},"refresh_token":{deep},"new_password":{deep},"new_email":{deep},"session":{deep}}}"#
    );
    let ten_thousand_deep = "[".repeat(10_000);
    let bodies: [(&str, Vec<u8>); 10] = [
        ("an array of what the fields would be", br#"["ann@example.com","correct horse battery",null]"#.to_vec()),
        ("not JSON", b"email=ann@example.com".to_vec()),
        ("cut off", br#"{"email":"ann@exam"#.to_vec()),
        ("truncated UTF-8", b"{\"email\":\"ann\xc3".to_vec()),
        ("invalid UTF-8", b"{\"email\":\"\xff\xfe\"}".to_vec()),
        ("an array", b"[]".to_vec()),
        ("nested", nested.into_bytes()),
        ("nested 10,000 deep", ten_thousand_deep.into_bytes()),
        ("two objects", b"{}{}".to_vec()),
        (
            "a number for a text",
            br#"{"email":1,"user_id":1,"refresh_token":1,"new_password":1,"new_email":1,"session":1}"#.to_vec(),
        ),
    ];
    let posts: Vec<String> =
        operations().into_iter().filter_map(|name| Some(name.strip_prefix("POST ")?.to_owned())).collect();
    assert_eq!(posts.len(), 15);
    for path in &posts {
        for (why, body) in &bodies {
            let answer = pool.send("POST", path, &[JSON], body.clone()).await;
            assert_eq!((answer.status.as_u16(), answer.text("code").as_str()), (400, "invalid_json"), "{path}: {why}");
        }
        let answer = pool.send("POST", path, &[("content-type", "text/plain")], "{}").await;
        answer.assert_problem(415, "unsupported_media_type");
        let answer = pool.send("POST", path, &[JSON], " ".repeat(1024 * 1024)).await;
        answer.assert_problem(413, "body_too_large");
        let answer = pool.send("POST", path, &[JSON], r#"{"__proto__":{"roles":["admin"]}}"#).await;
        answer.assert_problem(422, "unknown_field");
    }
    assert!(contents(&pool).await.is_empty());
}

#[tokio::test]
async fn addresses_names_and_passwords_that_cannot_be_are_refused_and_store_nothing() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let long = format!("{}@{}.com", "a".repeat(64), ["b".repeat(61), "c".repeat(61), "d".repeat(62)].join("."));
    assert_eq!(long.len(), 255);
    let addresses = [
        "ann\u{0}@example.com",
        "ann\r\nBcc: eve@example.com",
        "аnn@example.com",
        "ann@example.com\u{202e}",
        "ann@localhost",
        "\"ann\"@example.com",
        "ann@[127.0.0.1]",
        "ann@127.0.0.1",
        "ann@@example.com",
        "ann@ex_ample.com",
        &long,
    ];
    for email in addresses {
        pool.register(email).await.assert_problem(422, "invalid_email");
    }
    let (of_129, of_600_bytes) = ("a".repeat(129), "🦀".repeat(150));
    for (password, code) in [
        ("abc", "password_too_short"),
        ("", "password_too_short"),
        ("1234567\u{0}", "invalid_password"),
        ("tab\tinside", "invalid_password"),
        (&of_129, "password_too_long"),
        (&of_600_bytes, "password_too_long"),
    ] {
        let answer = pool.post("/register", json!({"email": "ann@example.com", "password": password})).await;
        answer.assert_problem(422, code);
    }
    let of_65 = "a".repeat(65);
    for name in ["", "\u{0}", "a\nb", "\u{202e}nna", &of_65] {
        let answer =
            pool.post("/register", json!({"email": "ann@example.com", "password": PASSWORD, "name": name})).await;
        answer.assert_problem(422, "invalid_name");
    }
    assert!(contents(&pool).await.is_empty());
}

#[tokio::test]
async fn an_international_domain_is_one_domain_however_it_is_written() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.register("ann@bücher.example").await.assert_status(201);
    for spelling in ["ann@BÜCHER.example", "ann@xn--bcher-kva.example", "ann@bu\u{308}cher.example"] {
        pool.register(spelling).await.assert_problem(409, "email_taken");
    }
    assert_eq!(pool.mails("ann@xn--bcher-kva.example").await.len(), 1);
}

#[tokio::test]
async fn links_are_built_from_configuration_whatever_host_a_request_names() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let hostile = [
        JSON,
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-for", "203.0.113.66"),
        ("x-original-url", "/evil"),
    ];
    let body = json!({"email": email, "password": PASSWORD}).to_string();
    pool.send("POST", "/register", &hostile, body).await.assert_status(201);
    let link = pool.link(&email).await;
    let mail = pool.mails(&email).await[0].to_string();
    assert!(!mail.contains("evil") && mail.contains(pool.public_url()), "{mail}");
    let path = format!("/verify-email?user={}&token={}", link.user, link.token);
    let page = pool.send("GET", &path, &hostile[1..], "").await;
    page.assert_status(200);
    assert!(!page.body.contains("evil"));
}

#[tokio::test]
async fn what_people_choose_is_escaped_in_mail_and_pages() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let email = "o'hara&<b>@example.com";
    pool.register(email).await.assert_problem(422, "invalid_email");
    let email = "o'hara&co@example.com";
    let body = json!({"email": email, "password": PASSWORD, "name": "<b>&\"Eve"});
    pool.post("/register", body).await.assert_status(201);
    let mail = pool.mails(email).await[0].clone();
    let html = mail["html"].as_str().unwrap();
    assert!(
        html.contains("&lt;b&gt;&amp;&quot;Eve") && !html.contains("<b>&") && html.contains("hara&amp;co"),
        "{html}"
    );
    let link = pool.link(email).await;
    let page = pool.get(&format!("/verify-email?user={}&token={}", link.user, link.token)).await;
    assert!(page.body.contains("hara&amp;co@example.com") && !page.body.contains("hara&co"), "{}", page.body);
}

#[tokio::test]
async fn a_page_shows_nothing_of_a_link_that_it_does_not_know() {
    let Some(pool) = Pool::with([]).await else { return };
    for query in ["", "?user=%3Cscript%3E&token=%3Cscript%3E", "?user=a&user=b&token=c", "?token=%00%ff"] {
        let page = pool.get(&format!("/verify-email{query}")).await;
        page.assert_status(400);
        assert!(!page.body.contains("script"), "{}", page.body);
    }
}

#[tokio::test]
async fn what_has_no_route_is_answered_by_the_gateway() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    for (method, path) in
        [("GET", "/register"), ("PUT", "/me"), ("POST", "/me"), ("GET", "/nowhere"), ("POST", "/login/")]
    {
        let answer = pool.send(method, path, &[], "").await;
        assert_eq!(answer.status.as_u16(), 404, "{method} {path}");
        assert_eq!(answer.json(), json!({"message": "Not Found"}));
    }
    assert_eq!(pool.get("/me").await.json()["code"], Value::from("invalid_token"));
}
