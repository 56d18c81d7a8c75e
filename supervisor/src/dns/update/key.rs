use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handover::config::TsigKey;
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_proto::rr::{Name, TSigner};

/// A key shared with a name server (RFC 8945): its name, its algorithm and its secret.
#[derive(Clone)]
pub(super) struct Key {
    signer: TSigner,
}

/// The secret is not base64. It is not printed, since it may be a secret nevertheless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret of the key for DNS updates is not base64")]
pub struct KeyError;

/// The permitted difference of the clocks, as recommended by RFC 8945 §10.
const FUDGE_SECONDS: u16 = 300;

impl Key {
    /// Prepares the key for signing.
    pub(super) fn new(key: &TsigKey) -> Result<Self, KeyError> {
        use handover::config::TsigAlgorithm::{HmacSha256, HmacSha384, HmacSha512};
        let algorithm = match key.algorithm {
            HmacSha256 => TsigAlgorithm::HmacSha256,
            HmacSha384 => TsigAlgorithm::HmacSha384,
            HmacSha512 => TsigAlgorithm::HmacSha512,
        };
        let secret = STANDARD.decode(key.secret.reveal()).map_err(|_| KeyError)?;
        let name = Name::from_ascii(key.name.to_fqdn()).map_err(|_| KeyError)?;
        let signer = TSigner::new(secret, algorithm, name, FUDGE_SECONDS).map_err(|_| KeyError)?;
        Ok(Self { signer })
    }

    pub(super) fn signer(&self) -> &TSigner {
        &self.signer
    }

    /// The key's name, which is not secret.
    pub(super) fn name(&self) -> String {
        self.signer.signer_name().to_ascii().trim_end_matches('.').to_owned()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("name", &self.name()).finish_non_exhaustive()
    }
}
