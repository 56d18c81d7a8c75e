//! The certificate's key. It is replaced only if it was read and is invalid.
//!
//! Published TLSA records are of the key (RFC 7671 §5.1): with another key, hosts that check them do not deliver. So a
//! replaced key is an error until the operator has updated the records and confirms that by removing the marker file.

use std::path::{Path, PathBuf};

use handover::Concern;
use handover::certificate::{self, CertificateError};
use handover::config::Tls;
use rcgen::KeyPair;

use super::{aside, files, set_aside};
use crate::volume;

/// The reason why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key could not be read, or is not PEM.
    #[error("the certificate's key: {0}")]
    File(CertificateError),
    /// The key is of a type that we cannot sign with.
    #[error("the certificate's key {} cannot be used: {source}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// The library's error.
        source: rcgen::Error,
    },
}

impl KeyError {
    /// Returns true if the file exists and could not be read, so that nothing is known of its content.
    pub fn is_unread(&self) -> bool {
        matches!(self, Self::File(error) if !error.is_missing() && !error.is_content_faulty())
    }
}

/// Reads the key.
pub fn load(path: &Path) -> Result<KeyPair, KeyError> {
    let key = certificate::key(path).map_err(KeyError::File)?;
    KeyPair::try_from(&key).map_err(|source| KeyError::Kind { path: path.to_owned(), source })
}

/// Replaces an unusable key, which is kept under another name. If there was a certificate, there was a key, so a lost
/// key is recorded too.
pub(super) fn replace(tls: &Tls, key: &KeyPair) -> Result<(), durable::Error> {
    if tls.key.exists() {
        tracing::error!(
            key = %tls.key.display(),
            "certificate key unusable, moved aside and created a new one"
        );
        set_aside(&tls.key)?;
    } else if tls.certificate.exists() {
        tracing::error!(key = %tls.key.display(), "certificate key missing, created a new one");
        volume::write(
            &missing(&tls.key),
            b"The key was missing at a start, and a new one was created.\n",
            0o644,
            None,
        )?;
    }
    volume::write(&tls.key, key.serialize_pem().as_bytes(), 0o640, None)
}

fn missing(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".was-missing");
    name.into()
}

/// The marker files of a replaced key, whether they exist or not.
pub(super) fn markers(folder: &Path) -> [PathBuf; 2] {
    let key = files(folder).key;
    [aside(&key, 1), missing(&key)]
}

/// The report that the key was replaced, as long as a marker file exists.
pub fn replaced(folder: &Path) -> Option<Concern> {
    let marker = markers(folder).into_iter().find(|marker| marker.exists())?;
    Some(Concern::new(
        "the key of the certificate was lost or damaged, and a new one was created: published TLSA records of the old \
         key block incoming mail"
            .to_owned(),
        format!(
            "replace the old TLSA records with those that `mailstead dns` prints; this report ends when they are in \
             DNS. If the zone has no TLSA records, remove the marker file: docker run --rm \
             --volumes-from \"$(docker compose ps -q mail)\" busybox rm -r {}",
            marker.display()
        ),
    ))
}

/// Renames the markers once DNS has the new key, which ends the report.
pub fn is_published(folder: &Path) -> Result<(), durable::Error> {
    for marker in markers(folder).iter().filter(|marker| marker.exists()) {
        let mut name = marker.as_os_str().to_owned();
        name.push(".published");
        durable::rename(marker, Path::new(&name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{CertificateState, ensure};
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn names() -> Vec<String> {
        vec!["mail.example.org".to_owned()]
    }

    #[test]
    fn a_damaged_key_is_reported_until_the_marker_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let tls = files(folder.path());
        assert_eq!(ensure(folder.path(), &names(), NOW, None).unwrap(), CertificateState::Created);
        assert_eq!(replaced(folder.path()), None, "the first key replaces none");
        fs::write(&tls.key, "").unwrap();
        for found in [CertificateState::Created, CertificateState::Good, CertificateState::Good] {
            assert_eq!(ensure(folder.path(), &names(), NOW, None).unwrap(), found);
            let concern = replaced(folder.path()).unwrap();
            assert!(concern.problem.contains("TLSA"), "{concern}");
            assert!(concern.fix.ends_with("key.pem.unusable"), "{concern}");
        }
        fs::remove_file(folder.path().join("key.pem.unusable")).unwrap();
        assert_eq!(replaced(folder.path()), None);
        fs::write(&tls.key, "").unwrap();
        ensure(folder.path(), &names(), NOW, None).unwrap();
        assert!(replaced(folder.path()).is_some());
        is_published(folder.path()).unwrap();
        assert_eq!(replaced(folder.path()), None, "the records are seen in DNS");
    }

    #[test]
    fn a_missing_key_is_reported_too_and_a_second_damaged_one_does_not_replace_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let tls = files(folder.path());
        ensure(folder.path(), &names(), NOW, None).unwrap();
        fs::remove_file(&tls.key).unwrap();
        ensure(folder.path(), &names(), NOW, None).unwrap();
        assert!(replaced(folder.path()).unwrap().fix.ends_with("key.pem.was-missing"));
        for text in ["one", "two"] {
            fs::write(&tls.key, text).unwrap();
            ensure(folder.path(), &names(), NOW, None).unwrap();
        }
        let kept = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!((kept("key.pem.unusable"), kept("key.pem.unusable-2")), ("one".into(), "two".into()));
    }

    #[test]
    fn a_key_that_cannot_be_read_now_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let tls = files(folder.path());
        ensure(folder.path(), &names(), NOW, None).unwrap();
        let (key, certificate) = (fs::read(&tls.key).unwrap(), fs::read(&tls.certificate).unwrap());
        // A loop of links (ELOOP) is a read error, as EIO from a disk is.
        for file in [&tls.key, &tls.certificate] {
            let kept = folder.path().join("kept");
            fs::rename(file, &kept).unwrap();
            std::os::unix::fs::symlink(file, file).unwrap();
            let found = ensure(folder.path(), &names(), NOW, None).unwrap();
            assert!(matches!(found, CertificateState::Unread { .. }), "{found:?}");
            fs::remove_file(file).unwrap();
            fs::rename(&kept, file).unwrap();
        }
        assert_eq!(ensure(folder.path(), &names(), NOW, None).unwrap(), CertificateState::Good);
        assert_eq!((fs::read(&tls.key).unwrap(), fs::read(&tls.certificate).unwrap()), (key, certificate));
    }
}
