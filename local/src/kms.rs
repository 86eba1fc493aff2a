//! KMS, as far as it is called: data keys under the one key that there is, for codes that a trigger is to send.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use freehold_crypto::token::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

/// The ARN of the key.
pub(crate) const KEY_ARN: &str = "arn:aws:kms:us-east-1:000000000000:key/local";

/// The data keys that were made, by what stands for them. They end with the program, as the mail does that they are for.
#[derive(Clone, Default)]
pub(crate) struct Kms(Arc<Mutex<BTreeMap<String, DataKey>>>);

struct DataKey {
    plaintext: String,
    context: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    ciphertext_blob: Option<String>,
    #[serde(default)]
    encryption_context: BTreeMap<String, String>,
}

impl Kms {
    /// Answers an operation, or refuses it by an error's name.
    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Result<Value, &'static str> {
        let request: Request = serde_json::from_slice(body).map_err(|_| "ValidationException")?;
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (operation, request.ciphertext_blob) {
            ("GenerateDataKey", None) => {
                let [blob, plaintext] = [(); 2].map(|()| STANDARD.encode(Secret::generate().expose_bytes()));
                let context = request.encryption_context;
                keys.insert(blob.clone(), DataKey { plaintext: plaintext.clone(), context });
                Ok(json!({ "CiphertextBlob": blob, "Plaintext": plaintext, "KeyId": KEY_ARN }))
            }
            ("Decrypt", Some(blob)) => {
                let known = keys.get(&blob).filter(|key| key.context == request.encryption_context);
                let key = known.ok_or("InvalidCiphertextException")?;
                let algorithm = "SYMMETRIC_DEFAULT";
                Ok(json!({ "Plaintext": key.plaintext, "KeyId": KEY_ARN, "EncryptionAlgorithm": algorithm }))
            }
            _ => Err("UnsupportedOperationException"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_key_comes_back_under_its_own_context_alone() {
        let kms = Kms::default();
        let made = kms.answer("GenerateDataKey", br#"{"KeyId": "k", "EncryptionContext": {"a": "b"}}"#).unwrap();
        let decrypt = |context: Value| {
            let request = json!({"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": context});
            kms.answer("Decrypt", request.to_string().as_bytes())
        };
        assert_eq!(decrypt(json!({"a": "b"})).unwrap()["Plaintext"], made["Plaintext"]);
        assert_eq!(decrypt(json!({"a": "c"})), Err("InvalidCiphertextException"));
        assert_eq!(kms.answer("Encrypt", b"{}"), Err("UnsupportedOperationException"));
    }
}
