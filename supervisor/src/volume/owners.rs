//! The users that the daemons run as, looked up in `/etc/passwd` and `/etc/group`.
//!
//! A static program has no name service to ask, so the two files are read here. They come with the image.

use std::path::Path;

use nix::unistd::{Gid, Uid};

use crate::read_limited;

/// The user of the MTA.
const MTA: &str = "mta";
/// The user of the MDA, under the name that every guide to virtual mailboxes uses.
const VMAIL: &str = "vmail";
/// The user of the steward.
const STEWARD: &str = "steward";
/// The group of the MTA and the MDA: accounts, the certificate's key and the LMTP socket belong to it.
const SHARED: &str = "mailstead";

/// A user with its own group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub user: Uid,
    /// The number of its own group.
    pub group: Gid,
}

/// The users of the daemons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owners {
    /// The MTA.
    pub mta: Owner,
    /// The MDA.
    pub vmail: Owner,
    /// The steward.
    pub steward: Owner,
    /// The group of the MTA and the MDA.
    pub shared: Gid,
}

/// An error that leaves the owners unknown.
#[derive(Debug, thiserror::Error)]
pub enum OwnersError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A user or group is missing, or is root under another name.
    #[error(
        "{path} has no {name} with a number other than 0; the file is part of the image: check whether it was replaced"
    )]
    Missing {
        /// The file.
        path: &'static str,
        /// The user or group.
        name: &'static str,
    },
}

const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

impl Owners {
    /// Looks the owners up in the system's files.
    pub fn look_up() -> Result<Self, OwnersError> {
        let read = |path: &'static str| {
            read_limited::read_system_text(Path::new(path))
                .map_err(|source| OwnersError::Read { path, source })
        };
        Self::from_texts(&read(PASSWD)?, &read(GROUP)?)
    }

    fn from_texts(passwd: &str, group: &str) -> Result<Self, OwnersError> {
        let user = |name| user_in(passwd, name).ok_or(OwnersError::Missing { path: PASSWD, name });
        Ok(Self {
            mta: user(MTA)?,
            vmail: user(VMAIL)?,
            steward: user(STEWARD)?,
            shared: group_in(group, SHARED).ok_or(OwnersError::Missing { path: GROUP, name: SHARED })?,
        })
    }
}

/// `passwd-line = name ":" password ":" uid ":" gid ":" comment ":" home ":" shell`
fn user_in(passwd: &str, name: &str) -> Option<Owner> {
    let mut fields = line_of(passwd, name)?;
    let user = number(fields.next()?)?;
    let group = number(fields.next()?)?;
    Some(Owner { user: Uid::from_raw(user), group: Gid::from_raw(group) })
}

/// `group-line = name ":" password ":" gid ":" members`
fn group_in(group: &str, name: &str) -> Option<Gid> {
    number(line_of(group, name)?.next()?).map(Gid::from_raw)
}

/// The fields after the name and the password in the line of that name.
fn line_of<'t>(text: &'t str, name: &str) -> Option<impl Iterator<Item = &'t str>> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.skip(1))
    })
}

/// A number other than root's: a daemon never runs as root because of a mistake in a file.
fn number(field: &str) -> Option<u32> {
    field.parse().ok().filter(|number| *number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE_PASSWD: &str = include_str!("../../../image/passwd");
    const IMAGE_GROUP: &str = include_str!("../../../image/group");

    #[test]
    fn the_images_own_files_have_every_user_and_no_two_are_the_same() {
        let owners = Owners::from_texts(IMAGE_PASSWD, IMAGE_GROUP).unwrap();
        assert_ne!(owners.mta, owners.vmail);
        assert_ne!(owners.steward, owners.vmail);
        assert_ne!(owners.mta.group, owners.shared);
    }

    #[test]
    fn a_missing_or_root_user_is_named() {
        for passwd in ["", "mta:x:0:0::/:", "mta:x:101", "mtax:x:101:101::/:", "mta:x:many:101::/:"] {
            let error = Owners::from_texts(passwd, IMAGE_GROUP).unwrap_err();
            assert!(matches!(error, OwnersError::Missing { name: MTA, .. }), "{passwd}: {error}");
        }
        assert!(matches!(
            Owners::from_texts(IMAGE_PASSWD, "mta:x:101:\n"),
            Err(OwnersError::Missing { name: SHARED, .. })
        ));
    }
}
