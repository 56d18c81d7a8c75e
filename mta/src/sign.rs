//! DKIM signatures (RFC 6376) on what leaves in our name.

use address::Domain;
use handover::config::DkimKey;

use crate::content::Content;

/// All keys that sign.
#[derive(Debug)]
pub struct Signer {}

/// Why a key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {}

impl Signer {
    /// Reads the keys.
    pub fn load(keys: &[DkimKey]) -> Result<Self, KeyError> {
        let _ = keys;
        Ok(Self {})
    }

    /// The signatures of all keys of `domain` over a message: whole fields to put on top, none when there is no key.
    pub async fn sign(&self, domain: &Domain, content: &Content) -> std::io::Result<Vec<u8>> {
        let _ = (domain, content);
        Ok(Vec::new())
    }
}
