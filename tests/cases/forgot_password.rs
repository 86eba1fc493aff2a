use freehold_service::flow::challenge::LEAST_TIME_ON_DEMAND;
use serde_json::json;
use tests::{Answer, Need, Pool};
use tokio::time::Instant;

async fn forgot(pool: &Pool, email: &str) -> Answer {
    let answer = pool.post("/password/forgot", json!({"email": email})).await;
    answer.assert_status(202);
    answer
}

#[tokio::test]
async fn a_mail_offers_another_password_by_link_and_by_code() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let email = pool.address("ann");
    let user = pool.verified(&email).await;
    let link = pool.forgot(&email.to_uppercase()).await;
    assert!(link.user == user && link.token.starts_with("fh_pr_"), "{link:?}");
    let mail = &pool.mails(&email).await[0];
    assert_eq!(mail["subject"], "Choose another password");
    assert!(mail["text"].as_str().unwrap().contains(&format!("{}/password/reset?user=", pool.public_url())));
}

#[tokio::test]
async fn unknown_and_unverified_addresses_get_the_same_answer_the_same_work_and_no_mail() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    pool.register("bob@example.com").await.assert_status(201);
    pool.mails("bob@example.com").await;
    let mut seen = Vec::new();
    for email in ["ann@example.com", "bob@example.com", "eve@example.com"] {
        pool.proxy().take_requests();
        let answer = forgot(&pool, email).await;
        let headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        seen.push((answer.status, headers, answer.body, pool.proxy().take_requests()));
    }
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert_eq!(pool.mails("ann@example.com").await.len(), 2);
    assert_eq!(pool.mails("bob@example.com").await.len(), 1, "an unverified address got another mail");
    assert_eq!(pool.mails("eve@example.com").await.len(), 0);
}

#[tokio::test]
async fn nobody_is_answered_sooner_than_others() {
    let Some(pool) = Pool::with([Need::Mailbox]).await else { return };
    let [verified, unverified, unknown] = ["ann", "bob", "eve"].map(|name| pool.address(name));
    pool.verified(&verified).await;
    pool.register(&unverified).await.assert_status(201);
    for path in ["/password/forgot", "/verify-email/resend"] {
        for email in [&verified, &unverified, &unknown] {
            // The sixth is not sent any more.
            for _ in 0..6 {
                let asked = Instant::now();
                pool.post(path, json!({"email": email})).await.assert_status(202);
                assert!(asked.elapsed() >= LEAST_TIME_ON_DEMAND, "{path} {email}");
            }
        }
    }
}

#[tokio::test]
async fn decoys_are_written_where_nobody_looks_and_expire() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    forgot(&pool, "eve@example.com").await;
    let items = pool.items().await;
    let decoys: Vec<_> = items.iter().filter(|item| item["pk"].contains("#DECOY#")).collect();
    assert_eq!(decoys.len(), 2);
    // Requests for one address meet at its decoy as they would at its account, and at no other.
    let address = format!("{}#DECOY#reset-password#eve@example.com", pool.id());
    assert!(decoys.iter().any(|decoy| decoy["pk"] == address && decoy["sk"] == "CHALLENGE"), "{decoys:?}");
    assert!(decoys.iter().all(|decoy| decoy["item_type"] == "decoy" && decoy.contains_key("expires_at")));
    assert!(!items.iter().any(|item| item["pk"].contains("#OUTBOX#") || item["pk"].contains("#USER#")));
}

#[tokio::test]
async fn an_hour_has_five_mails_to_one_address_beside_those_that_verify_it() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified("ann@example.com").await;
    for _ in 0..5 {
        pool.post("/verify-email/resend", json!({"email": "ann@example.com"})).await.assert_status(202);
    }
    for _ in 0..7 {
        forgot(&pool, "ann@example.com").await;
    }
    assert_eq!(pool.mails("ann@example.com").await.len(), 1 + 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_goes_meanwhile_is_not_written_to() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    let user = pool.verified("ann@example.com").await;
    let (table, key) = (pool.table().clone(), pool.user_key(&user));
    let handle = tokio::runtime::Handle::current();
    pool.proxy().before("TransactWriteItems", move || {
        tokio::task::block_in_place(|| handle.block_on(table.set(&key, "PROFILE", "account_status", "unverified")));
    });
    forgot(&pool, "ann@example.com").await;
    assert_eq!(pool.mails("ann@example.com").await.len(), 1);
    assert!(!pool.items().await.iter().any(|item| item["sk"] == "CHALLENGE#reset-password"));
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let Some(pool) = Pool::with([]).await else { return };
    pool.post("/password/forgot", json!({"email": "ann"})).await.assert_problem(422, "invalid_email");
    pool.post("/password/forgot", json!({})).await.assert_problem(422, "invalid_email");
}
