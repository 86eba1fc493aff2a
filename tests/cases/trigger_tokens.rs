//! `PreTokenGeneration`: what the owner's function may change of an access token, and what it may not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tests::{Answer, PASSWORD, Pool, Reply, SignedIn, Triggers, claims};
use tokio::sync::Notify;

const SIGN_IN: &str = "TokenGeneration_Authentication";
const REFRESH: &str = "TokenGeneration_RefreshTokens";
const FIRST: &str = "PreTokenGeneration";
const SECOND: &str = "PreTokenGeneration:V2_0";

/// A pool with Ann in it, and a function of a version that always says the same.
async fn saying(version: &'static str, details: Value) -> Option<(Triggers, Pool)> {
    let triggers = Triggers::start().await;
    triggers.answer(version, details);
    let pool = Pool::with_triggers(&triggers, [version]).await?;
    pool.verified("ann@example.com").await;
    Some((triggers, pool))
}

fn first(details: &Value) -> Value {
    json!({ "claimsOverrideDetails": details })
}

fn second(details: &Value) -> Value {
    json!({ "claimsAndScopeOverrideDetails": details })
}

fn access(token: &Value) -> Value {
    second(&json!({ "accessTokenGeneration": token }))
}

async fn signed_in_claims(pool: &Pool) -> Value {
    let SignedIn { access_token, .. } = pool.signed_in("ann@example.com").await;
    // Whatever a function said of it, the pool takes its own token.
    pool.me(&access_token).await.assert_status(200);
    claims(&access_token)
}

#[tokio::test]
async fn claims_are_added_at_sign_in_and_at_every_refresh() {
    let Some((triggers, pool)) = saying(FIRST, first(&json!({"claimsToAddOrOverride": {"tier": "gold"}}))).await else {
        return;
    };
    let session = pool.signed_in("ann@example.com").await;
    assert_eq!(claims(&session.access_token)["tier"], "gold");
    triggers.answer(FIRST, first(&json!({"claimsToAddOrOverride": {"tier": "silver"}})));
    let refreshed = pool.refresh(&session.refresh_token).await;
    assert_eq!(claims(&refreshed.text("access_token"))["tier"], "silver");
    assert_eq!(triggers.sources(), [SIGN_IN, REFRESH]);
}

#[tokio::test]
async fn the_token_after_a_change_of_the_password_is_asked_about_too() {
    let Some((_triggers, pool)) = saying(FIRST, first(&json!({"claimsToAddOrOverride": {"tier": "gold"}}))).await
    else {
        return;
    };
    let session = pool.signed_in("ann@example.com").await;
    let change = json!({"current_password": PASSWORD, "new_password": "another horse battery staple"});
    let answer = pool.as_bearer(&session.access_token, "POST", "/password/change", change).await;
    assert_eq!(claims(&answer.text("access_token"))["tier"], "gold");
}

#[tokio::test]
async fn a_function_that_says_nothing_changes_nothing() {
    for (version, response) in [
        (FIRST, json!({})),
        (FIRST, first(&Value::Null)),
        (FIRST, first(&json!({"claimsToAddOrOverride": null, "claimsToSuppress": null}))),
        (SECOND, json!({})),
        (SECOND, second(&Value::Null)),
        (SECOND, second(&json!({"idTokenGeneration": {"claimsToAddOrOverride": {"tier": "gold"}}}))),
    ] {
        let Some((_triggers, pool)) = saying(version, response).await else { return };
        let claims = signed_in_claims(&pool).await;
        assert_eq!(claims["roles"], json!(["user"]));
        let mut names: Vec<&String> = claims.as_object().unwrap().keys().collect();
        names.sort();
        let usual = ["amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "roles", "sid", "sub"];
        assert_eq!(names, usual);
    }
}

#[tokio::test]
async fn claims_that_verifiers_rely_on_stay_as_they_are() {
    let untouchable = [
        "iss",
        "sub",
        "aud",
        "client_id",
        "iat",
        "exp",
        "nbf",
        "jti",
        "sid",
        "auth_time",
        "amr",
        "acr",
        "azp",
        "at_hash",
        "nonce",
        "origin_jti",
        "token_use",
        "username",
        "event_id",
        "device_key",
        "version",
        "identities",
        "cnf",
        "typ",
        "roles",
        "scope",
        "cognito:groups",
        "cognito:username",
        "cognito:anything",
        "",
    ];
    let forged: Value = untouchable.map(|name| (name.to_owned(), json!("forged"))).into_iter().collect();
    let names = json!(["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "sid", "auth_time", "amr"]);
    for (version, response) in [
        (FIRST, first(&json!({"claimsToAddOrOverride": forged, "claimsToSuppress": names}))),
        (SECOND, access(&json!({"claimsToAddOrOverride": forged, "claimsToSuppress": names}))),
    ] {
        let Some((_triggers, pool)) = saying(version, response).await else { return };
        let claims = signed_in_claims(&pool).await;
        assert!(!claims.to_string().contains("forged"), "{claims}");
        assert_eq!((&claims["amr"], &claims["roles"]), (&json!(["pwd"]), &json!(["user"])));
    }
}

#[tokio::test]
async fn what_is_added_and_suppressed_is_suppressed() {
    let both = json!({"claimsToAddOrOverride": {"tier": "gold", "plan": "a"}, "claimsToSuppress": ["tier"]});
    for (version, response) in [(FIRST, first(&both)), (SECOND, access(&both))] {
        let Some((_triggers, pool)) = saying(version, response).await else { return };
        let claims = signed_in_claims(&pool).await;
        assert_eq!((claims.get("tier"), &claims["plan"]), (None, &json!("a")));
    }
}

#[tokio::test]
async fn claims_are_texts_in_the_first_version_and_anything_in_the_second() {
    let values = json!({"n": 1, "list": ["a"], "map": {"a": [1, null]}, "yes": true, "text": "t"});
    let Some((_triggers, pool)) = saying(SECOND, access(&json!({"claimsToAddOrOverride": values}))).await else {
        return;
    };
    let claims = signed_in_claims(&pool).await;
    for name in ["n", "list", "map", "yes", "text"] {
        assert_eq!(claims[name], values[name], "{name}");
    }
    let Some((_triggers, pool)) = saying(FIRST, first(&json!({"claimsToAddOrOverride": {"n": 1}}))).await else {
        return;
    };
    pool.login("ann@example.com").await.assert_problem(502, "trigger_failed");
}

#[tokio::test]
async fn groups_take_the_place_of_the_roles() {
    let groups =
        json!({"groupsToOverride": ["Admins", "é"], "iamRolesToOverride": ["arn:a"], "preferredRole": "arn:a"});
    for (version, response) in [
        (FIRST, first(&json!({"groupOverrideDetails": groups}))),
        (SECOND, second(&json!({"groupOverrideDetails": groups}))),
    ] {
        let Some((triggers, pool)) = saying(version, response).await else { return };
        let claims = signed_in_claims(&pool).await;
        assert_eq!(claims["roles"], json!(["Admins", "é"]));
        assert_eq!((&claims["cognito:roles"], &claims["cognito:preferred_role"]), (&json!(["arn:a"]), &json!("arn:a")));
        let configuration = json!({"groupsToOverride": ["user"], "iamRolesToOverride": [], "preferredRole": null});
        assert_eq!(triggers.event(SIGN_IN)["request"]["groupConfiguration"], configuration);
    }
}

#[tokio::test]
async fn groups_that_are_suppressed_or_overridden_by_none_are_no_claim() {
    let empty = json!({"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": null});
    for details in [
        json!({"claimsToSuppress": ["cognito:groups"], "groupOverrideDetails": {"iamRolesToOverride": ["arn:a"]}}),
        json!({"claimsToSuppress": ["roles"]}),
        json!({"groupOverrideDetails": empty}),
        json!({"groupOverrideDetails": {}}),
        json!({"groupOverrideDetails": null}),
    ] {
        let Some((_triggers, pool)) = saying(FIRST, first(&details)).await else { return };
        let claims = signed_in_claims(&pool).await;
        assert_eq!((claims.get("roles"), claims.get("cognito:roles")), (None, None), "{details}");
    }
}

#[tokio::test]
async fn scopes_are_what_is_added_and_not_suppressed() {
    let token =
        json!({"scopesToAdd": ["read", "write", "read", "two words", "a\"b", ""], "scopesToSuppress": ["write"]});
    for version in [SECOND, "PreTokenGeneration:V3_0"] {
        let Some((triggers, pool)) = saying(version, access(&token)).await else { return };
        assert_eq!(signed_in_claims(&pool).await["scope"], "read");
        assert_eq!(triggers.event(SIGN_IN)["request"]["scopes"], json!([]));
    }
}

#[tokio::test]
async fn a_function_that_refuses_at_a_refresh_costs_nobody_the_session() {
    let Some((triggers, pool)) = saying(FIRST, json!({})).await else { return };
    let session = pool.signed_in("ann@example.com").await;
    triggers.on(FIRST, |_| Reply::Throws("Closed"));
    for _ in 0..6 {
        let refused = pool.refresh(&session.refresh_token).await;
        refused.assert_problem(400, "trigger_refused");
        assert_eq!(refused.text("detail"), "PreTokenGeneration failed with error Closed.");
        assert!(refused.session_cookie().is_none());
        pool.pass(std::time::Duration::from_mins(1));
    }
    triggers.answer(FIRST, json!({}));
    pool.refresh(&session.refresh_token).await.assert_status(200);
}

#[tokio::test]
async fn a_function_that_adds_too_much_at_a_refresh_costs_nobody_the_session() {
    let Some((triggers, pool)) = saying(FIRST, json!({})).await else { return };
    let session = pool.signed_in("ann@example.com").await;
    let groups = json!({"groupsToOverride": vec![""; 2_000]});
    triggers.answer(FIRST, first(&json!({ "groupOverrideDetails": groups })));
    for _ in 0..6 {
        pool.refresh(&session.refresh_token).await.assert_problem(502, "trigger_failed");
        pool.pass(std::time::Duration::from_mins(1));
    }
    triggers.answer(FIRST, json!({}));
    pool.refresh(&session.refresh_token).await.assert_status(200);
}

/// Refreshes with a function that is slow, and does something meanwhile.
async fn refreshed_slowly<T>(
    triggers: &Triggers,
    pool: &Pool,
    refresh_token: &str,
    meanwhile: impl Future<Output = T>,
) -> (Answer, T) {
    triggers.forget();
    let told = Arc::new(Notify::new());
    let (first_time, waits_for) = (AtomicBool::new(true), Arc::clone(&told));
    triggers.on(FIRST, move |_| {
        if first_time.swap(false, Ordering::SeqCst) {
            Reply::ResponseAfter(Arc::clone(&waits_for), json!({}))
        } else {
            Reply::Response(json!({}))
        }
    });
    let meanwhile = async {
        while triggers.sources().is_empty() {
            tokio::task::yield_now().await;
        }
        let done = meanwhile.await;
        told.notify_one();
        done
    };
    futures::future::join(pool.refresh(refresh_token), meanwhile).await
}

#[tokio::test]
async fn a_refresh_that_others_overtake_twice_while_a_function_is_asked_is_no_theft() {
    let Some((triggers, pool)) = saying(FIRST, json!({})).await else { return };
    let session = pool.signed_in("ann@example.com").await;
    let others = async {
        let next = pool.refresh(&session.refresh_token).await.session_cookie().unwrap().0;
        pool.refresh(&next).await.session_cookie().unwrap().0
    };
    let (overtaken, newest) = refreshed_slowly(&triggers, &pool, &session.refresh_token, others).await;
    overtaken.assert_status(200);
    assert!(overtaken.session_cookie().is_none());
    pool.refresh(&newest).await.assert_status(200);
    // Presented again it is one too many.
    pool.refresh(&session.refresh_token).await.assert_problem(401, "invalid_refresh_token");
}

#[tokio::test]
async fn a_retry_that_overtakes_a_slow_function_keeps_what_it_was_given() {
    let Some((triggers, pool)) = saying(FIRST, json!({})).await else { return };
    let session = pool.signed_in("ann@example.com").await;
    let retry = async {
        let next = pool.refresh(&session.refresh_token).await.session_cookie().unwrap().0;
        pool.pass(std::time::Duration::from_secs(12));
        next
    };
    let (overtaken, next) = refreshed_slowly(&triggers, &pool, &session.refresh_token, retry).await;
    overtaken.assert_status(200);
    assert!(overtaken.session_cookie().is_none());
    pool.refresh(&next).await.assert_status(200);
}

#[tokio::test]
async fn a_function_that_refuses_at_a_sign_in_leaves_no_session() {
    let Some((triggers, pool)) = saying(FIRST, json!({})).await else { return };
    triggers.on(FIRST, |_| Reply::Throws("Closed"));
    pool.login("ann@example.com").await.assert_problem(400, "trigger_refused");
    assert!(pool.items().await.iter().all(|item| item["item_type"] != "session"));
}

#[tokio::test]
async fn a_stolen_refresh_token_ends_its_session_and_no_function_is_asked() {
    let Some((triggers, pool)) = saying(FIRST, json!({})).await else { return };
    let session = pool.signed_in("ann@example.com").await;
    let next = pool.refresh(&session.refresh_token).await.session_cookie().unwrap().0;
    let next = pool.refresh(&next).await.session_cookie().unwrap().0;
    triggers.forget();
    pool.refresh(&session.refresh_token).await.assert_problem(401, "invalid_refresh_token");
    pool.refresh(&next).await.assert_problem(401, "invalid_refresh_token");
    pool.refresh("fh_rt_junk").await.assert_problem(401, "invalid_refresh_token");
    assert!(triggers.sources().is_empty());
}

#[tokio::test]
async fn parallel_refreshes_with_a_function_sign_nobody_out() {
    let Some((_triggers, pool)) = saying(FIRST, first(&json!({"claimsToAddOrOverride": {"tier": "gold"}}))).await
    else {
        return;
    };
    let session = pool.signed_in("ann@example.com").await;
    let answers = futures::future::join_all((0..10).map(|_| pool.refresh(&session.refresh_token))).await;
    for answer in answers {
        answer.assert_status(200);
        assert_eq!(claims(&answer.text("access_token"))["tier"], "gold");
    }
}

#[tokio::test]
async fn more_than_a_token_can_carry_is_refused() {
    let long = json!({"claimsToAddOrOverride": {"long": "x".repeat(5_000)}});
    let Some((_triggers, pool)) = saying(FIRST, first(&long)).await else { return };
    pool.login("ann@example.com").await.assert_problem(502, "trigger_failed");
    let fits = json!({"claimsToAddOrOverride": {"long": "x".repeat(4_000)}});
    let Some((_triggers, pool)) = saying(FIRST, first(&fits)).await else { return };
    signed_in_claims(&pool).await;
}
