use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// What a content of `accounts.toml` is known by: half of its SHA-256. Two files with the same one are the same file,
/// so a daemon that shows it works with exactly these accounts.
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

    /// The first half of the empty text's SHA-256 (FIPS 180-4's own example of it is on everybody's lips).
    #[test]
    fn it_is_the_first_half_of_the_sha_256() {
        assert_eq!(Fingerprint::of(b"").to_string(), "e3b0c44298fc1c149afbf4c8996fb924");
        assert_ne!(Fingerprint::of(b"a"), Fingerprint::of(b"b"));
    }
}
