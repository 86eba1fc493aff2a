//! A function that does only the cryptography of an action, so often as its event says: `{"work": "hash", "times": 30}`.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use floors::{PASSWORD, SALT, SEALED_FOR, access_token};
use freehold_crypto::envelope::Envelope;
use freehold_crypto::jwt::{AccessTokenClaims, Signer};
use freehold_crypto::key_pair::{KeyPair, PrivateKeyPem};
use freehold_crypto::password::{HashingMemory, ITERATIONS, MEMORY_KIB, PasswordHash};
use freehold_crypto::{ApplicationSecret, SecretRing};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde::Deserialize;

#[derive(Deserialize)]
struct Event {
    work: Piece,
    times: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Piece {
    /// The exchange of an event for an answer, and nothing else.
    Nothing,
    /// One Argon2id in memory that is kept, and wiped after each.
    Hash,
    /// The same, and the memory is left as it is.
    HashUnwiped,
    /// The same on one processor, while the others have other work.
    HashOnOneThread,
    /// A new RSA key pair.
    KeyPair,
    /// A private key out of its envelope: PBKDF2 and AES-256-GCM.
    Open,
    /// An RS256 signature with a key that has signed before, and the token around it.
    Sign,
    /// The same with a key that is read from PEM for it: aws-lc checks it for consistency, and prepares its blinding.
    FirstSign,
    /// What a sign-in cannot do without: a hash, a private key out of its envelope, and a signature.
    SignIn,
}

struct Work {
    argon2: Argon2<'static>,
    unwiped: Vec<Block>,
    memory: HashingMemory,
    stored: PasswordHash,
    secret: SecretRing,
    keys: KeyPair,
    sealed: Envelope,
    signer: Signer,
    claims: AccessTokenClaims,
}

impl Work {
    fn new() -> Result<Self, Error> {
        let lanes = available_parallelism()?.get();
        let params = Params::new(MEMORY_KIB, ITERATIONS, u32::try_from(lanes)?, None)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let unwiped = vec![Block::new(); MEMORY_KIB as usize];
        let mut memory = HashingMemory::touched(lanes);
        let stored = memory.hash(PASSWORD)?;
        let secret = SecretRing::new(ApplicationSecret::parse(&"aZ09".repeat(16))?, None);
        let keys = KeyPair::generate()?;
        let sealed = secret.seal(SEALED_FOR, keys.private.expose().as_bytes());
        let signer = Signer::new(&keys.private, &keys.public)?;
        Ok(Self { argon2, unwiped, memory, stored, secret, keys, sealed, signer, claims: access_token() })
    }

    fn once(&mut self, piece: &Piece) -> Result<(), Error> {
        match piece {
            Piece::Nothing => {}
            Piece::Hash => drop(self.memory.verify(PASSWORD, &self.stored)?),
            Piece::HashUnwiped => {
                self.argon2.hash_password_into_with_memory(PASSWORD, SALT, &mut [0; 32], &mut self.unwiped)?;
            }
            Piece::HashOnOneThread => drop(self.memory.hash_on_one_thread(PASSWORD)?),
            Piece::KeyPair => drop(KeyPair::generate()?),
            Piece::Open => drop(self.secret.open(SEALED_FOR, &self.sealed)?),
            Piece::Sign => drop(self.signer.sign(&self.claims)?),
            Piece::FirstSign => {
                let pem = PrivateKeyPem::from_opened(self.keys.private.expose().as_bytes())?;
                drop(Signer::new(&pem, &self.keys.public)?.sign(&self.claims)?);
            }
            Piece::SignIn => [Piece::Hash, Piece::Open, Piece::Sign].iter().try_for_each(|piece| self.once(piece))?,
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let work = Arc::new(Mutex::new(Work::new()?));
    run(service_fn(|event: LambdaEvent<Event>| {
        let work = Arc::clone(&work);
        async move {
            let mut work = work.lock().unwrap_or_else(PoisonError::into_inner);
            (0..event.payload.times).try_for_each(|_| work.once(&event.payload.work))
        }
    }))
    .await
}
