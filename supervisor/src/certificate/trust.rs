//! Certificates by which others are trusted besides (`MAIL_ACME_CA_FILE`, `MAIL_RELAY_CA_FILE`): copied to where the
//! daemon that trusts by them can read them, which has neither root's rights nor its view of the disk.

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

/// In MiB: all the authorities that a browser knows have a quarter of it.
const LARGEST: u64 = 1;

/// What to do about a file that cannot be used.
const PUT_RIGHT: &str = "put a certificate there in PEM and send SIGHUP";

/// Copies what was set. What is wrong with a file is for a person to put right.
pub fn hand_on(site: &Site) -> impl Iterator<Item = Concern> {
    to_each(site, copy)
}

/// The same of what would be copied, and nothing of it done.
pub fn examine(site: &Site) -> impl Iterator<Item = Concern> {
    to_each(site, |from, _, _| check(&read_limited::read(from, LARGEST)?).map_err(io::Error::other))
}

/// What is done with a file: where it is, where our copy is, and who may read that.
type Doing = fn(&Path, &Path, Option<Gid>) -> io::Result<()>;

fn to_each(site: &Site, doing: Doing) -> impl Iterator<Item = Concern> {
    to_the_steward(site, doing).into_iter().chain(to_the_mta(site, doing))
}

/// What the authority's own web server is trusted by.
fn to_the_steward(site: &Site, doing: Doing) -> Option<Concern> {
    let Certificates::Acme(acme) = &site.settings.certificates else { return None };
    let from = acme.ca_file.as_ref()?;
    let group = site.owners.map(|owners| owners.steward.group);
    let error = doing(from, &site.folders.authority_ca(), group).err()?;
    Some(Concern::new(
        format!(
            "the file of MAIL_ACME_CA_FILE, {}, cannot be handed on, and without it no certificate is obtained: {error}",
            from.display()
        ),
        PUT_RIGHT,
    ))
}

/// What the relay is trusted by.
fn to_the_mta(site: &Site, doing: Doing) -> Option<Concern> {
    let from = site.settings.relay.as_ref()?.authorities.as_ref()?;
    let group = site.owners.map(|owners| owners.mta.group);
    let to = site.folders.relay_ca();
    let error = doing(from, &to, group).err()?;
    let meanwhile = match to.exists() {
        true => "the one before counts on",
        false => "mail for the relay waits unless a public authority vouches for it",
    };
    Some(Concern::new(
        format!(
            "the file of MAIL_RELAY_CA_FILE, {}, cannot be used, and {meanwhile}: {error}",
            from.display()
        ),
        PUT_RIGHT,
    ))
}

/// A file without a good certificate is not handed on: what was there before is better.
fn copy(from: &Path, to: &Path, group: Option<Gid>) -> io::Result<()> {
    let text = read_limited::read(from, LARGEST)?;
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
