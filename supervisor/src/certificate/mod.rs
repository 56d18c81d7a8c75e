//! The self-made certificate, which is used until an authority has issued one, and the key of both.
//!
//! A temporary authority signs one leaf, and its key is never written to disk. So the file `tls/ca.pem` can be given to
//! a client (`curl --cacert`, Python's `ssl`) to trust this machine, and it cannot be used to make the client trust
//! another.
//!
//! The leaf's key is made once and never changes: every later certificate, self-made or from an authority, is for the
//! same key. So a TLSA record of that key (`3 1 1`, RFC 7671 §5.1) stays right once it is published.
//!
//! | file | content | mode |
//! |---|---|---|
//! | `tls/certificate.pem` | the leaf and its authority | 0644 |
//! | `tls/key.pem` | the leaf's key | 0640 |
//! | `tls/ca.pem` | our own authority | 0644 |
//!
//! The steward owns the files: it writes the authority's certificates, and renews the self-made one while it runs.
//! Process 1 acts only at the start, and only if there is no certificate to start with. A certificate issued by another
//! authority is never replaced here, whatever its dates or names. A file that was read and is not a certificate, or not
//! the key's, is moved aside. A file that cannot be read now is left as it is: the fault may be the disk's.

pub mod external;
mod fingerprint;
pub mod key;
pub mod trust;
mod wanted;

use std::path::{Path, PathBuf};
use std::time::Duration;

use handover::certificate::{CertificateFacts, facts};
use handover::config::Tls;
use nix::unistd::{Gid, Uid};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose,
};

pub use fingerprint::{fingerprint, is_of};
pub use wanted::{MAX_NAMES, WantedNames, wanted_names};

use crate::volume;

/// The authority's name, by which we recognize our own certificates.
const AUTHORITY: &str = "Mailstead self-made authority";
/// The longest lifetime that Apple's devices accept for a manually trusted certificate.
const VALID_FOR: Duration = Duration::from_secs(825 * 24 * 3600);
/// The time before its end at which a certificate is renewed.
const RENEWED_BEFORE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Clients' clocks may be behind ours.
const BACKDATED: Duration = Duration::from_secs(24 * 3600);

/// The reason why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum SelfMadeError {
    /// The certificate could not be made.
    #[error("cannot make a certificate for {names}: {source}")]
    Make {
        /// The names that it was to have.
        names: String,
        /// The library's error.
        source: rcgen::Error,
    },
    /// The certificate could not be written.
    #[error(transparent)]
    Write(#[from] durable::Error),
    /// The owner of the folder or of a file in it could not be set.
    #[error("cannot set the owner of {}: {source}", path.display())]
    Owner {
        /// The folder or file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
}

/// The owner of the folder and of all files in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CertificateOwner {
    /// The steward's user.
    pub user: Uid,
    /// The group that may read the key.
    pub group: Gid,
}

/// The state of the certificate on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateState {
    /// The certificate is right.
    Good,
    /// A new one was made.
    Created,
    /// The certificate is an authority's and has a fault that the operator must fix.
    OfAuthority {
        /// The fault.
        wrong: String,
    },
    /// A file cannot be read now, and everything stays as it is.
    Unread {
        /// The error of the operating system.
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

/// Returns true if we made the certificate ourselves, so that clients trust it only if configured to.
pub fn is_self_made(facts: &CertificateFacts) -> bool {
    facts.issuer.contains(AUTHORITY)
}

/// Makes a certificate for these names if needed; the first name is the machine's own. `now` is in seconds since 1970,
/// and `owner` owns the folder and its files.
pub fn ensure(
    folder: &Path,
    names: &[String],
    now: u64,
    owner: Option<CertificateOwner>,
) -> Result<CertificateState, SelfMadeError> {
    let tls = files(folder);
    let key = match key::load(&tls.key) {
        Ok(key) => Some(key),
        // The key stays, and so does its certificate.
        Err(error) if error.is_unread() => return Ok(CertificateState::Unread { wrong: error.to_string() }),
        Err(error) => {
            tracing::debug!(%error, "the certificate's key cannot be used");
            None
        }
    };
    let found = match facts(&tls.certificate) {
        Ok(facts) => match &key {
            None => ReplaceReason::Unusable(format!("its key {} is missing or not a key", tls.key.display())),
            Some(key) if !is_of(&tls.certificate, key) => {
                ReplaceReason::Unusable(format!("it is not for the key {}", tls.key.display()))
            }
            Some(_) => match fault_of(&facts, names, now) {
                None => return Ok(CertificateState::Good),
                Some(wrong) if !is_self_made(&facts) => return Ok(CertificateState::OfAuthority { wrong }),
                Some(wrong) => ReplaceReason::Outdated(wrong),
            },
        },
        Err(error) if error.is_missing() => ReplaceReason::Outdated("it was missing".to_owned()),
        Err(error) if !error.is_content_faulty() => {
            return Ok(CertificateState::Unread { wrong: error.to_string() });
        }
        Err(error) => ReplaceReason::Unusable(error.to_string()),
    };
    let is_new_key = key.is_none();
    let key = match key {
        Some(key) => key,
        None => KeyPair::generate().map_err(make_error(names))?,
    };
    let made = make(names, &key, now).map_err(make_error(names))?;
    let because = match &found {
        ReplaceReason::Outdated(why) | ReplaceReason::Unusable(why) => why.clone(),
    };
    as_folder_owner(folder, owner, || {
        // The key is written first: a certificate on disk means that its key is there too.
        if is_new_key {
            key::replace(&tls, &key)?;
        }
        if let ReplaceReason::Unusable(_) = found {
            set_aside(&tls.certificate)?;
        }
        write(folder, &made)
    })?;
    tracing::info!(names = names.join(","), because, "created a self-made certificate");
    Ok(CertificateState::Created)
}

/// Renews a self-made certificate with the same names and key if it expires soon or is not valid yet, which the clock
/// at the first start may have caused. Returns true if it did. For the steward, which owns the files.
pub fn renew_self_made(tls: &Tls, now: u64) -> Result<bool, SelfMadeError> {
    let Some(folder) = tls.certificate.parent().filter(|folder| files(folder) == *tls) else {
        return Ok(false);
    };
    let Ok(facts) = facts(&tls.certificate) else { return Ok(false) };
    let Some(because) = fault_of(&facts, &facts.names, now).filter(|_| is_self_made(&facts)) else {
        return Ok(false);
    };
    // An unreadable key is reported elsewhere, and its certificate stays.
    let Ok(key) = key::load(&tls.key) else { return Ok(false) };
    let made = make(&facts.names, &key, now).map_err(make_error(&facts.names))?;
    write(folder, &made)?;
    tracing::info!(names = facts.names.join(","), because, "renewed the self-made certificate");
    Ok(true)
}

fn write(folder: &Path, made: &NewChain) -> Result<(), durable::Error> {
    volume::write(&authority(folder), made.authority.as_bytes(), 0o644, None)?;
    volume::write(&files(folder).certificate, made.chain.as_bytes(), 0o644, None)
}

/// The reason why a certificate cannot stay as it is.
enum ReplaceReason {
    /// It does not exist, or it is ours and due for renewal: a new one replaces it.
    Outdated(String),
    /// No server could use it. It is kept under another name, since the operator may have put it there.
    Unusable(String),
}

fn fault_of(facts: &CertificateFacts, names: &[String], now: u64) -> Option<String> {
    let soon = i64::try_from(now.saturating_add(RENEWED_BEFORE.as_secs())).unwrap_or(i64::MAX);
    let end = i64::try_from(now).unwrap_or(i64::MAX);
    // An authority's certificate is renewed by the steward, in its own time.
    let is_old = facts.not_after < if is_self_made(facts) { soon } else { end };
    match names.iter().find(|name| !covers(&facts.names, name)) {
        Some(name) => Some(format!("it is not for {name}")),
        None if facts.not_before > end => Some("it is not valid yet".to_owned()),
        None if is_old => Some("it has expired or expires soon".to_owned()),
        None => None,
    }
}

/// Runs `work` in the folder as its owner, then gives the folder and our files to `owner`. Without CAP_DAC_OVERRIDE,
/// root can write only where it is the owner.
fn as_folder_owner(
    folder: &Path,
    owner: Option<CertificateOwner>,
    work: impl FnOnce() -> Result<(), durable::Error>,
) -> Result<(), SelfMadeError> {
    let give = |path: &Path, user, group| {
        volume::change_owner(path, user, group)
            .map_err(|source| SelfMadeError::Owner { path: path.to_owned(), source })
    };
    if let Some(owner) = owner {
        give(folder, Uid::from_raw(0), owner.group)?;
    }
    let worked = work();
    if let Some(CertificateOwner { user, group }) = owner {
        let Tls { certificate, key } = files(folder);
        let markers = key::markers(folder);
        let ours = [certificate, key, authority(folder)].into_iter().chain(markers);
        for path in ours.filter(|path| path.exists()) {
            give(&path, user, group)?;
        }
        give(folder, user, group)?;
    }
    Ok(worked?)
}

/// Moves a file aside to an unused name.
fn set_aside(path: &Path) -> Result<(), durable::Error> {
    if !path.exists() {
        return Ok(());
    }
    let free = (1..).map(|count| aside(path, count)).find(|aside| !aside.exists());
    durable::rename(path, &free.unwrap_or_else(|| aside(path, 0)))
}

fn aside(path: &Path, count: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".unusable");
    if count > 1 {
        name.push(format!("-{count}"));
    }
    name.into()
}

fn make_error(names: &[String]) -> impl Fn(rcgen::Error) -> SelfMadeError {
    move |source| SelfMadeError::Make { names: names.join(", "), source }
}

/// Returns true if one of the certificate's names matches `wanted`; a wildcard matches one label (RFC 6125 §6.4.3).
pub fn covers(names: &[String], wanted: &str) -> bool {
    let parent = wanted.split_once('.').map(|(_, parent)| parent);
    names.iter().any(|name| {
        name.eq_ignore_ascii_case(wanted)
            || name
                .strip_prefix("*.")
                .is_some_and(|of| parent.is_some_and(|parent| of.eq_ignore_ascii_case(parent)))
    })
}

/// A chain with its authority, in PEM.
struct NewChain {
    chain: String,
    authority: String,
}

/// The last second of the year 9999, after which no certificate can be valid (RFC 5280 §4.1.2.5).
const LAST_SECOND: u64 = 253_402_300_799;

fn make(names: &[String], leaf_key: &KeyPair, now: u64) -> Result<NewChain, rcgen::Error> {
    let now = now.min(LAST_SECOND.saturating_sub(VALID_FOR.as_secs()));
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
    let leaf = leaf.signed_by(leaf_key, &issuer)?;

    let authority = authority_certificate.pem();
    Ok(NewChain { chain: leaf.pem() + &authority, authority })
}

fn name(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    // RFC 5280's limit of a common name, which clients ignore if there are alternative names.
    name.push(DnType::CommonName, common_name.chars().take(64).collect::<String>());
    name
}

#[cfg(test)]
mod tests;
