//! What the owner's function before tokens may change of an access token, and what it may not: Cognito's rules ("Pre token
//! generation Lambda trigger" in its developer guide), for the one token that is handed out here.

use std::collections::{BTreeMap, BTreeSet};

use freehold_crypto::jwt::AccessTokenClaims;
use serde_json::Value;

/// Claims that a verifier relies on, or that say how the user signed in. As in Cognito they stay as they are, whatever a
/// function says of them.
const UNTOUCHABLE: [&str; 24] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "client_id",
    "cnf",
    "device_key",
    "event_id",
    "exp",
    "iat",
    "identities",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "origin_jti",
    "sid",
    "sub",
    "token_use",
    "typ",
    "username",
    "version",
];
/// What the names of Cognito's own claims begin with. They are changed as groups, and in no other way.
const COGNITO: &str = "cognito:";
const ROLES: &str = "roles";
const SCOPE: &str = "scope";
/// What Cognito calls them.
const GROUPS: &str = "cognito:groups";
const GROUP_ROLES: &str = "cognito:roles";
const PREFERRED_ROLE: &str = "cognito:preferred_role";
/// The most that claims may add: a token travels in a header, and whoever verifies one takes no more than 8 KiB.
const MAX_ADDED_BYTES: usize = 4 * 1024;

/// What is to be different about an access token.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TokenCustomization {
    /// Claims that are added, or put in the place of others.
    pub added: BTreeMap<String, Value>,
    /// Claims that are left out. What is added and left out is left out.
    pub suppressed: BTreeSet<String>,
    /// What groups the user is in, where that is to be different.
    pub groups: Option<GroupOverride>,
    /// Scopes that are added.
    pub added_scopes: Vec<String>,
    /// Scopes that are left out.
    pub suppressed_scopes: BTreeSet<String>,
}

/// Groups, and the IAM roles that they give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupOverride {
    /// The groups.
    pub groups: Vec<String>,
    /// Their IAM roles, as the claim `cognito:roles`.
    pub iam_roles: Vec<String>,
    /// The one of them that counts, as the claim `cognito:preferred_role`.
    pub preferred_role: Option<String>,
}

impl TokenCustomization {
    /// Whether a token can carry it.
    #[must_use]
    pub fn fits(&self) -> bool {
        let Self { added, groups, added_scopes, .. } = self;
        let groups = groups.as_ref().map(|groups| (&groups.groups, &groups.iam_roles, &groups.preferred_role));
        serde_json::to_string(&(added, groups, added_scopes)).is_ok_and(|text| text.len() <= MAX_ADDED_BYTES)
    }

    /// The claims as they are with the changes.
    #[must_use]
    pub fn apply(self, mut claims: AccessTokenClaims) -> AccessTokenClaims {
        let Self { added, suppressed, groups, added_scopes, suppressed_scopes } = self;
        claims.added.extend(added.into_iter().filter(|(name, _)| is_free(name)));
        if let Some(GroupOverride { groups, iam_roles, preferred_role }) = groups {
            claims.roles = (!groups.is_empty()).then_some(groups);
            if !iam_roles.is_empty() {
                claims.added.insert(GROUP_ROLES.to_owned(), iam_roles.into());
            }
            claims.added.extend(preferred_role.map(|role| (PREFERRED_ROLE.to_owned(), role.into())));
        }
        claims.added.retain(|name, _| !suppressed.contains(name));
        if suppressed.contains(ROLES) || suppressed.contains(GROUPS) {
            claims.roles = None;
            claims.added.retain(|name, _| !name.starts_with(COGNITO));
        }
        let mut scopes: Vec<String> = Vec::new();
        for scope in added_scopes {
            if is_scope(&scope) && !suppressed_scopes.contains(&scope) && !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
        claims.scope = (!scopes.is_empty()).then(|| scopes.join(" "));
        claims
    }
}

fn is_free(name: &str) -> bool {
    !UNTOUCHABLE.contains(&name) && ![ROLES, SCOPE, ""].contains(&name) && !name.starts_with(COGNITO)
}

/// RFC 6749, section 3.3: printable ASCII without space, quotation mark and backslash.
fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> AccessTokenClaims {
        let text = || "as it was".to_owned();
        AccessTokenClaims {
            iss: text(),
            sub: text(),
            aud: text(),
            client_id: text(),
            iat: 1,
            exp: 2,
            jti: text(),
            sid: text(),
            auth_time: 1,
            amr: vec![text()],
            roles: Some(vec![text()]),
            scope: Some(text()),
            added: serde_json::Map::new(),
        }
    }

    /// A claim that stood twice in a token would be read by some verifiers the one way and by some the other.
    #[test]
    fn no_claim_that_the_pool_writes_can_be_added() {
        let Ok(Value::Object(names)) = serde_json::to_value(claims()) else { panic!("claims are an object") };
        assert_eq!(names.len(), 12);
        for name in names.keys() {
            assert!(!is_free(name), "{name}");
        }
    }

    #[test]
    fn what_is_added_counts_with_groups_and_scopes_against_the_bound() {
        let long = "x".repeat(MAX_ADDED_BYTES);
        let added = TokenCustomization {
            added: BTreeMap::from([("a".to_owned(), Value::from(long.clone()))]),
            ..TokenCustomization::default()
        };
        let groups = GroupOverride { groups: vec![long.clone()], ..GroupOverride::default() };
        let groups = TokenCustomization { groups: Some(groups), ..TokenCustomization::default() };
        let scopes = TokenCustomization { added_scopes: vec![long], ..TokenCustomization::default() };
        let many = GroupOverride { groups: vec![String::new(); MAX_ADDED_BYTES / 3], ..GroupOverride::default() };
        let many = TokenCustomization { groups: Some(many), ..TokenCustomization::default() };
        for customization in [added, groups, scopes, many] {
            assert!(!customization.fits());
        }
        assert!(TokenCustomization::default().fits());
    }
}
