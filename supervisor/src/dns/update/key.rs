use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hickory_proto::rr::Name;
use hickory_proto::rr::TSigner;
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;

/// A key that a name server knows too (RFC 8945): its name, its algorithm and its secret.
#[derive(Clone)]
pub struct Key {
    signer: TSigner,
}

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not three parts.
    #[error("is not of the form name:algorithm:secret, for example mailstead:hmac-sha256:c2VjcmV0…")]
    Form,
    /// The first part.
    #[error("has the name {0:?}, which no key of DNS can have")]
    Name(String),
    /// The second part.
    #[error("has the algorithm {0:?}; hmac-sha256, hmac-sha384 and hmac-sha512 can be used")]
    Algorithm(String),
    /// The third part, which is not shown: it may be a secret all the same.
    #[error("has a secret that is not base64")]
    Secret,
    /// A key of no octets protects nothing.
    #[error("has an empty secret")]
    Empty,
}

/// How far the two clocks may be apart: what RFC 8945 §10 recommends.
const FUDGE_SECONDS: u16 = 300;

impl Key {
    /// Reads `name:algorithm:base64`, as `keymgr -t` and `tsig-keygen` name the three.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut parts = text.trim().splitn(3, ':').map(str::trim);
        let (Some(name), Some(algorithm), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let bad_name = || KeyError::Name(name.to_owned());
        let mut signer_name = Name::from_ascii(name).map_err(|_| bad_name())?.to_lowercase();
        if signer_name.num_labels() == 0 {
            return Err(bad_name());
        }
        signer_name.set_fqdn(true);
        let bad_algorithm = || KeyError::Algorithm(algorithm.to_owned());
        let algorithm = match algorithm.trim_end_matches('.').to_ascii_lowercase().as_str() {
            "hmac-sha256" => TsigAlgorithm::HmacSha256,
            "hmac-sha384" => TsigAlgorithm::HmacSha384,
            "hmac-sha512" => TsigAlgorithm::HmacSha512,
            _ => return Err(bad_algorithm()),
        };
        let secret = STANDARD.decode(secret).map_err(|_| KeyError::Secret)?;
        if secret.is_empty() {
            return Err(KeyError::Empty);
        }
        let signer =
            TSigner::new(secret, algorithm, signer_name, FUDGE_SECONDS).map_err(|_| bad_algorithm())?;
        Ok(Self { signer })
    }

    pub(super) fn signer(&self) -> &TSigner {
        &self.signer
    }

    /// The key's name, which is no secret.
    pub fn name(&self) -> String {
        self.signer.signer_name().to_ascii().trim_end_matches('.').to_owned()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.signer, &other.signer);
        one.signer_name() == other.signer_name()
            && one.algorithm() == other.algorithm()
            && one.key() == other.key()
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_name_its_algorithm_and_its_secret() {
        for text in [
            "mailstead:hmac-sha256:c2VjcmV0",
            " Mailstead.:HMAC-SHA256.:c2VjcmV0\n",
            "mailstead : hmac-sha256 : c2VjcmV0",
        ] {
            let key = Key::parse(text).unwrap();
            assert_eq!(key.name(), "mailstead");
            assert_eq!(key.signer().algorithm(), &TsigAlgorithm::HmacSha256);
            assert_eq!(key.signer().key(), b"secret");
        }
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        for (text, error) in [
            ("", KeyError::Form),
            ("mailstead:c2VjcmV0", KeyError::Form),
            (":hmac-sha256:c2VjcmV0", KeyError::Name(String::new())),
            ("a..b:hmac-sha256:c2VjcmV0", KeyError::Name("a..b".into())),
            ("mailstead:hmac-md5:c2VjcmV0", KeyError::Algorithm("hmac-md5".into())),
            ("mailstead:hmac-sha1:c2VjcmV0", KeyError::Algorithm("hmac-sha1".into())),
            ("mailstead:hmac-sha512:%", KeyError::Secret),
            ("mailstead:hmac-sha512:", KeyError::Empty),
        ] {
            assert_eq!(Key::parse(text).unwrap_err(), error, "{text:?}");
        }
    }

    #[test]
    fn the_secret_is_never_shown() {
        let key = Key::parse("mailstead:hmac-sha256:c2VjcmV0").unwrap();
        assert!(!format!("{key:?}").contains("c2Vj"));
        assert!(!Key::parse("mailstead:hmac-sha256:c2VjcmV0!").unwrap_err().to_string().contains("c2Vj"));
    }
}
