//! The certificate that the authority's own web server is trusted by (`MAIL_ACME_CA_FILE`): copied to where the steward
//! can read it, which has neither root's rights nor its view of the disk.

use std::io::{self, Read};
use std::path::Path;

use crate::settings::Certificates;
use crate::site::Site;
use crate::volume;

/// A handful of certificates.
const LARGEST: u64 = 1 << 20;

/// Copies the file, where one was set. What is wrong with it is for a person to put right.
pub fn hand_on(site: &Site) -> Option<String> {
    let Certificates::Acme(acme) = &site.settings.certificates else { return None };
    let from = acme.ca_file.as_ref()?;
    let group = site.owners.map(|owners| owners.steward.group);
    let copied = read(from).and_then(|text| {
        volume::write(&site.folders.authority_ca(), &text, 0o640, group).map_err(io::Error::other)
    });
    let error = copied.err()?;
    Some(format!(
        "the file of MAIL_ACME_CA_FILE, {}, cannot be handed on: {error}; without it no certificate is obtained",
        from.display()
    ))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = Vec::new();
    std::fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}
