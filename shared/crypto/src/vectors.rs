//! What independent implementations made, and the constants of the RFCs, held against this crate.
#![expect(clippy::struct_field_names, reason = "the fields are named as in the file of vectors")]

use std::sync::LazyLock;

use aes_gcm::aead::KeyInit as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use rsa::pkcs1::{DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _};
use rsa::signature::Verifier as _;
use serde::Deserialize;
use sha2::Sha256;

use crate::application_secret::{ApplicationSecret, RefreshMac, SecretRing};
use crate::envelope::Envelope;
use crate::jwt::{self, AccessTokenClaims, Expected, Signer};
use crate::key_pair::{KeyPair, PrivateKeyPem, PublicKey};
use crate::password::{HashingMemory, PasswordError, PasswordHash, Verdict};

#[derive(Deserialize)]
struct Vectors {
    passwords: Vec<Password>,
    wrong_passwords: Vec<WrongPassword>,
    refused_phc: Vec<RefusedPhc>,
    envelopes: Vec<Sealed>,
    refused_envelopes: Vec<RefusedSealed>,
    key_pairs: Vec<Pair>,
    jwt_expected: JwtExpected,
    jwts: Vec<Jwt>,
    refused_jwts: Vec<RefusedJwt>,
    refresh_mac: Mac,
    hkdf: HkdfOfSecret,
    rfc: Rfc,
}

#[derive(Deserialize)]
struct Password {
    password: String,
    phc: String,
    outdated: bool,
}

#[derive(Deserialize)]
struct WrongPassword {
    password: String,
    phc: String,
}

#[derive(Deserialize)]
struct RefusedPhc {
    why: String,
    phc: String,
}

#[derive(Deserialize)]
struct Sealed {
    application_secret: String,
    associated_data: String,
    plaintext: String,
    envelope: String,
}

#[derive(Deserialize)]
struct RefusedSealed {
    why: String,
    application_secret: String,
    associated_data: String,
    envelope: String,
}

#[derive(Deserialize)]
struct Pair {
    private_pem: String,
    public_pem: String,
    thumbprint: String,
}

#[derive(Deserialize)]
struct JwtExpected {
    key: usize,
    issuer: String,
    audience: String,
    now: u64,
}

#[derive(Deserialize)]
struct Jwt {
    token: String,
    claims: AccessTokenClaims,
}

#[derive(Deserialize)]
struct RefusedJwt {
    why: String,
    token: String,
}

#[derive(Deserialize)]
struct HkdfOfSecret {
    application_secret: String,
}

#[derive(Deserialize)]
struct Mac {
    pool: String,
    prefix: String,
    locator_hex: String,
    secret_hex: String,
    mac_hex: String,
}

#[derive(Deserialize)]
struct Rfc {
    argon2id: Argon2idVector,
    jwk_thumbprint: Thumbprint,
    pbkdf2_hmac_sha256: Vec<Pbkdf2Vector>,
    hkdf_sha256: Vec<HkdfVector>,
    hmac_sha256: Vec<HmacVector>,
}

#[derive(Deserialize)]
struct Argon2idVector {
    memory: u32,
    iterations: u32,
    parallelism: u32,
    tag_length: usize,
    password_hex: String,
    salt_hex: String,
    secret_hex: String,
    associated_data_hex: String,
    tag_hex: String,
}

#[derive(Deserialize)]
struct Thumbprint {
    n: String,
    e: String,
    thumbprint: String,
}

#[derive(Deserialize)]
struct Pbkdf2Vector {
    password: String,
    salt: String,
    iterations: u32,
    length: usize,
    output_hex: String,
}

#[derive(Deserialize)]
struct HkdfVector {
    ikm_hex: String,
    salt_hex: String,
    info_hex: String,
    length: usize,
    okm_hex: String,
}

#[derive(Deserialize)]
struct HmacVector {
    key_hex: String,
    data_hex: String,
    mac_hex: String,
}

static VECTORS: LazyLock<Vectors> =
    LazyLock::new(|| serde_json::from_str(include_str!("../vectors/vectors.json")).unwrap());

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn ring(secret: &str) -> SecretRing {
    SecretRing::new(ApplicationSecret::parse(secret).unwrap(), None)
}

fn expected_of_the_vectors(subject: &str) -> Expected<'_> {
    let JwtExpected { issuer, audience, now, .. } = &VECTORS.jwt_expected;
    let client_id = &VECTORS.jwts[0].claims.client_id;
    Expected { issuer, subject, audience, client_id, now: *now }
}

fn key_of_the_vectors() -> PublicKey {
    PublicKey::from_pem(&VECTORS.key_pairs[VECTORS.jwt_expected.key].public_pem).unwrap()
}

#[test]
fn hashes_made_by_argon2_cffi_verify_and_say_whether_they_are_outdated() {
    let mut memory = HashingMemory::touched(1);
    for vector in &VECTORS.passwords {
        let stored = PasswordHash::parse(&vector.phc).unwrap();
        let verdict = memory.verify(vector.password.as_bytes(), &stored).unwrap();
        assert_eq!(verdict, Verdict::Right { outdated: vector.outdated }, "{}", vector.phc);
    }
}

#[test]
fn other_passwords_do_not_verify_against_hashes_made_by_argon2_cffi() {
    let mut memory = HashingMemory::touched(1);
    for vector in &VECTORS.wrong_passwords {
        let stored = PasswordHash::parse(&vector.phc).unwrap();
        assert_eq!(memory.verify(vector.password.as_bytes(), &stored), Ok(Verdict::Wrong), "{}", vector.phc);
    }
}

#[test]
fn hashes_that_are_malformed_or_too_costly_are_refused_before_they_are_run() {
    for vector in &VECTORS.refused_phc {
        assert!(PasswordHash::parse(&vector.phc).is_err(), "{}: {}", vector.why, vector.phc);
    }
    let too_costly =
        PasswordHash::parse("$argon2id$v=19$m=262145,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(too_costly.unwrap_err(), PasswordError::TooCostly);
}

#[test]
fn the_argon2id_vector_of_rfc_9106_holds() {
    let vector = &VECTORS.rfc.argon2id;
    let mut params = argon2::ParamsBuilder::new();
    params
        .m_cost(vector.memory)
        .t_cost(vector.iterations)
        .p_cost(vector.parallelism)
        .output_len(vector.tag_length)
        .data(argon2::AssociatedData::new(&bytes(&vector.associated_data_hex)).unwrap());
    let secret = bytes(&vector.secret_hex);
    let (algorithm, version) = (argon2::Algorithm::Argon2id, argon2::Version::V0x13);
    let argon2 = argon2::Argon2::new_with_secret(&secret, algorithm, version, params.build().unwrap()).unwrap();
    let mut tag = vec![0; vector.tag_length];
    argon2.hash_password_into(&bytes(&vector.password_hex), &bytes(&vector.salt_hex), &mut tag).unwrap();
    assert_eq!(tag, bytes(&vector.tag_hex));
}

#[test]
fn envelopes_made_by_python_cryptography_open() {
    for vector in &VECTORS.envelopes {
        let envelope = Envelope::from_stored(vector.envelope.clone());
        let opened = ring(&vector.application_secret).open(&vector.associated_data, &envelope).unwrap();
        assert_eq!(opened.as_slice(), vector.plaintext.as_bytes());
    }
}

#[test]
fn altered_moved_and_malformed_envelopes_do_not_open() {
    for vector in &VECTORS.refused_envelopes {
        let envelope = Envelope::from_stored(vector.envelope.clone());
        let opened = ring(&vector.application_secret).open(&vector.associated_data, &envelope);
        assert!(opened.is_err(), "{}", vector.why);
    }
}

#[test]
fn key_pairs_made_by_python_cryptography_are_read_and_have_the_same_thumbprint() {
    for pair in &VECTORS.key_pairs {
        let public = PublicKey::from_pem(&pair.public_pem).unwrap();
        assert_eq!(public.thumbprint(), pair.thumbprint);
        assert_eq!(public.to_pem().unwrap(), pair.public_pem);
        let private = PrivateKeyPem::from_opened(pair.private_pem.as_bytes()).unwrap();
        assert!(Signer::new(&private, &public).is_ok());
    }
}

#[test]
fn tokens_made_by_pyjwt_verify() {
    for vector in &VECTORS.jwts {
        let claims = jwt::verify(&vector.token, &key_of_the_vectors(), expected_of_the_vectors(&vector.claims.sub));
        assert_eq!(claims.as_ref(), Ok(&vector.claims));
    }
}

#[test]
fn forged_altered_and_incomplete_tokens_are_refused() {
    let subject = &VECTORS.jwts[0].claims.sub;
    for vector in &VECTORS.refused_jwts {
        let claims = jwt::verify(&vector.token, &key_of_the_vectors(), expected_of_the_vectors(subject));
        assert!(claims.is_err(), "{}", vector.why);
    }
}

#[test]
fn a_token_is_refused_from_five_seconds_after_its_end() {
    let vector = &VECTORS.jwts[0];
    let verified_at = |now| {
        let expected = Expected { now, ..expected_of_the_vectors(&vector.claims.sub) };
        jwt::verify(&vector.token, &key_of_the_vectors(), expected)
    };
    let end = vector.claims.exp;
    assert!(verified_at(end + 4).is_ok());
    assert!(verified_at(end + 5).is_err());
    assert!(verified_at(end + 30).is_err());
    assert!(verified_at(vector.claims.iat - 5).is_ok());
    assert!(verified_at(vector.claims.iat - 6).is_err());
}

#[test]
fn a_token_of_another_subject_or_client_is_refused() {
    let vector = &VECTORS.jwts[0];
    let expected = expected_of_the_vectors("01890000-0000-7000-8000-000000000000");
    assert!(jwt::verify(&vector.token, &key_of_the_vectors(), expected).is_err());
    let expected = Expected { client_id: "eu-west-1_Other", ..expected_of_the_vectors(&vector.claims.sub) };
    assert!(jwt::verify(&vector.token, &key_of_the_vectors(), expected).is_err());
}

#[test]
fn the_refresh_mac_is_the_one_that_python_computes() {
    let vector = &VECTORS.refresh_mac;
    let ring = ring(&VECTORS.hkdf.application_secret);
    let (locator, secret) = (bytes(&vector.locator_hex), bytes(&vector.secret_hex));
    let parts = [vector.pool.as_bytes(), vector.prefix.as_bytes(), &locator, &secret];
    assert_eq!(ring.refresh_mac(&parts).as_bytes()[..], bytes(&vector.mac_hex));
    let mac = RefreshMac::from_bytes(bytes(&vector.mac_hex).try_into().unwrap());
    assert!(ring.verifies_refresh_mac(&parts, mac));
}

#[test]
fn the_rsa_crate_reads_our_key_pairs_and_checks_our_signatures() {
    let pair = KeyPair::generate().unwrap();
    let private = rsa::RsaPrivateKey::from_pkcs1_pem(pair.private.expose()).unwrap();
    private.validate().unwrap();
    let public = rsa::RsaPublicKey::from_pkcs1_pem(&pair.public.to_pem().unwrap()).unwrap();
    assert_eq!(rsa::RsaPublicKey::from(&private), public);
    assert_eq!(rsa::traits::PublicKeyParts::size(&public) * 8, 2048);

    let token = Signer::new(&pair.private, &pair.public).unwrap().sign(&VECTORS.jwts[0].claims).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).unwrap();
    rsa::pkcs1v15::VerifyingKey::<rsa::sha2::Sha256>::new(public)
        .verify(message.as_bytes(), &signature[..].try_into().unwrap())
        .unwrap();
}

#[test]
fn our_own_tokens_verify() {
    let pair = KeyPair::generate().unwrap();
    let claims = &VECTORS.jwts[0].claims;
    let token = Signer::new(&pair.private, &pair.public).unwrap().sign(claims).unwrap();
    assert_eq!(jwt::verify(&token, &pair.public, expected_of_the_vectors(&claims.sub)).as_ref(), Ok(claims));
    assert!(jwt::verify(&token, &key_of_the_vectors(), expected_of_the_vectors(&claims.sub)).is_err());
}

#[test]
fn a_stored_public_key_is_the_base64_of_a_pkcs1_pem() {
    let key = key_of_the_vectors();
    let stored = key.to_stored().unwrap();
    assert_eq!(STANDARD.decode(&stored).unwrap(), VECTORS.key_pairs[VECTORS.jwt_expected.key].public_pem.as_bytes());
    assert_eq!(PublicKey::from_stored(&stored).unwrap(), key);
    assert!(PublicKey::from_stored("bm90IGEga2V5").is_err());
}

#[test]
fn the_thumbprint_of_rfc_7638_holds() {
    let vector = &VECTORS.rfc.jwk_thumbprint;
    let key = jsonwebtoken::DecodingKey::from_rsa_components(&vector.n, &vector.e).unwrap();
    let jwk = jsonwebtoken::jwk::Jwk::from_decoding_key(&key, None).unwrap();
    assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), vector.thumbprint);
}

#[test]
fn the_pbkdf2_vectors_of_rfc_7914_hold() {
    for vector in &VECTORS.rfc.pbkdf2_hmac_sha256 {
        let mut output = vec![0; vector.length];
        let (password, salt) = (vector.password.as_bytes(), vector.salt.as_bytes());
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, vector.iterations, &mut output);
        assert_eq!(output, bytes(&vector.output_hex));
    }
}

#[test]
fn the_hkdf_vectors_of_rfc_5869_hold() {
    for vector in &VECTORS.rfc.hkdf_sha256 {
        let mut output = vec![0; vector.length];
        Hkdf::<Sha256>::new(Some(&bytes(&vector.salt_hex)), &bytes(&vector.ikm_hex))
            .expand(&bytes(&vector.info_hex), &mut output)
            .unwrap();
        assert_eq!(output, bytes(&vector.okm_hex));
    }
}

#[test]
fn the_hmac_vectors_of_rfc_4231_hold() {
    for vector in &VECTORS.rfc.hmac_sha256 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&bytes(&vector.key_hex)).unwrap();
        mac.update(&bytes(&vector.data_hex));
        assert_eq!(mac.finalize().into_bytes()[..], bytes(&vector.mac_hex));
    }
}
