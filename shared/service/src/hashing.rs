use std::sync::{Arc, Mutex, PoisonError};

use freehold_crypto::password::{HashingMemory, PasswordError, PasswordHash, Verdict};
use freehold_domain::Error;
use freehold_domain::password::Password;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

/// Hashes passwords on blocking threads, in memory that is kept. As many hashes run at a time as there are pieces of
/// memory: one in a function, one per CPU where one process serves every function.
pub(crate) struct Hasher {
    idle: Mutex<Vec<Memory>>,
    permits: Semaphore,
    lanes: usize,
}

enum Memory {
    /// Its pages are being touched, since the process started.
    Touching(JoinHandle<Result<HashingMemory, JoinError>>),
    Touched(HashingMemory),
}

impl Hasher {
    /// Has the memory touched, which takes longer than a hash, from when this task first waits for something: for the
    /// secret, for the first event, for the table. A request waits before it hashes, if it still must.
    pub(crate) fn new(at_a_time: usize, lanes: usize) -> Self {
        let touch = |_| tokio::spawn(async move { spawn_blocking(move || HashingMemory::touched(lanes)).await });
        Self {
            idle: Mutex::new((0..at_a_time).map(touch).map(Memory::Touching).collect()),
            permits: Semaphore::new(at_a_time),
            lanes,
        }
    }

    /// Hashes a password.
    pub(crate) async fn hash(&self, password: &Arc<Password>) -> Result<PasswordHash, Error> {
        let password = Arc::clone(password);
        self.run(move |memory| memory.hash(password.expose_bytes())).await
    }

    /// Hashes a password beside work that takes longer.
    pub(crate) async fn hash_on_one_thread(&self, password: &Arc<Password>) -> Result<PasswordHash, Error> {
        let password = Arc::clone(password);
        self.run(move |memory| memory.hash_on_one_thread(password.expose_bytes())).await
    }

    /// Compares a password with a stored hash.
    pub(crate) async fn verify(&self, password: &Arc<Password>, stored: PasswordHash) -> Result<Verdict, Error> {
        let password = Arc::clone(password);
        self.run(move |memory| memory.verify(password.expose_bytes(), &stored)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut HashingMemory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, Error> {
        let _permit = self.permits.acquire().await.map_err(|_| Error::internal("hashing has ended"))?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let kept = match idle {
            Some(Memory::Touching(touched)) => touched.await.ok().and_then(Result::ok),
            Some(Memory::Touched(memory)) => Some(memory),
            None => None,
        };
        let lanes = self.lanes;
        let work = move || {
            // A request that was given up while it hashed took its memory with it.
            let mut memory = kept.unwrap_or_else(|| HashingMemory::touched(lanes));
            let result = work(&mut memory);
            (memory, result)
        };
        let (memory, result) = spawn_blocking(work).await.map_err(|_| Error::internal("the hashing thread ended"))?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(Memory::Touched(memory));
        result.map_err(|error| Error::internal(error.to_string()))
    }
}
