//! The authority's certificate that lies on disk, and the writing of a new one.

use std::path::{Path, PathBuf};

use handover::certificate::{CertificateError, Facts, chain, facts};
use handover::config::Tls;
use rcgen::KeyPair;

use crate::certificate::{covers, fingerprint, is_of, is_self_made};
use crate::read_limited;

/// What is on disk, when an authority issued it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Current {
    pub(super) facts: Facts,
    pub(super) fingerprint: String,
}

/// Why a certificate could not be put on disk.
#[derive(Debug, thiserror::Error)]
pub(super) enum InstallError {
    #[error(transparent)]
    Write(#[from] durable::Error),
    #[error("what the authority gave is no certificate: {0}")]
    Malformed(#[from] CertificateError),
    #[error("what the authority gave is not for {0}")]
    Names(String),
    #[error("what the authority gave is not for our key")]
    Key,
    #[error("{0}")]
    Unreadable(String),
}

impl Current {
    pub(super) fn load(tls: &Tls) -> Option<Self> {
        let facts = facts(&tls.certificate).ok()?;
        if is_self_made(&facts) {
            return None;
        }
        Some(Self { facts, fingerprint: fingerprint(&tls.certificate).ok()? })
    }

    pub(super) fn covers(&self, name: &str) -> bool {
        covers(&self.facts.names, name)
    }
}

/// The key that every certificate is for.
pub(super) fn key(tls: &Tls) -> Result<KeyPair, String> {
    let path = tls.key.display();
    let pem = read_limited::own_text(&tls.key)
        .map_err(|error| format!("the key {path} cannot be read: {error}"))?;
    KeyPair::from_pem(&pem).map_err(|error| format!("the key {path} cannot be used: {error}"))
}

/// Looks whether a chain is what was ordered, and puts it in the place of the one before. The folder sees to it that the
/// daemons may read it.
pub(super) fn install(tls: &Tls, pem: &str, names: &[String], key: &KeyPair) -> Result<(), InstallError> {
    let staged = staged(&tls.certificate);
    durable::write_whole(&staged, pem.as_bytes(), 0o644)?;
    let good = check(&staged, names, key);
    match good {
        Ok(()) => Ok(durable::rename(&staged, &tls.certificate)?),
        Err(error) => {
            let _ = durable::remove_file(&staged);
            Err(error)
        }
    }
}

fn check(staged: &Path, names: &[String], key: &KeyPair) -> Result<(), InstallError> {
    chain(staged)?;
    let facts = facts(staged)?;
    if let Some(missing) = names.iter().find(|name| !covers(&facts.names, name)) {
        return Err(InstallError::Names(missing.clone()));
    }
    if is_of(staged, key) { Ok(()) } else { Err(InstallError::Key) }
}

fn staged(certificate: &Path) -> PathBuf {
    certificate.with_extension("new.pem")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_ordered_takes_the_place_of_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let tls = crate::certificate::files(folder.path());
        let names = vec!["mail.example.org".to_owned()];
        crate::certificate::ensure(folder.path(), &names, 1_700_000_000, None).unwrap();
        let before = std::fs::read_to_string(&tls.certificate).unwrap();
        let key = key(&tls).unwrap();
        assert_eq!(Current::load(&tls), None, "ours is no authority's");
        let issue = |name: &str, key: &KeyPair| {
            rcgen::CertificateParams::new([name.to_owned()]).unwrap().self_signed(key).unwrap().pem()
        };
        let other = KeyPair::generate().unwrap();
        for (pem, wrong) in [
            ("half a certi".to_owned(), "no certificate"),
            (issue("mx.example.org", &key), "not for mail.example.org"),
            (issue("mail.example.org", &other), "not for our key"),
        ] {
            let error = install(&tls, &pem, &names, &key).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
            assert_eq!(std::fs::read_to_string(&tls.certificate).unwrap(), before);
        }
        install(&tls, &issue("mail.example.org", &key), &names, &key).unwrap();
        assert!(Current::load(&tls).unwrap().covers("mail.example.org"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left over");
    }
}
