//! Password hashing: Argon2id (RFC 9106), version 1.3, as PHC strings.
//!
//! Page faults on fresh memory are most of what an Argon2 call costs, so [`HashingMemory`] keeps its 64 MiB
//! between calls. It is wiped after each.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use rayon::iter::{IntoParallelRefMutIterator as _, ParallelIterator as _};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Memory of a new hash, in KiB.
pub const MEMORY_KIB: u32 = 64 * 1024;
/// Passes over the memory of a new hash.
pub const ITERATIONS: u32 = 1;
const SALT_BYTES: usize = 16;
const OUTPUT_BYTES: usize = 32;

// A stored string names its own cost, and may have been imported: beyond these it is refused unread, or one row could
// exhaust a function's memory or time.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_ITERATIONS: u32 = 10;
const MAX_LANES: u32 = 16;

/// Why a password could not be hashed or compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The stored string is not an Argon2id PHC string with a salt and an output.
    #[error("the stored hash is not an Argon2id PHC string")]
    Malformed,
    /// The stored string asks for more than 256 MiB, 10 iterations or 16 lanes.
    #[error("the stored hash asks for more memory, iterations or lanes than is allowed")]
    TooCostly,
    /// Argon2 itself refused the parameters.
    #[error("Argon2 refused its parameters")]
    Argon2,
    /// The system gave no thread to hash on.
    #[error("no thread could be started")]
    NoThread,
}

/// A stored password hash: an Argon2id PHC string whose cost is within bounds. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Reads a PHC string, refusing what is not Argon2id version 1.3 or 1.0, or costs too much to verify.
    ///
    /// # Errors
    /// [`PasswordError::Malformed`] and [`PasswordError::TooCostly`].
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        Stored::read(text)?;
        Ok(Self(text.to_owned()))
    }

    /// A hash that no password is known to have: an output that nobody computed, at the cost of any other.
    ///
    /// # Errors
    /// [`PasswordError::Argon2`], which the fixed parameters rule out.
    pub fn of_nothing() -> Result<Self, PasswordError> {
        let params = Params::new(MEMORY_KIB, ITERATIONS, 1, Some(OUTPUT_BYTES)).map_err(|_| PasswordError::Argon2)?;
        Self::new(&params, &crate::random::<SALT_BYTES>(), &crate::random::<OUTPUT_BYTES>())
    }

    fn new(params: &Params, salt: &[u8], output: &[u8]) -> Result<Self, PasswordError> {
        let phc = Phc {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(params).map_err(|_| PasswordError::Argon2)?,
            salt: Some(Salt::new(salt).map_err(|_| PasswordError::Argon2)?),
            hash: Some(Output::new(output).map_err(|_| PasswordError::Argon2)?),
        };
        Ok(Self(phc.to_string()))
    }

    /// The PHC string, to be stored and never shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// The result of comparing a password with a stored hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password.
    Wrong,
    /// It is the password.
    Right {
        /// The stored hash has less memory, fewer iterations or an older version than a new one would have.
        outdated: bool,
    },
}

/// How many blocks of 1 KiB are touched before other threads may have the processor: some forty microseconds' worth.
const BLOCKS_AT_A_TIME: usize = 64;

/// The memory that Argon2 works in, kept between calls and wiped after each.
pub struct HashingMemory {
    blocks: Vec<Block>,
    lanes: u32,
}

impl HashingMemory {
    /// Allocates the memory and touches every page of it: the first touch costs more than a hash, and belongs beside the
    /// start of the process. New hashes use `lanes` lanes, the number of CPUs of this machine, at most 16.
    #[must_use]
    pub fn touched(lanes: usize) -> Self {
        let lanes = u32::try_from(lanes).unwrap_or(MAX_LANES).clamp(1, MAX_LANES);
        let all = MEMORY_KIB as usize;
        // Each block is written, zeros as they are, since memory that is only asked for gets its pages at the first touch. In
        // pieces, with the processor offered in between: else the start of the process, which this is beside, waits for it by
        // time slices of the scheduler, each of which is a good part of the start.
        let mut blocks = Vec::with_capacity(all);
        while blocks.len() < all {
            blocks.resize(all.min(blocks.len() + BLOCKS_AT_A_TIME), Block::new());
            std::thread::yield_now();
        }
        Self { blocks, lanes }
    }

    /// Hashes a password under a fresh salt.
    ///
    /// # Errors
    /// [`PasswordError::Argon2`], which the fixed parameters rule out.
    pub fn hash(&mut self, password: &[u8]) -> Result<PasswordHash, PasswordError> {
        let params =
            Params::new(MEMORY_KIB, ITERATIONS, self.lanes, Some(OUTPUT_BYTES)).map_err(|_| PasswordError::Argon2)?;
        let salt = crate::random::<SALT_BYTES>();
        let mut output = [0; OUTPUT_BYTES];
        self.run(Version::V0x13, &params, password, &salt, &mut output)?;
        PasswordHash::new(&params, &salt, &output)
    }

    /// Hashes a password as [`HashingMemory::hash`] does, but one lane after the other: for when the other CPUs have work
    /// that takes longer, which the lanes would only hold up.
    ///
    /// # Errors
    /// [`PasswordError::NoThread`], and those of [`HashingMemory::hash`].
    pub fn hash_on_one_thread(&mut self, password: &[u8]) -> Result<PasswordHash, PasswordError> {
        let thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().map_err(|_| PasswordError::NoThread)?;
        thread.install(|| self.hash(password))
    }

    /// Compares a password with a stored hash, at the stored hash's own cost.
    ///
    /// # Errors
    /// [`PasswordError::Argon2`] for parameters that Argon2 refuses.
    pub fn verify(&mut self, password: &[u8], stored: &PasswordHash) -> Result<Verdict, PasswordError> {
        let stored = Stored::read(&stored.0)?;
        let mut output = vec![0; stored.output.len()];
        self.run(stored.version, &stored.params, password, stored.salt.as_ref(), &mut output)?;
        if bool::from(output.ct_eq(stored.output.as_bytes())) {
            Ok(Verdict::Right { outdated: stored.is_outdated() })
        } else {
            Ok(Verdict::Wrong)
        }
    }

    fn run(
        &mut self,
        version: Version,
        params: &Params,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
    ) -> Result<(), PasswordError> {
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params.clone());
        let needed = params.block_count();
        let mut larger = Vec::new();
        let blocks = if needed <= self.blocks.len() {
            &mut self.blocks[..needed]
        } else {
            // An imported hash may need more than ours do: it gets memory of its own for once.
            larger.resize(needed, Block::new());
            &mut larger[..]
        };
        let result = argon2.hash_password_into_with_memory(password, salt, output, &mut *blocks);
        wipe(blocks);
        result.map_err(|_| PasswordError::Argon2)
    }
}

/// On all the CPUs that hashed: one alone takes a third of the hash's own time, as quickly as its memory can be written.
fn wipe(blocks: &mut [Block]) {
    blocks.par_iter_mut().for_each(Zeroize::zeroize);
}

/// A PHC string, taken apart and found to be within bounds.
struct Stored {
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

impl Stored {
    fn read(text: &str) -> Result<Self, PasswordError> {
        let phc = Phc::new(text).map_err(|_| PasswordError::Malformed)?;
        if phc.algorithm != ARGON2ID_IDENT {
            return Err(PasswordError::Malformed);
        }
        let version = match phc.version {
            Some(version) => Version::try_from(version).map_err(|_| PasswordError::Malformed)?,
            None => Version::V0x10,
        };
        let asked = |name: &str| phc.params.get_decimal(name).ok_or(PasswordError::Malformed);
        if asked("m")? > MAX_MEMORY_KIB || asked("t")? > MAX_ITERATIONS || asked("p")? > MAX_LANES {
            return Err(PasswordError::TooCostly);
        }
        let params = Params::try_from(&phc).map_err(|_| PasswordError::Malformed)?;
        let (Some(salt), Some(output)) = (phc.salt, phc.hash) else {
            return Err(PasswordError::Malformed);
        };
        Ok(Self { version, params, salt, output })
    }

    /// Another number of lanes alone is not outdated: it only says which machine made the hash.
    fn is_outdated(&self) -> bool {
        self.version < Version::V0x13 || self.params.m_cost() < MEMORY_KIB || self.params.t_cost() < ITERATIONS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_hash_has_the_parameters_that_are_promised() {
        let hash = HashingMemory::touched(2).hash(b"correct horse").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=65536,t=1,p=2$"), "{}", hash.as_str());
        let stored = Stored::read(hash.as_str()).unwrap();
        assert_eq!((stored.salt.as_ref().len(), stored.output.len()), (16, 32));
    }

    #[test]
    fn a_hash_of_nothing_costs_what_any_does_and_no_password_has_it() {
        let (one, two) = (PasswordHash::of_nothing().unwrap(), PasswordHash::of_nothing().unwrap());
        assert!(one != two && PasswordHash::parse(one.as_str()).is_ok_and(|read| read == one));
        assert!(one.as_str().starts_with("$argon2id$v=19$m=65536,t=1,p=1$"), "{}", one.as_str());
        for password in ["", "correct horse"] {
            assert_eq!(HashingMemory::touched(1).verify(password.as_bytes(), &one).unwrap(), Verdict::Wrong);
        }
    }

    #[test]
    fn a_password_verifies_against_its_own_hash_alone() {
        let mut memory = HashingMemory::touched(1);
        let hash = memory.hash(b"correct horse").unwrap();
        assert_eq!(memory.verify(b"correct horse", &hash), Ok(Verdict::Right { outdated: false }));
        assert_eq!(memory.verify(b"correct hors", &hash), Ok(Verdict::Wrong));
    }

    #[test]
    fn a_hash_that_was_made_on_one_thread_is_no_other() {
        let mut memory = HashingMemory::touched(2);
        let hash = memory.hash_on_one_thread(b"correct horse").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=65536,t=1,p=2$"), "{}", hash.as_str());
        assert_eq!(memory.verify(b"correct horse", &hash), Ok(Verdict::Right { outdated: false }));
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        let mut memory = HashingMemory::touched(1);
        assert_ne!(memory.hash(b"same").unwrap(), memory.hash(b"same").unwrap());
    }

    #[test]
    fn memory_is_wiped_after_each_call() {
        let mut memory = HashingMemory::touched(1);
        memory.hash(b"correct horse").unwrap();
        assert!(memory.blocks.iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }

    #[test]
    fn a_hash_does_not_print_itself() {
        let hash = HashingMemory::touched(1).hash(b"correct horse").unwrap();
        assert_eq!(format!("{hash:?}"), "PasswordHash(..)");
    }
}
