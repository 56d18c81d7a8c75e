use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// The fingerprint of an `accounts.toml`: half of the SHA-256 of its content. Two files with the same one are the same
/// file, so a daemon that reports it works with exactly these accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// The fingerprint of a file's content.
    pub fn of(content: &[u8]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&digest(&SHA256, content).as_ref()[..16]);
        Self(half)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first half of the empty text's SHA-256, a widely known value (FIPS 180-4).
    #[test]
    fn it_is_the_first_half_of_the_sha_256() {
        assert_eq!(Fingerprint::of(b"").to_string(), "e3b0c44298fc1c149afbf4c8996fb924");
        assert_ne!(Fingerprint::of(b"a"), Fingerprint::of(b"b"));
    }
}
