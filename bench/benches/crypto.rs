//! Everything cryptographic that a user pool does, alone.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use floors::{PASSWORD, SEALED_FOR, USER_ID, access_token};
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
    let ring = SecretRing::new(ApplicationSecret::parse(&"aZ09".repeat(16)).unwrap(), None);
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

criterion_group!(benches, passwords, keys, tokens);
criterion_main!(benches);
