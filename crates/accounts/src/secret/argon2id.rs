use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::Password;

/// More than glibc allocates from a thread's heap: an allocation of this size is always a mapping of its own, and
/// is returned to the system when it is freed. Without this, 40 logins at once leave 500 MiB behind, spread over
/// the heaps of the threads that checked them. Only the part that is used becomes resident memory.
const ALWAYS_MAPPED: usize = 33 << 20;

/// Checks a password against a hash of Argon2, in constant time.
pub(super) fn verify(hash: &str, password: &Password) -> bool {
    let again = || {
        let hash = PasswordHash::new(hash).ok()?;
        let algorithm = Algorithm::new(hash.algorithm).ok()?;
        let version = Version::try_from(hash.version?).ok()?;
        let params = Params::try_from(&hash).ok()?;
        let expected = hash.hash?;
        let mut found = vec![0; expected.len()];
        fill(&Argon2::new(algorithm, version, params), password, hash.salt?.as_ref(), &mut found)?;
        Some(verify_slices_are_equal(&found, expected.as_bytes()).is_ok())
    };
    again().unwrap_or(false)
}

/// Hashes a password with Argon2id: 19 MiB, two passes, one lane, which OWASP names as the minimum and a small host can
/// bear for several logins at once.
pub(super) fn hash(password: &Password) -> String {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).expect("constants within the library's limits");
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).expect("the kernel's random numbers never fail once the system runs");
    let mut found = [0; 32];
    fill(&Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone()), password, &salt, &mut found)
        .expect("a password of at most 1,024 octets and a salt of 16 can be hashed");
    PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: (&params).try_into().expect("constants can be written"),
        salt: Some(Salt::new(&salt).expect("16 octets are a salt")),
        hash: Some(Output::new(&found).expect("32 octets are a hash")),
    }
    .to_string()
}

fn fill(argon2: &Argon2<'_>, password: &Password, salt: &[u8], found: &mut [u8]) -> Option<()> {
    let count = argon2.params().block_count();
    let mut memory: Vec<Block> = Vec::with_capacity(count.max(ALWAYS_MAPPED / Block::SIZE));
    memory.resize(count, Block::new());
    argon2.hash_password_into_with_memory(password.octets(), salt, found, &mut memory[..]).ok()
}
