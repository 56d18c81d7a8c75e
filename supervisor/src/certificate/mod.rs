//! The self-made certificate: what serves until a real one is there.
//!
//! A throwaway authority of our own signs one leaf and is forgotten: its key is never written. So the one file
//! `tls/ca.pem` can be given to a client (`curl --cacert`, Python's `ssl`) to trust this machine, and nobody can use
//! it to trust another.
//!
//! | file | what | mode |
//! |---|---|---|
//! | `tls/certificate.pem` | the leaf and the authority | 0644 |
//! | `tls/key.pem` | the leaf's key | 0640 |
//! | `tls/ca.pem` | the authority | 0644 |
//!
//! One that somebody else issued is never replaced, whatever is wrong with it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use handover::certificate::{CertificateError, Facts, facts};
use handover::config::Tls;
use nix::unistd::Gid;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

use crate::volume;

/// The authority's name, by which we know our own.
const AUTHORITY: &str = "Mailstead self-made authority";
/// Longer than anybody leaves a machine without a restart; a restart makes a new one in time.
const VALID_FOR: Duration = Duration::from_secs(825 * 24 * 3600);
/// This long before its end a new one is made.
const RENEWED_BEFORE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Clocks of clients may be behind ours.
const BACKDATED: Duration = Duration::from_secs(24 * 3600);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum SelfMadeError {
    /// It could not be made.
    #[error("cannot make a certificate for {names}: {source}")]
    Make {
        /// The names that it was to be for.
        names: String,
        /// What was wrong.
        source: rcgen::Error,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] durable::Error),
}

/// What is on disk now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One that does.
    Good,
    /// A new one was made.
    Made,
    /// Somebody else's, with something wrong that a person must put right.
    Foreign {
        /// What is wrong with it.
        wrong: String,
    },
}

/// The files in the folder `tls`.
pub fn files(folder: &Path) -> Tls {
    Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

/// The authority that signed the self-made certificate.
pub fn authority(folder: &Path) -> PathBuf {
    folder.join("ca.pem")
}

/// Whether we made it ourselves, so that no client trusts it unless told to.
pub fn is_self_made(facts: &Facts) -> bool {
    facts.issuer.contains(AUTHORITY)
}

/// Sees to it that there is a certificate for these names, of which the first is the machine's own. `now` is in
/// seconds since 1970, and `group` may read the key.
pub fn ensure(folder: &Path, names: &[String], now: u64, group: Option<Gid>) -> Result<Found, SelfMadeError> {
    let tls = files(folder);
    let wrong = match facts(&tls.certificate) {
        Ok(facts) => {
            let soon = now.saturating_add(RENEWED_BEFORE.as_secs());
            let missing = names.iter().find(|name| !covers(&facts.names, name));
            let wrong = match missing {
                Some(name) => Some(format!("it is not for {name}")),
                None if facts.not_after < i64::try_from(soon).unwrap_or(i64::MAX) => {
                    Some("it has ended or will soon".to_owned())
                }
                None if !tls.key.is_file() => Some(format!("its key {} is not there", tls.key.display())),
                None => None,
            };
            match wrong {
                None => return Ok(Found::Good),
                Some(wrong) if !is_self_made(&facts) => return Ok(Found::Foreign { wrong }),
                Some(wrong) => wrong,
            }
        }
        Err(CertificateError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            "there was none".to_owned()
        }
        // What cannot be read as a certificate was somebody's attempt to put one there.
        Err(error) => return Ok(Found::Foreign { wrong: error.to_string() }),
    };
    let made = make(names, now).map_err(|source| SelfMadeError::Make { names: names.join(", "), source })?;
    // The key first: a certificate on disk means that its key is there too.
    volume::write(&tls.key, made.key.as_bytes(), 0o640, group)?;
    volume::write(&authority(folder), made.authority.as_bytes(), 0o644, None)?;
    volume::write(&tls.certificate, made.chain.as_bytes(), 0o644, None)?;
    tracing::info!(names = names.join(","), because = wrong, "made a certificate of our own");
    Ok(Found::Made)
}

/// Whether one of the certificate's names stands for that name; a wildcard stands for one label
/// (RFC 6125 §6.4.3).
fn covers(names: &[String], wanted: &str) -> bool {
    let parent = wanted.split_once('.').map(|(_, parent)| parent);
    names.iter().any(|name| {
        name.eq_ignore_ascii_case(wanted)
            || name
                .strip_prefix("*.")
                .is_some_and(|of| parent.is_some_and(|parent| of.eq_ignore_ascii_case(parent)))
    })
}

/// A chain with its key and authority, in PEM.
struct Made {
    chain: String,
    key: String,
    authority: String,
}

fn make(names: &[String], now: u64) -> Result<Made, rcgen::Error> {
    let not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(now).saturating_sub(BACKDATED);
    let not_after = not_before + VALID_FOR;

    let mut authority = CertificateParams::default();
    authority.distinguished_name = name(AUTHORITY);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (authority.not_before, authority.not_after) = (not_before, not_after);
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let mut leaf = CertificateParams::new(names)?;
    leaf.distinguished_name = name(names.first().map_or("mailstead", String::as_str));
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    (leaf.not_before, leaf.not_after) = (not_before, not_after);
    let leaf_key = KeyPair::generate()?;
    let leaf = leaf.signed_by(&leaf_key, &issuer)?;

    let authority = authority_certificate.pem();
    Ok(Made { chain: leaf.pem() + &authority, key: leaf_key.serialize_pem(), authority })
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    // RFC 5280's bound on a common name; nobody looks at it where there are alternative names.
    name.push(DnType::CommonName, common_name.chars().take(64).collect::<String>());
    name
}

#[cfg(test)]
mod tests;
