//! Messages of the AWS Encryption SDK: the form in which a custom sender is handed a code.
//!
//! Cognito gives codes to its custom senders in this format, under a key of KMS, and they open them with that library.
//! The one for Rust is heavier than a whole function may be, and we need little of it: we write, one key and one frame.
//!
//! The specification is <https://github.com/awslabs/aws-encryption-sdk-specification>; comments name its documents. The
//! suite is 0478, `ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY` (framework/algorithm-suites.md), which readers of the
//! strictest commitment policy open. It has no signature: that would only keep who may decrypt from writing messages.

use std::collections::BTreeMap;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use hkdf::Hkdf;
use sha2::Sha512;
use zeroize::Zeroizing;

const VERSION: u8 = 2;
const SUITE: [u8; 2] = [0x04, 0x78];
const FRAMED: u8 = 2;
// What the libraries of AWS write by default (client-apis/encrypt.md, "Frame Length"). No code comes near it.
const FRAME_BYTES: u32 = 4_096;
const ONLY_FRAME: u32 = 1;
const FINAL_FRAME: &[u8] = b"AWSKMSEncryptionClient Final Frame";
// The library keeps these names of an encryption context to itself (client-apis/encrypt.md, "Encryption Context").
const RESERVED: &str = "aws-crypto-";

/// The plaintext is longer than a frame, another part than its field can say, or a name in the context is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this does not make a message of the AWS Encryption SDK")]
pub struct Unsealable;

/// What `GenerateDataKey` of KMS answers. It seals one message, and does not print itself.
pub struct DataKey {
    plaintext: Zeroizing<[u8; 32]>,
    wrapped: Vec<u8>,
    key_arn: String,
}

impl DataKey {
    /// Takes the data key, if it has 32 bytes, the same as KMS encrypted it, and the ARN of the key that did. A reader
    /// compares that ARN with its own, so an alias or an id will not do.
    #[must_use]
    pub fn from_kms(plaintext: &[u8], wrapped: Vec<u8>, key_arn: String) -> Option<Self> {
        let plaintext = Zeroizing::new(plaintext.try_into().ok()?);
        Some(Self { plaintext, wrapped, key_arn })
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

/// Seals `plaintext` into a message. The encryption context has to be the one that `GenerateDataKey` was given: a
/// reader takes it from the message and tells it to KMS, which decrypts the data key under no other.
///
/// # Errors
/// [`Unsealable`], where the format has no place for it.
///
/// # Panics
/// Where the operating system cannot give random bytes.
pub fn seal(plaintext: &[u8], data_key: &DataKey, context: &BTreeMap<String, String>) -> Result<Vec<u8>, Unsealable> {
    seal_as(&crate::random(), plaintext, data_key, context)
}

fn seal_as(
    message_id: &[u8; 32],
    plaintext: &[u8],
    data_key: &DataKey,
    context: &BTreeMap<String, String>,
) -> Result<Vec<u8>, Unsealable> {
    let length = u32::try_from(plaintext.len()).map_err(|_| Unsealable)?;
    if length > FRAME_BYTES || context.keys().any(|name| name.starts_with(RESERVED)) {
        return Err(Unsealable);
    }
    // framework/transitive-requirements.md: both keys come from one extraction, whose salt is the message id.
    let derivation = Hkdf::<Sha512>::new(Some(message_id), data_key.plaintext.as_slice());
    let derive = |info: &[&[u8]]| {
        let mut key = Zeroizing::new([0; 32]);
        derivation.expand_multi_info(info, key.as_mut()).expect("HKDF-SHA-512 gives 32 bytes");
        key
    };
    let (key, commitment) = (derive(&[&SUITE, b"DERIVEKEY"]), derive(&[b"COMMITKEY"]));
    let cipher = Aes256Gcm::new((&*key).into());
    // The key is of this message alone, so a counter is nonce enough: 0 for the header, then the number of the frame.
    let encrypt = |counter: u32, msg: &[u8], aad: &[u8]| {
        let mut nonce = [0; 12];
        nonce[8..].copy_from_slice(&counter.to_be_bytes());
        let sealed = cipher.encrypt(&nonce.into(), Payload { msg, aad }).expect("AES-GCM seals what fits into memory");
        (nonce, sealed)
    };

    // data-format/message-header.md, "Header Body Version 2.0". What authenticates it is the tag of an empty plaintext.
    let mut message = [&[VERSION], SUITE.as_slice(), message_id].concat();
    put(&mut message, &serialize(context)?)?;
    message.extend(1_u16.to_be_bytes());
    for part in [b"aws-kms", data_key.key_arn.as_bytes(), &data_key.wrapped] {
        put(&mut message, part)?;
    }
    message.push(FRAMED);
    message.extend(FRAME_BYTES.to_be_bytes());
    message.extend(commitment.as_slice());
    let (_, header_tag) = encrypt(0, &[], &message);
    message.extend(header_tag);

    // data-format/message-body-aad.md, whose "16 bytes" of message id are 32 in this version, and message-body.md,
    // "Final Frame": the ciphertext is followed by its tag, as the cipher gives them.
    let associated = [message_id, FINAL_FRAME, &ONLY_FRAME.to_be_bytes(), &u64::from(length).to_be_bytes()].concat();
    let (nonce, sealed) = encrypt(ONLY_FRAME, plaintext, &associated);
    message.extend(u32::MAX.to_be_bytes());
    message.extend(ONLY_FRAME.to_be_bytes());
    message.extend(nonce);
    message.extend(length.to_be_bytes());
    message.extend(sealed);
    Ok(message)
}

/// An encryption context as framework/structures.md serializes it: nothing if it is empty, else its entries, sorted by
/// the bytes of their names, which is how the map has them.
fn serialize(context: &BTreeMap<String, String>) -> Result<Vec<u8>, Unsealable> {
    if context.is_empty() {
        return Ok(Vec::new());
    }
    let mut bytes = u16::try_from(context.len()).map_err(|_| Unsealable)?.to_be_bytes().to_vec();
    for (name, value) in context {
        put(&mut bytes, name.as_bytes())?;
        put(&mut bytes, value.as_bytes())?;
    }
    Ok(bytes)
}

/// Appends a field after its length in 2 big-endian bytes.
fn put(message: &mut Vec<u8>, field: &[u8]) -> Result<(), Unsealable> {
    message.extend(u16::try_from(field.len()).map_err(|_| Unsealable)?.to_be_bytes());
    message.extend(field);
    Ok(())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[derive(serde::Deserialize)]
    struct Vector {
        message_id: String,
        data_key: String,
        wrapped: String,
        key_arn: String,
        encryption_context: BTreeMap<String, String>,
        plaintext: String,
        message: String,
    }

    fn sealed(plaintext: &[u8], name: &str) -> Result<Vec<u8>, Unsealable> {
        let key = DataKey::from_kms(&[7; 32], vec![8; 184], "arn:aws:kms:eu-west-1:111122223333:key/k".to_owned());
        seal(plaintext, &key.unwrap(), &[(name.to_owned(), "eu-west-1_Test".to_owned())].into())
    }

    #[test]
    fn the_bytes_are_those_of_the_library_of_aws() {
        let vectors = include_str!("../vectors/encryption_sdk_message.json");
        for vector in serde_json::from_str::<Vec<Vector>>(vectors).unwrap() {
            let decode = |text| STANDARD.decode(text).unwrap();
            let key = DataKey::from_kms(&decode(vector.data_key), decode(vector.wrapped), vector.key_arn).unwrap();
            let message_id = decode(vector.message_id).try_into().unwrap();
            let message = seal_as(&message_id, vector.plaintext.as_bytes(), &key, &vector.encryption_context).unwrap();
            assert_eq!(STANDARD.encode(message), vector.message, "{}", vector.plaintext);
        }
    }

    #[test]
    fn two_messages_differ_even_under_one_data_key() {
        let [one, two] = [(); 2].map(|()| sealed(b"123456", "userpool-id").unwrap());
        assert_eq!((one.len(), &one[..3]), (two.len(), &two[..3]));
        assert_ne!(one[3..35], two[3..35]);
        assert_ne!(one[one.len() - 22..], two[two.len() - 22..]);
    }

    #[test]
    fn what_does_not_fit_and_reserved_names_are_refused() {
        assert!(sealed(&[0; 4_096], "userpool-id").is_ok());
        assert_eq!(sealed(&[0; 4_097], "userpool-id"), Err(Unsealable));
        assert_eq!(sealed(b"", &"n".repeat(65_536)), Err(Unsealable));
        assert_eq!(sealed(b"", &"n".repeat(65_535)), Err(Unsealable));
        assert_eq!(sealed(b"", "aws-crypto-public-key"), Err(Unsealable));
    }

    #[test]
    fn a_data_key_has_32_bytes_and_does_not_print_itself() {
        let [short, key] = [16, 32].map(|length| DataKey::from_kms(&vec![7; length], Vec::new(), String::new()));
        assert!(short.is_none());
        assert_eq!(format!("{key:?}"), "Some(DataKey(..))");
    }
}
