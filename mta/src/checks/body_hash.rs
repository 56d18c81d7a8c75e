//! The hashes of a body that signatures are compared with, taken without holding the body in memory.

use std::io::{self, Write};

use mail_auth::common::crypto::{HashContext, HashImpl, Sha256};
use mail_auth::dkim::Canonicalization;
use mail_auth::dkim::canonicalize::BodyHasher;

use crate::content::Content;

type Hasher = BodyHasher<<Sha256 as HashImpl>::Context>;

/// Hashes the body in each of the forms asked for, in one pass. Blocks.
pub(super) fn hashes(content: &Content, forms: &[Canonicalization]) -> io::Result<Vec<Vec<u8>>> {
    let mut writer = Hashers(forms.iter().map(|form| BodyHasher::new(Sha256::hasher(), *form, 0)).collect());
    content.copy_body_to(&mut writer)?;
    Ok(writer.0.into_iter().map(|hasher| hasher.finish().0.complete().as_ref().to_vec()).collect())
}

struct Hashers(Vec<Hasher>);

impl Write for Hashers {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.iter_mut().for_each(|hasher| hasher.write(octets));
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
