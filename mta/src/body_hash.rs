//! Hashes of a body in the canonical forms of DKIM, taken in one pass and without holding the body in memory.

use std::io::{self, Write};

use dkim::{BodyHash, BodyHasher, Canonicalization};

use crate::content::Content;

/// Hashes the body in each of the forms. Blocks.
pub(crate) fn body_hashes(content: &Content, forms: &[Canonicalization]) -> io::Result<Vec<BodyHash>> {
    let mut hashers = Hashers(forms.iter().map(|form| BodyHasher::new(*form)).collect());
    content.copy_body_to(&mut hashers)?;
    Ok(hashers.0.into_iter().map(BodyHasher::finish).collect())
}

struct Hashers(Vec<BodyHasher>);

impl Write for Hashers {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.iter_mut().for_each(|hasher| hasher.update(octets));
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
