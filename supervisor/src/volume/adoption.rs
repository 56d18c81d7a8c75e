//! Files of somebody else: a copy that was put back without its owners, a Maildir that a person brought along.
//!
//! The daemons cannot read them, and only process 1 can give them away. What it cannot give away is told and left; the
//! daemon whose it should be says what it misses.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

use nix::unistd::{Gid, Uid};

/// Folders deeper than this are none of ours; whoever made them must not make us climb for ever.
const DEEPEST: usize = 32;

/// Gives all that lies in a folder, but not the folder itself, to its owner. Links are given away, not followed.
pub(super) fn adopt_all(folder: &Path, user: Uid, group: Gid) {
    let mut adopted = 0;
    if let Err(error) = adopt_below(folder, user, group, DEEPEST, &mut adopted) {
        tracing::warn!(folder = %folder.display(), %error, "files of another owner stay as they are");
    }
    if adopted > 0 {
        tracing::info!(folder = %folder.display(), adopted, "gave files of another owner to who needs them");
    }
}

/// Looks at the folders of each domain and user, and adopts those of another owner: somebody has put them there.
pub(super) fn adopt_mailboxes(mail: &Path, user: Uid, group: Gid) {
    // Without the capability to read a folder of another user's there is nothing to be seen, and nothing to be told: what
    // is right needs no look.
    let Ok(domains) = fs::read_dir(mail) else { return };
    for domain in domains.filter_map(Result::ok) {
        if !adopt_top(&domain.path(), user, group) {
            continue;
        }
        let Ok(users) = fs::read_dir(domain.path()) else { continue };
        for home in users.filter_map(Result::ok) {
            if adopt_top(&home.path(), user, group) {
                adopt_top(&home.path().join("Maildir"), user, group);
            }
        }
    }
}

/// Adopts a folder with all in it when it is of another owner; whether it was of this one.
fn adopt_top(folder: &Path, user: Uid, group: Gid) -> bool {
    let Ok(found) = fs::symlink_metadata(folder) else { return false };
    if found.uid() == user.as_raw() {
        return true;
    }
    adopt_all(folder, user, group);
    if let Err(error) = lchown(folder, Some(user.as_raw()), Some(group.as_raw())) {
        tracing::warn!(path = %folder.display(), %error, "it stays another owner's");
    }
    false
}

/// Gives a file, when it is there, to whom it should belong, with the rights that it should have: as it is when a person
/// has put it back by hand.
pub(super) fn adopt_file(path: &Path, mode: u32, user: Uid, group: Gid) {
    adopt_one(path, mode, user, group, fs::Metadata::is_file);
}

/// The signing keys, each in the folder of its domain: root's, for a group to read.
pub(super) fn adopt_keys(dkim: &Path, group: Gid) {
    let entries = |folder: &Path| {
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect::<Vec<_>>()
    };
    for domain in entries(dkim) {
        adopt_one(&domain, 0o750, Uid::from_raw(0), group, fs::Metadata::is_dir);
        for key in entries(&domain) {
            adopt_file(&key, 0o640, Uid::from_raw(0), group);
        }
    }
}

fn adopt_one(path: &Path, mode: u32, user: Uid, group: Gid, is_meant: fn(&fs::Metadata) -> bool) {
    let Ok(found) = fs::symlink_metadata(path) else { return };
    let is_theirs = found.uid() == user.as_raw() && found.gid() == group.as_raw();
    let has_mode = found.permissions().mode() & 0o7777 == mode;
    if !is_meant(&found) || is_theirs && has_mode {
        return;
    }
    let give = |user: Uid| lchown(path, Some(user.as_raw()), Some(group.as_raw()));
    // Rights can be changed by the owner only, which root is for that moment.
    let set_mode = || {
        give(Uid::from_raw(0))?;
        fs::set_permissions(path, Permissions::from_mode(mode))
    };
    let adopted = if has_mode { Ok(()) } else { set_mode() }.and_then(|()| give(user));
    match adopted {
        Ok(()) => tracing::info!(path = %path.display(), "gave it the owner and rights that it should have"),
        Err(error) => tracing::warn!(path = %path.display(), %error, "its owner or rights stay wrong"),
    }
}

fn adopt_below(folder: &Path, user: Uid, group: Gid, depth: usize, adopted: &mut u64) -> io::Result<()> {
    if depth == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = fs::symlink_metadata(&path)?;
        if found.is_dir() {
            adopt_below(&path, user, group, depth - 1, adopted)?;
        }
        if found.uid() != user.as_raw() || found.gid() != group.as_raw() {
            lchown(&path, Some(user.as_raw()), Some(group.as_raw()))?;
            *adopted += 1;
        }
    }
    Ok(())
}
