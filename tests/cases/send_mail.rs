use std::collections::BTreeMap;
use std::time::Duration;

use freehold_domain::mail::Shard;
use freehold_service::flow;
use futures::future::join_all;
use local::SesFailure;
use serde_json::{Value, json};
use tests::{Fault, Need, Pool, root};

const MINUTE: Duration = Duration::from_mins(1);

async fn outbox(pool: &Pool) -> usize {
    pool.items().await.iter().filter(|item| item["item_type"] == "mail").count()
}

#[tokio::test]
async fn a_mail_is_sent_once_and_forgotten() {
    let Some(pool) = Pool::with([Need::Table, Need::Mailbox]).await else { return };
    let email = pool.address("Ann");
    pool.register(&email.to_uppercase()).await.assert_status(201);
    let link = pool.link(&email).await;
    let mails = pool.mails(&email).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["to"], email.to_uppercase().replace("EXAMPLE.COM", "example.com"));
    for part in ["text", "html"] {
        assert!(mails[0][part].as_str().unwrap().contains("verify-email"), "{part}");
    }
    let is_left =
        |item: &BTreeMap<String, String>| item.get("user_id") == Some(&link.user) && item["item_type"] == "mail";
    // A deployed function forgets the mail some milliseconds after SES has it.
    for _ in 0..50 {
        if !pool.items().await.iter().any(is_left) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the mail is still in the outbox");
}

#[tokio::test]
async fn the_token_waits_in_the_table_as_an_envelope_alone() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    let before = format!("{:?}", pool.items().await);
    let link = pool.link("ann@example.com").await;
    assert!(!before.contains(&link.token) && !before.contains("fh_ev_"), "a token is in the table");
}

#[tokio::test]
async fn the_stream_names_the_shards_to_look_into() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let mut shards = Vec::new();
    for at in 0..8 {
        pool.register(&format!("ann{at}@example.com")).await.assert_status(201);
    }
    for item in pool.items().await.iter().filter(|item| item["item_type"] == "mail") {
        shards.push((item["pk"].clone(), item["sk"].clone()));
    }
    let text = std::fs::read_to_string(root().join("events/send-mail.json")).unwrap();
    let mut event: Value = serde_json::from_str(&text).unwrap();
    let (pk, sk) = shards[0].clone();
    let of_that_shard = shards.iter().filter(|(other, _)| *other == pk).count();
    event["Records"][0]["dynamodb"]["Keys"] = json!({"pk": {"S": pk}, "sk": {"S": sk}});
    event["Records"].as_array_mut().unwrap().truncate(1);
    let answer = send_mail::handle(pool.local().app(), event).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(pool.local().mailbox().mails().len(), of_that_shard);
}

#[tokio::test]
async fn a_stream_of_other_items_sends_nothing() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    let keys = ["other_Pool#OUTBOX#0", "us-east-1_Freehold1#USER#x", "us-east-1_Freehold1#OUTBOX#zz", ""];
    let records: Vec<Value> = keys.iter().map(|pk| json!({"dynamodb": {"Keys": {"pk": {"S": pk}}}})).collect();
    send_mail::handle(pool.local().app(), json!({"Records": records})).await.unwrap();
    assert!(pool.local().mailbox().mails().is_empty());
}

#[tokio::test]
async fn of_many_who_drain_at_once_one_sends_each_mail() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    for at in 0..5 {
        pool.register(&format!("ann{at}@example.com")).await.assert_status(201);
    }
    join_all((0..10).map(|_| pool.local().drain())).await.into_iter().for_each(|drained| drop(drained.unwrap()));
    assert_eq!(pool.local().mailbox().mails().len(), 5);
}

#[tokio::test]
async fn while_ses_is_down_nothing_is_lost_and_nobody_waits() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    for failure in [SesFailure::Unavailable503, SesFailure::Throttled] {
        let email = pool.address("ann");
        pool.local().mailbox().fail_with(Some(failure));
        pool.register(&email).await.assert_status(201);
        for _ in 0..5 {
            pool.local().drain().await.unwrap();
            pool.pass(30 * MINUTE);
        }
        assert_eq!(outbox(&pool).await, 1);
        pool.local().mailbox().fail_with(None);
        pool.pass(30 * MINUTE);
        assert_eq!(pool.mails(&email).await.len(), 1);
        assert_eq!(outbox(&pool).await, 0);
    }
}

#[tokio::test]
async fn a_mail_that_fails_waits_longer_each_time() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.local().mailbox().fail_with(Some(SesFailure::Unavailable503));
    pool.register("ann@example.com").await.assert_status(201);
    for wait in [30, 60, 120] {
        pool.local().drain().await.unwrap();
        let attempts =
            async || pool.items().await.iter().find(|item| item["item_type"] == "mail").unwrap()["attempts"].clone();
        let before = attempts().await;
        pool.pass(Duration::from_secs(wait - 1));
        pool.local().drain().await.unwrap();
        assert_eq!(attempts().await, before, "it was tried again before {wait} seconds");
        pool.pass(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn the_oldest_mail_that_waits_is_known_and_one_that_was_given_up_does_not_wait() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let oldest = async || {
        let shards = Shard::all().map(|shard| flow::drain(pool.local().app(), shard));
        join_all(shards).await.into_iter().filter_map(Result::unwrap).min()
    };
    let now = pool.local().app().clock.now();
    pool.local().mailbox().fail_with(Some(SesFailure::Rejected));
    pool.register("ann@example.com").await.assert_status(201);
    pool.pass(MINUTE);
    pool.register("bob@example.com").await.assert_status(201);
    assert_eq!(oldest().await, Some(now), "both were tried");
    assert_eq!(oldest().await, Some(now), "none is due");
    for _ in 0..10 {
        pool.pass(130 * MINUTE);
        oldest().await;
    }
    assert_eq!(pool.local().mailbox().dead_letters().len(), 2);
    assert_eq!(oldest().await, None);
}

#[tokio::test]
async fn what_ses_refuses_for_good_is_set_aside_without_its_secret_and_reported() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.local().mailbox().fail_with(Some(SesFailure::Rejected));
    pool.register("ann@example.com").await.assert_status(201);
    for _ in 0..10 {
        assert!(pool.local().mailbox().dead_letters().is_empty(), "it was given up although it may be taken later");
        pool.local().drain().await.unwrap();
        pool.pass(130 * MINUTE);
    }
    pool.local().mailbox().fail_with(None);
    assert!(pool.mails("ann@example.com").await.is_empty());
    let items = pool.items().await;
    let dead = items.iter().find(|item| item["item_type"] == "mail").unwrap();
    assert!(dead.contains_key("is_dead") && !dead.contains_key("sealed_secrets"), "{dead:?}");
    let letters = pool.local().mailbox().dead_letters();
    let letters: Vec<Value> = letters.iter().map(|letter| serde_json::from_str(letter).unwrap()).collect();
    assert_eq!(letters, [json!({"pk": dead["pk"], "sk": dead["sk"]})]);
}

#[tokio::test]
async fn an_item_that_is_no_mail_does_not_hold_up_the_others() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    for shard in "0123456789abcdef".chars() {
        let pk = format!("us-east-1_Freehold1#OUTBOX#{shard}");
        pool.table().put(json!({"pk": pk, "sk": "MAIL#x", "item_type": "mail", "due_at": 0})).await;
    }
    pool.register("ann@example.com").await.assert_status(201);
    assert_eq!(pool.mails("ann@example.com").await.len(), 1);
}

#[tokio::test]
async fn one_mail_that_fails_does_not_hold_up_the_others() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    for at in 0..8 {
        pool.register(&format!("ann{at}@example.com")).await.assert_status(201);
    }
    let items = pool.items().await;
    let broken = items.iter().find(|item| item["item_type"] == "mail").unwrap();
    pool.table().set(&broken["pk"], &broken["sk"], "sealed_secrets", "no envelope").await;
    pool.local().drain().await.unwrap();
    assert_eq!(pool.local().mailbox().mails().len(), 7);
    assert_eq!(outbox(&pool).await, 1);
}

#[tokio::test]
async fn a_mail_whose_link_has_expired_is_not_sent() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    pool.pass(24 * 60 * MINUTE);
    assert!(pool.mails("ann@example.com").await.is_empty());
    assert_eq!(outbox(&pool).await, 0);
}

#[tokio::test]
async fn a_sender_that_dies_between_sending_and_forgetting_sends_again_after_its_lease() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.register("ann@example.com").await.assert_status(201);
    // The lease passes, and the deletion and all its repetitions do not.
    pool.proxy().inject_for("DeleteItem", Fault::Throttle, 5);
    pool.local().drain().await.unwrap();
    pool.proxy().calm();
    assert_eq!((pool.local().mailbox().mails().len(), outbox(&pool).await), (1, 1));
    assert_eq!(pool.mails("ann@example.com").await.len(), 1, "it was sent again within its lease");
    pool.pass(2 * MINUTE);
    assert_eq!(pool.mails("ann@example.com").await.len(), 2);
    assert_eq!(outbox(&pool).await, 0);
}

#[tokio::test]
async fn two_hundred_registrations_while_ses_is_down_are_two_hundred_mails_afterwards() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.local().mailbox().fail_with(Some(SesFailure::Unavailable503));
    for at in 0..10 {
        let registrations = (0..20).map(|also| {
            let email = format!("ann{at}x{also}@example.com");
            let pool = &pool;
            async move { pool.register(&email).await.assert_status(201) }
        });
        join_all(registrations).await;
        pool.local().drain().await.unwrap();
        pool.pass(MINUTE);
    }
    assert!(pool.local().mailbox().mails().is_empty());
    pool.local().mailbox().fail_with(None);
    pool.pass(60 * MINUTE);
    pool.local().drain().await.unwrap();
    let mut recipients: Vec<String> = pool.local().mailbox().mails().into_iter().map(|mail| mail.to).collect();
    recipients.sort();
    recipients.dedup();
    assert_eq!((recipients.len(), outbox(&pool).await), (200, 0));
}
