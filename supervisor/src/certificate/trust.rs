//! Additional trust anchors (`MAIL_ACME_CA_FILE`, `MAIL_RELAY_CA_FILE`), copied to a place where the daemon that needs
//! them can read them: it has neither root's rights nor its view of the disk.

use std::io;
use std::path::Path;

use handover::Concern;
use handover::certificate::certificates;
use nix::unistd::Gid;
use rustls::RootCertStore;

use crate::read_limited;
use crate::settings::Certificates;
use crate::site::Site;
use crate::volume;

/// Limit of a file in MiB: all authorities in a browser are a quarter of it.
const MAX_SIZE: u64 = 1;

/// The fix for an unusable file.
const FIX: &str = "put a certificate into that file in PEM and send SIGHUP";

/// Copies the configured files. Returns the faults that the operator has to fix.
pub fn copy_anchors(site: &Site) -> impl Iterator<Item = Concern> {
    to_each(site, copy)
}

/// Returns the same faults without copying anything.
pub fn examine(site: &Site) -> impl Iterator<Item = Concern> {
    to_each(site, |from, _, _| check(&read_limited::read(from, MAX_SIZE)?).map_err(io::Error::other))
}

/// The action on a file: its path, the path of our copy, and the group that may read the copy.
type Action = fn(&Path, &Path, Option<Gid>) -> io::Result<()>;

fn to_each(site: &Site, doing: Action) -> impl Iterator<Item = Concern> {
    to_the_steward(site, doing).into_iter().chain(to_the_mta(site, doing))
}

/// Handles the trust anchors for the authority's web server.
fn to_the_steward(site: &Site, doing: Action) -> Option<Concern> {
    let Certificates::Acme(acme) = &site.settings.certificates else { return None };
    let from = acme.ca_file.as_ref()?;
    let group = site.owners.map(|owners| owners.steward.group);
    let error = doing(from, &site.folders.authority_ca(), group).err()?;
    Some(Concern::new(
        format!(
            "the file of MAIL_ACME_CA_FILE, {}, cannot be copied, and without it no certificate is obtained: {error}",
            from.display()
        ),
        FIX,
    ))
}

/// Handles the trust anchors for the relay.
fn to_the_mta(site: &Site, doing: Action) -> Option<Concern> {
    let from = site.settings.relay.as_ref()?.authorities.as_ref()?;
    let group = site.owners.map(|owners| owners.mta.group);
    let to = site.folders.relay_ca();
    let error = doing(from, &to, group).err()?;
    let meanwhile = match to.exists() {
        true => "the previous one stays in use",
        false => "mail for the relay waits unless a public authority issued its certificate",
    };
    Some(Concern::new(
        format!(
            "the file of MAIL_RELAY_CA_FILE, {}, cannot be used, and {meanwhile}: {error}",
            from.display()
        ),
        FIX,
    ))
}

/// Copies a file. One without a valid certificate is not copied: the previous copy is better.
fn copy(from: &Path, to: &Path, group: Option<Gid>) -> io::Result<()> {
    let text = read_limited::read(from, MAX_SIZE)?;
    check(&text).map_err(io::Error::other)?;
    volume::write(to, &text, 0o640, group).map_err(io::Error::other)
}

fn check(text: &[u8]) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(text).map_err(|error| error.to_string())? {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
