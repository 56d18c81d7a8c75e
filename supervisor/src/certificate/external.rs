//! A certificate that the operator obtains by other means and provides as files (`MAIL_TLS_CERT_FILE`,
//! `MAIL_TLS_KEY_FILE`).
//!
//! The files may be readable only by root and outside of the daemons' view, and they are replaced one after the other.
//! So process 1 checks that the two match and copies them: each pair into a folder of its own, to which the daemons'
//! configuration then points. An unusable pair is reported, and the previous one stays in use.
//!
//! ```text
//! tls/current ─▶ 3f…9a     (in the runtime folder: an external key is never written to the volume)
//! tls/3f…9a/certificate.pem, key.pem
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use calendar::rfc3339;
use handover::Concern;
use handover::certificate::{CertificateError, CertificateFacts, PemError, facts, key_kind, load};
use handover::config::Tls;
use nix::unistd::chown;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;

use crate::read_limited;

use super::{CertificateOwner, covers, files, fingerprint};

/// Limit of a file in MiB: a chain or a key has a few kilobytes.
const MAX_SIZE: u64 = 1;
const CURRENT: &str = "current";

/// The reason why a pair cannot be used.
#[derive(Debug, thiserror::Error)]
enum ExternalError {
    #[error("{} cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("the key in {} does not match the first certificate", .0.display())]
    Mismatch(PathBuf),
    #[error("the key in {} is {kind}, which TLS cannot use here", path.display())]
    Kind { path: PathBuf, kind: String },
    #[error("it expired on {}", rfc3339(*.0))]
    Ended(i64),
    #[error("it is not valid before {}", rfc3339(*.0))]
    Early(i64),
    #[error("it cannot be copied to {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl ExternalError {
    /// The fix. The files are watched, so no restart is needed.
    fn fix(&self, from: &Tls) -> String {
        let (certificate, key) = (from.certificate.display(), from.key.display());
        match self {
            Self::Read { path, source } if source.kind() == io::ErrorKind::NotFound => {
                let path = path.display();
                format!(
                    "put it at {path} in the container, or correct the setting that names it; the file is watched"
                )
            }
            Self::Read { path, .. } => {
                format!("let root in the container read {}; the file is watched", path.display())
            }
            Self::Certificate(CertificateError::Pem { source: PemError::Encrypted, .. }) => {
                format!(
                    "decrypt it: openssl pkey -in {key} -out {key}.plain && mv {key}.plain {key}; the file is watched"
                )
            }
            Self::Kind { .. } => format!(
                "create a key of a type that clients support, and have a certificate issued for it: openssl genpkey \
                 -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {key}"
            ),
            Self::Mismatch(_) => {
                format!("put the key of the certificate in {certificate} into {key}; both files are watched")
            }
            Self::Ended(_) => "provide a new one; both files are watched".to_owned(),
            Self::Early(_) => "check this machine's clock; both files are watched".to_owned(),
            Self::Certificate(_) => {
                "write both files again, complete and in PEM; they are watched".to_owned()
            }
            Self::Write { .. } => "free space in the container's /run".to_owned(),
        }
    }
}

/// The pair in use, if one was copied yet.
pub fn current(folder: &Path) -> Option<Tls> {
    let name = fs::read_link(folder.join(CURRENT)).ok()?;
    let tls = files(&folder.join(name));
    tls.certificate.exists().then_some(tls)
}

/// Copies the pair in these files into `folder`. Returns a fault that the operator has to fix. `now` is in seconds
/// since 1970, and `host` the name by which clients connect.
pub fn install(
    from: &Tls,
    folder: &Path,
    host: &str,
    now: i64,
    owner: Option<CertificateOwner>,
) -> Option<Concern> {
    let before = current(folder).and_then(|tls| facts(&tls.certificate).ok());
    match copy_pair(from, folder, now, before.as_ref(), owner) {
        Ok(facts) => fault_of(from, &facts, host, now),
        Err(error) => {
            let serves =
                if before.is_some() { "the previous one stays in use" } else { "a self-made one is in use" };
            Some(unusable(from, &format!("cannot be used, and {serves}"), &error))
        }
    }
}

/// Returns the fault of the pair in these files, without copying anything.
pub fn examine(from: &Tls, host: &str, now: i64) -> Option<Concern> {
    let found = read_file(&from.certificate)
        .and_then(|_| read_file(&from.key))
        .and_then(|_| check(from, from, now, None));
    match found {
        Ok(facts) => fault_of(from, &facts, host, now),
        Err(error) => Some(unusable(from, "could not be used", &error)),
    }
}

fn unusable(from: &Tls, what: &str, error: &ExternalError) -> Concern {
    Concern::new(
        format!("the certificate of MAIL_TLS_CERT_FILE, {}, {what}: {error}", from.certificate.display()),
        error.fix(from),
    )
}

/// The fault of a pair that can be used nevertheless.
fn fault_of(from: &Tls, facts: &CertificateFacts, host: &str, now: i64) -> Option<Concern> {
    let certificate = from.certificate.display();
    if !covers(&facts.names, host) {
        return Some(Concern::new(
            format!(
                "the certificate in {certificate} is for {} and not for {host}, to which mail clients connect",
                names_of(facts)
            ),
            format!("provide one with {host} among its subjectAltNames"),
        ));
    }
    (facts.not_after <= now).then(|| {
        let problem = format!("the certificate in {certificate} expired on {}", rfc3339(facts.not_after));
        Concern::new(problem, "provide a new one")
    })
}

/// The names of a certificate, as text. Clients check only these names, and not the `CN` of the subject.
pub fn names_of(facts: &CertificateFacts) -> String {
    match facts.names.as_slice() {
        [] => "no name, since it has no subjectAltName (a CN does not count)".to_owned(),
        names => names.join(", "),
    }
}

fn copy_pair(
    from: &Tls,
    folder: &Path,
    now: i64,
    before: Option<&CertificateFacts>,
    owner: Option<CertificateOwner>,
) -> Result<CertificateFacts, ExternalError> {
    let write = |path: &Path| {
        let path = path.to_owned();
        move |source| ExternalError::Write { path, source }
    };
    let staged = folder.join("new");
    let _ = fs::remove_dir_all(&staged);
    fs::DirBuilder::new().recursive(true).mode(0o751).create(&staged).map_err(write(&staged))?;
    // The folder was created under a umask that shuts out other users.
    for folder in [folder, &staged] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o751)).map_err(write(folder))?;
    }
    let to = files(&staged);
    copy(&from.certificate, &to.certificate, 0o644, owner)?;
    copy(&from.key, &to.key, 0o440, owner)?;
    let facts = check(&to, from, now, before)?;
    let name = fingerprint(&to.certificate)?;
    let place = folder.join(&name);
    // The same pair again, or one left by an interrupted start.
    let _ = fs::remove_dir_all(&place).or_else(|_| fs::remove_file(&place));
    fs::rename(&staged, &place).map_err(write(&place))?;
    let link = folder.join("new-link");
    let _ = fs::remove_file(&link);
    symlink(&name, &link).and_then(|()| fs::rename(&link, folder.join(CURRENT))).map_err(write(&link))?;
    Ok(facts)
}

/// Checks that a pair matches and is valid now. An expired pair is better than none. Faults name the operator's files,
/// `from`; `tls` are our copies.
fn check(
    tls: &Tls,
    from: &Tls,
    now: i64,
    before: Option<&CertificateFacts>,
) -> Result<CertificateFacts, ExternalError> {
    let loaded = load(tls).map_err(|error| of_original(error, tls, from))?;
    CertifiedKey::from_der(loaded.chain, loaded.key, &aws_lc_rs::default_provider()).map_err(|error| {
        match error {
            rustls::Error::InconsistentKeys(_) => ExternalError::Mismatch(from.key.clone()),
            rustls::Error::InvalidCertificate(_) => {
                CertificateError::Malformed { path: from.certificate.clone() }.into()
            }
            // The library reports only that it does not support the key.
            _ => ExternalError::Kind {
                path: from.key.clone(),
                kind: key_kind(&tls.certificate).unwrap_or_else(|_| "of a kind".to_owned()),
            },
        }
    })?;
    let facts = facts(&tls.certificate).map_err(|error| of_original(error, tls, from))?;
    let is_valid = |facts: &CertificateFacts| (facts.not_before..facts.not_after).contains(&now);
    if before.is_some_and(is_valid) {
        if facts.not_after <= now {
            return Err(ExternalError::Ended(facts.not_after));
        }
        if facts.not_before > now {
            return Err(ExternalError::Early(facts.not_before));
        }
    }
    Ok(facts)
}

fn of_original(error: CertificateError, copies: &Tls, from: &Tls) -> CertificateError {
    let original =
        |path: PathBuf| if path == copies.key { from.key.clone() } else { from.certificate.clone() };
    match error {
        CertificateError::Read { path, source } => CertificateError::Read { path: original(path), source },
        CertificateError::Pem { path, source } => CertificateError::Pem { path: original(path), source },
        CertificateError::Malformed { path } => CertificateError::Malformed { path: original(path) },
    }
}

/// Copies a file for the daemons: the steward is its owner, and the others read it by their group.
fn copy(from: &Path, to: &Path, mode: u32, owner: Option<CertificateOwner>) -> Result<(), ExternalError> {
    let content = read_file(from)?;
    let written = fs::write(to, &content)
        .and_then(|()| fs::set_permissions(to, fs::Permissions::from_mode(mode)))
        .and_then(|()| match owner {
            Some(CertificateOwner { user, group }) => Ok(chown(to, Some(user), Some(group))?),
            None => Ok(()),
        });
    written.map_err(|source| ExternalError::Write { path: to.to_owned(), source })
}

/// Reads a file up to the limit for a chain or a key.
fn read_file(from: &Path) -> Result<Vec<u8>, ExternalError> {
    read_limited::read(from, MAX_SIZE).map_err(|source| ExternalError::Read { path: from.to_owned(), source })
}

/// The link to the pair in use.
pub fn current_link(folder: &Path) -> PathBuf {
    folder.join(CURRENT)
}

/// Removes the pairs that no configuration names any more, once the daemons' configuration names the current one. A
/// daemon that is reading an old pair reads again when it gets the signal for the new one.
pub fn remove_unused(folder: &Path) {
    let (Ok(name), Ok(listing)) = (fs::read_link(folder.join(CURRENT)), fs::read_dir(folder)) else { return };
    for entry in listing.flatten() {
        let other = entry.file_name();
        if name != Path::new(&other) && other != CURRENT {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
