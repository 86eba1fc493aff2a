//! What each action costs at the table, counted: its requests, and how often it waits for an answer before it goes on.

use std::time::Duration;

use serde_json::json;
use tests::{Need, PASSWORD, Pool, SignedIn};

const EMAIL: &str = "ann@example.com";

/// Somebody who is signed in to a pool whose functions are warm: the pool's settings are read once a minute.
async fn signed_in() -> Option<(Pool, SignedIn)> {
    let pool = Pool::with([Need::Inside, Need::Mailbox]).await?;
    pool.verified(EMAIL).await;
    let session = pool.signed_in(EMAIL).await;
    Some((pool, session))
}

#[tokio::test]
async fn a_registration_waits_twice_for_the_table() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    let work = pool.register(EMAIL);
    // The claim, and the settings, once a minute.
    let expected: [&[&str]; 2] = [&["GetItem", "GetItem"], &["TransactWriteItems"]];
    pool.proxy().in_round_trips(&expected, work).await.assert_status(201);
}

#[tokio::test]
async fn an_answer_to_a_mailed_link_waits_twice_before_it_is_done() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    // The challenge; what it is for; and for the owner of an address the end of what others guessed.
    let verify: &[&[&str]] = &[&["GetItem"], &["TransactWriteItems"], &["DeleteItem"]];
    for (path, email, expected) in
        [("/verify-email", EMAIL, verify), ("/register/cancel", "bob@example.com", &verify[..2])]
    {
        pool.register(email).await.assert_status(201);
        let link = pool.link(email).await;
        let work = pool.post(path, json!({"user_id": link.user, "token": link.token}));
        pool.proxy().in_round_trips(expected, work).await.assert_status(200);
    }
}

#[tokio::test]
async fn another_mail_waits_four_times() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.register(EMAIL).await.assert_status(201);
    // The first in an hour also begins the count.
    pool.post("/verify-email/resend", json!({"email": EMAIL})).await.assert_status(202);
    // How often the address was mailed; the claim; the profile; the challenge and the mail.
    let work = pool.post("/verify-email/resend", json!({"email": EMAIL}));
    let expected: [&[&str]; 4] = [&["UpdateItem"], &["GetItem"], &["GetItem"], &["TransactWriteItems"]];
    pool.proxy().in_round_trips(&expected, work).await.assert_status(202);
}

#[tokio::test]
async fn a_forgotten_password_and_another_one_wait_as_often_as_they_must() {
    let Some((pool, _)) = signed_in().await else { return };
    pool.forgot(EMAIL).await;
    // How often the address was mailed; the claim; the profile; the challenge and the mail.
    let expected: [&[&str]; 4] = [&["UpdateItem"], &["GetItem"], &["GetItem"], &["TransactWriteItems"]];
    let forgot = pool.post("/password/forgot", json!({"email": EMAIL}));
    pool.proxy().in_round_trips(&expected, forgot).await.assert_status(202);
    // The challenge; the profile, and once more after the hash; the password, its keys and the mail; the end of what was
    // guessed.
    let link = pool.link(EMAIL).await;
    let reset =
        pool.post("/password/reset", json!({"user_id": link.user, "token": link.token, "new_password": PASSWORD}));
    let expected: [&[&str]; 5] = [&["GetItem"], &["GetItem"], &["GetItem"], &["TransactWriteItems"], &["DeleteItem"]];
    pool.proxy().in_round_trips(&expected, reset).await.assert_status(200);

    let link = pool.forgot(EMAIL).await;
    // The claim; the guess against the account; the guess at the code, which brings the challenge; and the same.
    let reset = pool.post("/password/reset", json!({"email": EMAIL, "code": link.code, "new_password": PASSWORD}));
    let expected: [&[&str]; 7] = [
        &["GetItem"],
        &["UpdateItem"],
        &["UpdateItem"],
        &["GetItem"],
        &["GetItem"],
        &["TransactWriteItems"],
        &["DeleteItem"],
    ];
    pool.proxy().in_round_trips(&expected, reset).await.assert_status(200);
}

#[tokio::test]
async fn changes_of_a_profile_wait_twice() {
    let Some((pool, session)) = signed_in().await else { return };
    // The profile and the session; the profile.
    let change = pool.as_bearer(&session.access_token, "PATCH", "/me", json!({"name": "Ann"}));
    pool.proxy().in_round_trips(&[&["GetItem", "GetItem"], &["UpdateItem"]], change).await.assert_status(200);
}

#[tokio::test]
async fn another_address_waits_as_often_as_it_must() {
    let Some((pool, session)) = signed_in().await else { return };
    let body = json!({"new_email": "new@example.com", "current_password": PASSWORD});
    // The first in an hour also begins the counts of mails.
    pool.asked_for_email(&session, "new@example.com").await;
    let ask = pool.as_bearer(&session.access_token, "POST", "/me/email", body);
    // Who asks; the password and the count of guesses; its end; whether the address is free and an older change final; how
    // often either address was mailed; the challenge and the mail.
    let expected: [&[&str]; 7] = [
        &["GetItem", "GetItem"],
        &["GetItem", "UpdateItem"],
        &["DeleteItem"],
        &["GetItem", "GetItem"],
        &["UpdateItem"],
        &["UpdateItem"],
        &["TransactWriteItems"],
    ];
    pool.proxy().in_round_trips(&expected, ask).await.assert_status(202);
    let link = pool.link("new@example.com").await;
    let confirm = pool.post("/email/confirm", json!({"user_id": link.user, "token": link.token}));
    // The challenge; the profile and the claim; the change; the end of what was guessed.
    let expected: [&[&str]; 4] = [&["GetItem"], &["GetItem", "GetItem"], &["TransactWriteItems"], &["DeleteItem"]];
    pool.proxy().in_round_trips(&expected, confirm).await.assert_status(200);
}

#[tokio::test]
async fn a_deletion_waits_as_often_as_it_must() {
    let Some((pool, session)) = signed_in().await else { return };
    let body = json!({"current_password": PASSWORD});
    let delete = pool.as_bearer(&session.access_token, "DELETE", "/me", body);
    // Who asks; the password, the count of guesses, and whether a change of address can be undone; the end of the count; the
    // plan.
    let expected: [&[&str]; 4] =
        [&["GetItem", "GetItem"], &["GetItem", "GetItem", "UpdateItem"], &["DeleteItem"], &["TransactWriteItems"]];
    pool.proxy().in_round_trips(&expected, delete).await.assert_status(202);
    let link = pool.link(EMAIL).await;
    let keep = pool.post("/account/keep", json!({"user_id": link.user, "token": link.token}));
    pool.proxy().in_round_trips(&[&["GetItem"], &["GetItem"], &["TransactWriteItems"]], keep).await.assert_status(200);
}

#[tokio::test]
async fn another_password_and_a_list_of_sessions_wait_as_often_as_they_must() {
    let Some((pool, session)) = signed_in().await else { return };
    // Who asks; the sessions.
    let list = pool.as_bearer(&session.access_token, "GET", "/me/sessions", json!({}));
    pool.proxy().in_round_trips(&[&["GetItem", "GetItem"], &["Query"]], list).await.assert_status(200);
    let body = json!({"current_password": PASSWORD, "new_password": "another horse, another staple"});
    let change = pool.as_bearer(&session.access_token, "POST", "/password/change", body);
    // Who asks; the password and the count of guesses; its end; the password, its keys and the mail.
    let expected: [&[&str]; 4] =
        [&["GetItem", "GetItem"], &["GetItem", "UpdateItem"], &["DeleteItem"], &["TransactWriteItems"]];
    pool.proxy().in_round_trips(&expected, change).await.assert_status(200);
}

#[tokio::test]
async fn erasing_an_account_waits_seven_times_and_five_more_for_a_look_that_finds_nothing() {
    let Some((pool, session)) = signed_in().await else { return };
    pool.asked_to_be_deleted(&session).await;
    pool.pass(Duration::from_hours(7 * 24));
    // What is due; the profile; the address it had; its end; what is left, the count of guesses among it.
    let expected: [&[&str]; 7] = [
        &["Query"],
        &["GetItem"],
        &["GetItem"],
        &["TransactWriteItems"],
        &["Query"],
        &["BatchWriteItem"],
        &["DeleteItem"],
    ];
    pool.proxy().in_round_trips(&expected, pool.local().erase_accounts()).await.unwrap();
    // What is due; no profile; nothing else; the count, and the deletion itself.
    let expected: [&[&str]; 5] = [&["Query"], &["GetItem"], &["Query"], &["DeleteItem"], &["DeleteItem"]];
    let erased = pool.proxy().in_round_trips(&expected, pool.local().erase_accounts()).await.unwrap();
    assert_eq!(erased["erased"], 1);
}

#[tokio::test]
async fn a_sign_in_waits_three_times() {
    let Some((pool, _)) = signed_in().await else { return };
    // The claim; the account and the count of guesses; the session and the end of the count.
    let expected: [&[&str]; 3] = [&["GetItem"], &["Query", "UpdateItem"], &["PutItem", "DeleteItem"]];
    pool.proxy().in_round_trips(&expected, pool.login(EMAIL)).await.assert_status(200);
}

#[tokio::test]
async fn a_sign_in_to_a_cold_function_waits_three_times_too() {
    let Some(pool) = Pool::with([Need::Inside, Need::Mailbox]).await else { return };
    pool.verified(EMAIL).await;
    // The settings, which were read for the mail, are read anew after a minute: beside the claim.
    pool.pass(Duration::from_mins(1));
    let expected: [&[&str]; 3] = [&["GetItem", "GetItem"], &["Query", "UpdateItem"], &["PutItem", "DeleteItem"]];
    pool.proxy().in_round_trips(&expected, pool.login(EMAIL)).await.assert_status(200);
}

#[tokio::test]
async fn a_refresh_waits_once() {
    let Some((pool, session)) = signed_in().await else { return };
    // The rotation and the account.
    let work = pool.refresh(&session.refresh_token);
    pool.proxy().in_round_trips(&[&["UpdateItem", "Query"]], work).await.assert_status(200);
}

#[tokio::test]
async fn me_and_the_authorizer_wait_once() {
    let Some((pool, session)) = signed_in().await else { return };
    // The profile and the session.
    let expected: [&[&str]; 1] = [&["GetItem", "GetItem"]];
    pool.proxy().in_round_trips(&expected, pool.me(&session.access_token)).await.assert_status(200);

    let event = json!({"headers": {"authorization": format!("Bearer {}", session.access_token)}});
    let work = authorizer::handle(pool.local().app(), event);
    let answer = pool.proxy().in_round_trips(&expected, work).await.unwrap();
    assert_eq!(answer["isAuthorized"], true);
}

#[tokio::test]
async fn a_sign_out_and_a_key_set_wait_once() {
    let Some((pool, session)) = signed_in().await else { return };
    let claims: serde_json::Value = jsonwebtoken::dangerous::insecure_decode_claims(&session.access_token).unwrap();
    let key_set = format!("/{}/users/{}/.well-known/jwks.json", pool.id(), claims["sub"].as_str().unwrap());
    pool.proxy().in_round_trips(&[&["GetItem"]], pool.get(&key_set)).await.assert_status(200);
    let work = pool.logout(&session.refresh_token);
    pool.proxy().in_round_trips(&[&["DeleteItem"]], work).await.assert_status(200);
}

#[tokio::test]
async fn handing_a_mail_over_waits_three_times() {
    let Some(pool) = Pool::with([Need::Inside]).await else { return };
    pool.register(EMAIL).await.assert_status(201);
    let items = pool.items().await;
    let mail = items.iter().find(|item| item["item_type"] == "mail").expect("a registration writes a mail");
    let event = json!({"Records": [{"dynamodb": {"Keys": {"pk": {"S": mail["pk"]}}}}]});
    // What is due in the shard; the lease; forgetting the mail that SES took.
    let work = send_mail::handle(pool.local().app(), event);
    let expected: [&[&str]; 3] = [&["Query"], &["UpdateItem"], &["DeleteItem"]];
    let answer = pool.proxy().in_round_trips(&expected, work).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(pool.local().mailbox().mails().len(), 1);
}
