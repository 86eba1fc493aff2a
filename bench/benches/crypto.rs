//! Everything cryptographic that a user pool does, alone.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use floors::{PASSWORD, SEALED_FOR, USER_ID, access_token};
use freehold_crypto::breach_range::BreachRange;
use freehold_crypto::code::Code;
use freehold_crypto::encryption_sdk_message::{self, DataKey};
use freehold_crypto::jwt::{self, Expected, Signer};
use freehold_crypto::key_pair::{KeyPair, PrivateKeyPem, PublicKey};
use freehold_crypto::password::HashingMemory;
use freehold_crypto::token::Secret;
use freehold_crypto::{ApplicationSecret, SecretRing};

fn passwords(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("password");
    group.sample_size(30);
    for lanes in [1, 2] {
        let mut memory = HashingMemory::touched(lanes);
        let stored = memory.hash(PASSWORD).unwrap();
        group.bench_function(format!("verify, {lanes} lanes"), |bencher| {
            bencher.iter(|| memory.verify(PASSWORD, &stored).unwrap());
        });
    }
    let mut memory = HashingMemory::touched(2);
    group.bench_function("hash on one thread", |bencher| {
        bencher.iter(|| memory.hash_on_one_thread(PASSWORD).unwrap());
    });
    group.bench_function("touch fresh memory", |bencher| bencher.iter(|| HashingMemory::touched(1)));
    group.finish();
}

fn keys(criterion: &mut Criterion) {
    let pair = KeyPair::generate().unwrap();
    let mut group = criterion.benchmark_group("key pair");
    group.sample_size(50);
    group.bench_function("generate", |bencher| bencher.iter(|| KeyPair::generate().unwrap()));
    group.finish();

    let mut group = criterion.benchmark_group("private key");
    let ring = ring();
    let sealed = ring.seal(SEALED_FOR, pair.private.expose().as_bytes());
    group.bench_function("seal", |bencher| {
        bencher.iter(|| ring.seal(SEALED_FOR, pair.private.expose().as_bytes()));
    });
    group.bench_function("open", |bencher| bencher.iter(|| ring.open(SEALED_FOR, &sealed).unwrap()));
    let opened = ring.open(SEALED_FOR, &sealed).unwrap();
    group.bench_function("read", |bencher| {
        bencher.iter(|| Signer::new(&PrivateKeyPem::from_opened(&opened).unwrap(), &pair.public).unwrap());
    });
    group.finish();

    let stored = pair.public.to_stored().unwrap();
    criterion.bench_function("public key/read", |bencher| bencher.iter(|| PublicKey::from_stored(&stored).unwrap()));
}

fn tokens(criterion: &mut Criterion) {
    let pair = KeyPair::generate().unwrap();
    let claims = access_token();
    let signer = Signer::new(&pair.private, &pair.public).unwrap();
    let token = signer.sign(&claims).unwrap();
    let expected = Expected {
        issuer: &claims.iss,
        subject: USER_ID,
        audience: &claims.aud,
        client_id: &claims.client_id,
        now: claims.iat,
    };
    let mut group = criterion.benchmark_group("token");
    group.bench_function("sign", |bencher| bencher.iter(|| signer.sign(&claims).unwrap()));
    group.bench_function("verify", |bencher| {
        bencher.iter(|| jwt::verify(&token, &pair.public, expected).unwrap());
    });
    group.bench_function("make and hash a secret", |bencher| {
        bencher.iter_batched(|| (), |()| Secret::generate().hash(), BatchSize::SmallInput);
    });
    group.finish();
}

fn others(criterion: &mut Criterion) {
    let ring = ring();
    criterion.bench_function("code/make and authenticate", |bencher| {
        bencher.iter(|| ring.code_mac(&[USER_ID.as_bytes(), Code::generate().expose_bytes()]));
    });
    // As many lines as an answer of Have I Been Pwned has, none of which is the password's.
    let answer = format!("{:035X}:1\r\n", 0).repeat(1_000);
    criterion.bench_function("breached password/hash and search", |bencher| {
        bencher.iter(|| BreachRange::of(PASSWORD).is_in(&answer));
    });
    let key = DataKey::from_kms(&[7; 32], vec![7; 184], "arn:aws:kms:us-east-1:111122223333:key/1".to_owned()).unwrap();
    let context = [("userpool-id", "us-east-1_Freehold1"), ("client-id", "us-east-1_Freehold1")];
    let context = context.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    criterion.bench_function("message of the AWS Encryption SDK/seal", |bencher| {
        bencher.iter(|| encryption_sdk_message::seal(b"12345678", &key, &context).unwrap());
    });
}

fn ring() -> SecretRing {
    SecretRing::new(ApplicationSecret::parse(&"aZ09".repeat(16)).unwrap(), None)
}

criterion_group!(benches, passwords, keys, tokens, others);
criterion_main!(benches);
