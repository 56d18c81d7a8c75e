//! The authority's certificate on disk, and the installation of a new one.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use calendar::rfc3339;
use handover::certificate::{self, CertificateError, CertificateFacts, chain, facts};
use handover::config::Tls;
use rcgen::KeyPair;

use crate::certificate::{covers, fingerprint, is_of, is_self_made};

/// The certificate on disk, if an authority issued it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IssuedCertificate {
    pub(super) facts: CertificateFacts,
    pub(super) fingerprint: String,
}

/// An error while installing a certificate.
#[derive(Debug, thiserror::Error)]
pub(super) enum InstallError {
    #[error(transparent)]
    Write(#[from] durable::Error),
    #[error("the authority sent no certificate: {0}")]
    Malformed(#[from] CertificateError),
    #[error("the authority's certificate is not for {0}")]
    Names(String),
    #[error("the authority's certificate is not for our key")]
    Key,
    #[error("the authority's certificate expired on {}", rfc3339(*.0))]
    Ended(i64),
    #[error("the authority's certificate is not valid before {}", rfc3339(*.0))]
    Early(i64),
    #[error(transparent)]
    OurKey(#[from] KeyError),
}

/// An error while loading the key.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("the key cannot be used: {0}")]
    Read(CertificateError),
    #[error("the key {path} cannot be used: {source}")]
    Kind { path: String, source: rcgen::Error },
}

impl InstallError {
    /// Returns true if the certificate itself is at fault. Otherwise it is still good and can be installed once our
    /// disk works.
    pub(super) fn is_of_certificate(&self) -> bool {
        !matches!(self, Self::Write(_) | Self::OurKey(_))
    }

    /// The fix to report.
    pub(super) fn fix(&self) -> &'static str {
        match self {
            Self::Write(_) => "free space on the volume, or repair it",
            Self::OurKey(_) => "let the steward read the key, or repair the volume",
            Self::Early(_) | Self::Ended(_) => {
                "check this machine's clock; if it is right, the authority's clock is wrong, and its operator has to \
                 set it"
            }
            Self::Malformed(_) | Self::Names(_) | Self::Key => {
                "report it to the authority's operator, or use another authority: set MAIL_ACME_DIRECTORY in .env, \
                 then: docker compose up -d"
            }
        }
    }
}

/// Tolerated difference between clocks when checking the validity period.
const SLACK: i64 = 3600;

impl IssuedCertificate {
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

/// The key for which all certificates are requested.
pub(super) fn key(tls: &Tls) -> Result<KeyPair, KeyError> {
    let key = certificate::key(&tls.key).map_err(KeyError::Read)?;
    KeyPair::try_from(&key).map_err(|source| KeyError::Kind { path: tls.key.display().to_string(), source })
}

/// Checks that a chain is what was ordered, and installs it in place of the previous one. The folder's permissions let
/// the daemons read it. Returns the certificate's facts. `now` is in seconds since 1970.
pub(super) fn install(
    tls: &Tls,
    pem: &str,
    names: &[String],
    key: &KeyPair,
    now: i64,
) -> Result<CertificateFacts, InstallError> {
    let staged = staged(&tls.certificate);
    durable::write_whole(&staged, pem.as_bytes(), 0o644)?;
    let good = check(&staged, names, key, now).and_then(|facts| {
        // Sorted on disk too: other programs read it there.
        durable::write_whole(&staged, in_order(&staged)?.as_bytes(), 0o644)?;
        durable::rename(&staged, &tls.certificate)?;
        Ok(facts)
    });
    good.inspect_err(|_| {
        let _ = durable::remove_file(&staged);
    })
}

fn check(staged: &Path, names: &[String], key: &KeyPair, now: i64) -> Result<CertificateFacts, InstallError> {
    let facts = facts(staged)?;
    if let Some(missing) = names.iter().find(|name| !covers(&facts.names, name)) {
        return Err(InstallError::Names(missing.clone()));
    }
    if facts.not_after <= now {
        return Err(InstallError::Ended(facts.not_after));
    }
    if facts.not_before > now + SLACK {
        return Err(InstallError::Early(facts.not_before));
    }
    if is_of(staged, key) { Ok(facts) } else { Err(InstallError::Key) }
}

/// The chain in PEM, leaf first (RFC 7468 §5).
fn in_order(path: &Path) -> Result<String, CertificateError> {
    let mut text = String::new();
    for certificate in chain(path)? {
        let encoded = STANDARD.encode(&certificate);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in encoded.as_bytes().chunks(64) {
            text.push_str(str::from_utf8(line).unwrap_or_default());
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    Ok(text)
}

fn staged(certificate: &Path) -> PathBuf {
    certificate.with_extension("new.pem")
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer};

    use super::*;

    const DAY: i64 = 86_400;

    fn now() -> i64 {
        super::super::http::now()
    }

    /// Issues a chain that is valid between the given days from now, leaf first.
    fn issue(name: &str, key: &KeyPair, from: i64, until: i64) -> [String; 2] {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "an authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = KeyPair::generate().unwrap();
        let root = authority.self_signed(&own).unwrap().pem();
        let mut leaf = CertificateParams::new([name.to_owned()]).unwrap();
        let day = |days: i64| {
            let (year, month, day) = calendar::date(now() / DAY + days);
            rcgen::date_time_ymd(i32::try_from(year).unwrap(), month, day)
        };
        (leaf.not_before, leaf.not_after) = (day(from), day(until));
        [leaf.signed_by(key, &Issuer::new(authority, own)).unwrap().pem(), root]
    }

    #[test]
    fn only_a_certificate_as_ordered_replaces_the_previous_one() {
        let folder = tempfile::tempdir().unwrap();
        let tls = crate::certificate::files(folder.path());
        let names = vec!["mail.example.org".to_owned()];
        crate::certificate::ensure(folder.path(), &names, 1_700_000_000, None).unwrap();
        let before = std::fs::read_to_string(&tls.certificate).unwrap();
        let key = key(&tls).unwrap();
        assert_eq!(IssuedCertificate::load(&tls), None, "the self-made one is not an authority's");
        let other = KeyPair::generate().unwrap();
        let joined = |chain: [String; 2]| chain.concat();
        for (pem, wrong) in [
            ("half a certi".to_owned(), "no certificate"),
            (joined(issue("mx.example.org", &key, -1, 30)), "not for mail.example.org"),
            (joined(issue("mail.example.org", &other, -1, 30)), "not for our key"),
            (joined(issue("mail.example.org", &key, -9, -1)), "expired on"),
            (joined(issue("mail.example.org", &key, 2, 30)), "not valid before"),
        ] {
            let error = install(&tls, &pem, &names, &key, now()).unwrap_err();
            assert!(error.to_string().contains(wrong), "{error}");
            assert!(error.is_of_certificate());
            assert_eq!(std::fs::read_to_string(&tls.certificate).unwrap(), before);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left over");
    }

    #[test]
    fn a_chain_in_any_order_and_names_in_any_case_are_installed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let tls = crate::certificate::files(folder.path());
        let names = vec!["mail.example.org".to_owned()];
        crate::certificate::ensure(folder.path(), &names, 1_700_000_000, None).unwrap();
        let key = key(&tls).unwrap();
        let [leaf, root] = issue("MAIL.example.org", &key, -1, 30);
        for pem in [format!("{leaf}{root}"), format!("{root}{leaf}"), format!("{}{root}", leaf.trim_end())] {
            install(&tls, &pem, &names, &key, now()).unwrap();
            assert!(IssuedCertificate::load(&tls).unwrap().covers("mail.example.org"));
            let written = std::fs::read_to_string(&tls.certificate).unwrap();
            let plain = |text: &str| text.replace("\r\n", "\n");
            assert_eq!(plain(&written), plain(&format!("{leaf}{root}")));
        }
        let gone = crate::certificate::files(&folder.path().join("gone"));
        let error = install(&gone, &leaf, &names, &key, now()).unwrap_err();
        assert!(!error.is_of_certificate(), "{error}");
    }
}
