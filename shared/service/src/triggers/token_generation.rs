use std::collections::{BTreeMap, BTreeSet};

use freehold_domain::Error;
use freehold_domain::token_customization::{GroupOverride, TokenCustomization};
use freehold_domain::trigger::{Metadata, Trigger};
use freehold_domain::user::{Role, User};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Subject, TokenGenerationVersion, with_client_metadata};
use crate::App;

/// Why a token is made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TokenOccasion {
    /// Somebody signs in.
    SignIn,
    /// A session is kept alive.
    Refresh,
}

/// The answer in the first version: claims are texts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response1 {
    claims_override_details: Option<Claims1>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Claims1 {
    claims_to_add_or_override: Option<BTreeMap<String, String>>,
    claims_to_suppress: Option<BTreeSet<String>>,
    #[serde(deserialize_with = "null_too")]
    group_override_details: Option<Groups>,
}

/// The answer in the other versions: claims of any kind, for two tokens. There is no token here that says who somebody is to
/// a client, so that what is said of that one is passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response2 {
    claims_and_scope_override_details: Option<Claims2>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Claims2 {
    access_token_generation: Option<AccessToken2>,
    #[serde(deserialize_with = "null_too")]
    group_override_details: Option<Groups>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct AccessToken2 {
    claims_to_add_or_override: Option<BTreeMap<String, Value>>,
    claims_to_suppress: Option<BTreeSet<String>>,
    scopes_to_add: Option<Vec<String>>,
    scopes_to_suppress: Option<BTreeSet<String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Groups {
    #[serde(rename = "groupsToOverride")]
    names: Option<Vec<String>>,
    #[serde(rename = "iamRolesToOverride")]
    iam_roles: Option<Vec<String>>,
    preferred_role: Option<String>,
}

/// Null is something that was said, and not the absence of it.
fn null_too<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Groups>, D::Error> {
    Option::deserialize(deserializer).map(|groups| Some(groups.unwrap_or_default()))
}

/// Asks what is to be different about the token that is made next. In the first version, which is about the token that says
/// who somebody is, it is the access token too: there is no other.
pub(crate) async fn pre_token_generation(
    app: &App,
    occasion: TokenOccasion,
    user: &User,
    client_metadata: Option<&Metadata>,
) -> Result<TokenCustomization, Error> {
    let Some(call) = app.trigger(Trigger::PreTokenGeneration)? else { return Ok(TokenCustomization::default()) };
    let source = match occasion {
        TokenOccasion::SignIn => "Authentication",
        TokenOccasion::Refresh => "RefreshTokens",
    };
    let roles: Vec<&str> = user.roles.iter().map(Role::as_str).collect();
    let mut request = json!({
        "groupConfiguration": { "groupsToOverride": roles, "iamRolesToOverride": [], "preferredRole": null },
    });
    request = with_client_metadata(request, client_metadata);
    let subject = Subject::of(user);
    let customization = match app.config.triggers.token_generation() {
        TokenGenerationVersion::V1 => {
            let response = json!({ "claimsOverrideDetails": null });
            let answer: Response1 = call.invoke(source, &subject, request, response).await?;
            answer.claims_override_details.map(Claims1::customization)
        }
        TokenGenerationVersion::V2 | TokenGenerationVersion::V3 => {
            request["scopes"] = json!([]);
            let response = json!({ "claimsAndScopeOverrideDetails": null });
            let answer: Response2 = call.invoke(source, &subject, request, response).await?;
            answer.claims_and_scope_override_details.map(Claims2::customization)
        }
    };
    let customization = customization.unwrap_or_default();
    if customization.fits() { Ok(customization) } else { Err(call.failed("it adds more than a token can carry")) }
}

impl Claims1 {
    fn customization(self) -> TokenCustomization {
        let added = self.claims_to_add_or_override.unwrap_or_default().into_iter();
        TokenCustomization {
            added: added.map(|(name, value)| (name, value.into())).collect(),
            suppressed: self.claims_to_suppress.unwrap_or_default(),
            groups: self.group_override_details.map(Groups::read),
            ..TokenCustomization::default()
        }
    }
}

impl Claims2 {
    fn customization(self) -> TokenCustomization {
        let token = self.access_token_generation.unwrap_or_default();
        TokenCustomization {
            added: token.claims_to_add_or_override.unwrap_or_default(),
            suppressed: token.claims_to_suppress.unwrap_or_default(),
            groups: self.group_override_details.map(Groups::read),
            added_scopes: token.scopes_to_add.unwrap_or_default(),
            suppressed_scopes: token.scopes_to_suppress.unwrap_or_default(),
        }
    }
}

impl Groups {
    /// As in Cognito, one that names no groups takes all of them away.
    fn read(self) -> GroupOverride {
        GroupOverride {
            groups: self.names.unwrap_or_default(),
            iam_roles: self.iam_roles.unwrap_or_default(),
            preferred_role: self.preferred_role,
        }
    }
}
