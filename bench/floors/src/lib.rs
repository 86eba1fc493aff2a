//! What the cryptography is measured on, here and by `cargo bench`.

use freehold_crypto::jwt::AccessTokenClaims;

/// A password as people have them.
pub const PASSWORD: &[u8] = b"correct horse battery staple";
/// A salt, where none is drawn.
pub const SALT: &[u8] = b"sixteen bytes...";
/// A user's id.
pub const USER_ID: &str = "0199a3f0-7c1e-7b52-9d64-3f1c2a5b8e07";
/// What a private key is sealed for.
pub const SEALED_FOR: &str = "freehold/v1|us-east-1_Freehold1|private-key|0199a3f0-7c1e-7b52-9d64-3f1c2a5b8e07";

/// The claims of an access token of that user.
#[must_use]
pub fn access_token() -> AccessTokenClaims {
    AccessTokenClaims {
        iss: format!("https://auth.example.com/us-east-1_Freehold1/users/{USER_ID}"),
        sub: USER_ID.to_owned(),
        aud: "https://auth.example.com".to_owned(),
        client_id: "us-east-1_Freehold1".to_owned(),
        iat: 1_793_611_800,
        exp: 1_793_612_700,
        jti: USER_ID.to_owned(),
        sid: USER_ID.to_owned(),
        auth_time: 1_793_611_800,
        amr: vec!["pwd".to_owned()],
        roles: Some(vec!["user".to_owned()]),
        scope: None,
        added: serde_json::Map::new(),
    }
}
