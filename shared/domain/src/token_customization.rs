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

/// What is added is more than a token can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

impl TokenCustomization {
    /// The claims as they are with the changes.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn apply(self, mut claims: AccessTokenClaims) -> Result<AccessTokenClaims, TooLarge> {
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
        let roles = claims.roles.iter().flatten().map(String::len).sum::<usize>();
        let scope = claims.scope.as_ref().map_or(0, String::len);
        let added = serde_json::to_string(&claims.added).map_or(usize::MAX, |added| added.len());
        if added.saturating_add(roles).saturating_add(scope) > MAX_ADDED_BYTES { Err(TooLarge) } else { Ok(claims) }
    }
}

fn is_free(name: &str) -> bool {
    !UNTOUCHABLE.contains(&name) && ![ROLES, SCOPE, ""].contains(&name) && !name.starts_with(COGNITO)
}

/// RFC 6749, section 3.3: printable ASCII without space, quotation mark and backslash.
fn is_scope(scope: &str) -> bool {
    !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}
