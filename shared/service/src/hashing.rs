use std::sync::{Arc, Mutex, PoisonError};

use freehold_crypto::password::{HashingMemory, PasswordError, PasswordHash, Verdict};
use freehold_domain::Error;
use freehold_domain::password::Password;
use tokio::sync::Semaphore;

/// Hashes passwords on blocking threads, in memory that is kept. As many hashes run at a time as there are pieces of
/// memory: one in a function, one per CPU where one process serves every function.
pub(crate) struct Hasher {
    idle: Mutex<Vec<HashingMemory>>,
    permits: Semaphore,
    lanes: usize,
}

impl Hasher {
    pub(crate) fn new(at_a_time: usize, lanes: usize) -> Self {
        let idle = (0..at_a_time).map(|_| HashingMemory::touched(lanes)).collect();
        Self { idle: Mutex::new(idle), permits: Semaphore::new(at_a_time), lanes }
    }

    /// Hashes a password.
    pub(crate) async fn hash(&self, password: &Arc<Password>) -> Result<PasswordHash, Error> {
        let password = Arc::clone(password);
        self.run(move |memory| memory.hash(password.expose_bytes())).await
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
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let lanes = self.lanes;
        let work = move || {
            // A request that was given up while it hashed took its memory with it.
            let mut memory = kept.unwrap_or_else(|| HashingMemory::touched(lanes));
            let result = work(&mut memory);
            (memory, result)
        };
        let (memory, result) =
            tokio::task::spawn_blocking(work).await.map_err(|_| Error::internal("the hashing thread ended"))?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        result.map_err(|error| Error::internal(error.to_string()))
    }
}
