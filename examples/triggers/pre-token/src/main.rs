//! `PreTokenGeneration`, version `V1_0`: the user's plan becomes the claim `tier` of the token.
//!
//! Whoever may write `custom:plan` decides the tier, so let no user change it: make it read-only in the pool's schema
//! (in Cognito: not writable for the app client).

use aws_lambda_events::cognito::CognitoEventUserPoolsPreTokenGen as PreTokenGeneration;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|event: LambdaEvent<PreTokenGeneration>| async move { Ok::<_, Error>(with_tier(event.payload)) }))
        .await
}

/// The event with its answer, which is how a trigger answers.
fn with_tier(mut event: PreTokenGeneration) -> PreTokenGeneration {
    let request = &event.request;
    let tier = request.user_attributes.get("custom:plan").map_or("free", String::as_str).to_owned();
    let groups = request.group_configuration.clone();

    let details = event.response.claims_override_details.get_or_insert_default();
    details.claims_to_add_or_override.insert("tier".to_owned(), tier);
    // This type always answers groups, and an empty list would take them all away: the user keeps what the user has.
    details.group_override_details = groups;
    event
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What is answered about a user with these attributes, who is in one group.
    fn details(attributes: &Value) -> Value {
        let event = json!({
            "version": "1",
            "triggerSource": "TokenGeneration_Authentication",
            "callerContext": { "clientId": "client" },
            "request": {
                "userAttributes": attributes,
                "groupConfiguration": {
                    "groupsToOverride": ["admins"], "iamRolesToOverride": [], "preferredRole": null
                },
            },
            "response": { "claimsOverrideDetails": null },
        });
        let mut answer = serde_json::to_value(with_tier(serde_json::from_value(event).unwrap())).unwrap();
        answer["response"]["claimsOverrideDetails"].take()
    }

    #[test]
    fn the_plan_is_the_tier() {
        assert_eq!(details(&json!({ "custom:plan": "gold" }))["claimsToAddOrOverride"], json!({ "tier": "gold" }));
    }

    #[test]
    fn without_a_plan_the_tier_is_free() {
        assert_eq!(details(&json!({}))["claimsToAddOrOverride"], json!({ "tier": "free" }));
    }

    #[test]
    fn the_groups_stay() {
        assert_eq!(details(&json!({}))["groupOverrideDetails"]["groupsToOverride"], json!(["admins"]));
    }
}
