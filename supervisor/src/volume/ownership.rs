//! Ownership of the files on the volume: of a copy that was restored without its owners, a Maildir that the operator
//! copied onto it, a volume of a version whose users had other numbers (decision 0015).
//!
//! The daemons cannot read such files, and only process 1 can change their owner. All of it goes through handles, so
//! that no link leads elsewhere. A file whose owner cannot be changed is logged and left; the daemon that needs it
//! reports it.

use std::ffi::OsStr;
use std::io;
use std::mem::discriminant;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::{Gid, Uid};

use super::handle::{Handle, Kind, NewOwner};

/// Mailstead has no deeper folders; a compromised daemon must not make process 1 descend without end.
const MAX_DEPTH: usize = 32;
/// The most folders of domains and users that a start checks. A check takes some microseconds.
const MAX_EXAMINED: u32 = 1_000_000;
/// The most files that a start checks in a folder that has its right owner: the steward has a few dozen.
const MAX_IN_ORDER: u64 = 10_000;
/// A long walk reports its progress at this interval.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// Changes the owner of everything in a folder, but not of the folder itself.
pub(super) fn fix_all(folder: &Handle, path: &Path, new_owner: NewOwner) {
    let mut walk = Walk::new(path, new_owner);
    walk.through(folder, MAX_DEPTH);
    walk.report();
}

/// The same for a folder that has its right owner, at every start: files in it may have been restored by hand. A
/// compromised steward may have made any number of them, so there is a limit.
pub(super) fn check_all(folder: &Handle, path: &Path, new_owner: NewOwner) {
    let mut walk = Walk { left_to_examine: MAX_IN_ORDER, ..Walk::new(path, new_owner) };
    walk.through(folder, MAX_DEPTH);
    walk.report();
}

/// Checks the folders of each domain and user, and adopts those of another owner, which the operator has put there.
pub(super) fn fix_mailboxes(mail: &Handle, path: &Path, new_owner: NewOwner) {
    let mut left = MAX_EXAMINED;
    // Without the capability to read another user's folder nothing is seen or logged: what is right needs no check.
    for (domain_path, mut domain) in folders_below(mail, path) {
        if !fix_folder(&mut domain, &domain_path, new_owner) {
            continue;
        }
        for (home_path, mut home) in folders_below(&domain, &domain_path) {
            if left == 0 {
                tracing::warn!(
                    folder = %path.display(),
                    examined = MAX_EXAMINED,
                    "too many folders, ownership of the others not checked"
                );
                return;
            }
            left -= 1;
            if fix_folder(&mut home, &home_path, new_owner)
                && let Ok(mut maildir) = home.open_entry("Maildir")
                && maildir.kind() == Kind::Folder
            {
                fix_folder(&mut maildir, &home_path.join("Maildir"), new_owner);
            }
        }
    }
}

/// The folders in a folder, with their paths. Links to folders are left out.
fn folders_below(folder: &Handle, path: &Path) -> impl Iterator<Item = (PathBuf, Handle)> {
    let names = folder.names().into_iter().flatten().filter_map(Result::ok);
    names.filter_map(move |name| {
        let found = folder.open_entry(name.as_c_str()).ok()?;
        (found.kind() == Kind::Folder).then(|| (path.join(OsStr::from_bytes(name.to_bytes())), found))
    })
}

/// Adopts a folder with all its content when it has another owner. Returns true if it already had this one.
fn fix_folder(folder: &mut Handle, path: &Path, new_owner: NewOwner) -> bool {
    if folder.owner().0 == new_owner.user {
        return true;
    }
    fix_all(folder, path, new_owner);
    if let Err(error) = folder.change_owner(new_owner.user, new_owner.group) {
        tracing::warn!(path = %path.display(), %error, "cannot fix ownership");
    }
    false
}

/// Sets the owner and mode of a file, if it exists: it has those of the person who restored it by hand. The folder must
/// be one of Mailstead's.
pub(super) fn fix_file(folder: &Handle, path: &Path, mode: u32, new_owner: NewOwner) {
    let Some(Ok(mut found)) = path.file_name().map(|name| folder.open_entry(name)) else { return };
    if found.kind() == Kind::File {
        fix_one(&mut found, folder, path, mode, new_owner);
    }
}

/// The signing keys, each in the folder of its domain: owned by root and readable by a group.
pub(super) fn fix_keys(dkim: &Handle, path: &Path, group: Gid) {
    let new_owner = NewOwner { user: Uid::from_raw(0), group };
    for (domain_path, mut domain) in folders_below(dkim, path) {
        fix_one(&mut domain, dkim, &domain_path, 0o750, new_owner);
        for name in domain.names().into_iter().flatten().filter_map(Result::ok) {
            fix_file(&domain, &domain_path.join(OsStr::from_bytes(name.to_bytes())), 0o640, new_owner);
        }
    }
}

fn fix_one(found: &mut Handle, folder: &Handle, path: &Path, mode: u32, new_owner: NewOwner) {
    if new_owner.owns(found) && found.mode() == mode {
        return;
    }
    if !found.may_change_owner(folder, new_owner) {
        tracing::warn!(path = %path.display(), "ownership not changed: the file has another hard link");
        return;
    }
    let adopted = match found.mode() == mode {
        true => Ok(()),
        // Only the owner can change the mode, which is root at this moment.
        false => found.change_owner(Uid::from_raw(0), new_owner.group).and_then(|()| found.set_mode(mode)),
    };
    match adopted.and_then(|()| found.change_owner(new_owner.user, new_owner.group)) {
        Ok(()) => tracing::info!(path = %path.display(), "fixed ownership and rights"),
        Err(error) => tracing::warn!(path = %path.display(), %error, "cannot fix ownership or rights"),
    }
}

/// A walk through everything in a folder.
struct Walk {
    top: PathBuf,
    new_owner: NewOwner,
    /// The path of the present file, for messages only.
    path: PathBuf,
    adopted: u64,
    left_to_examine: u64,
    /// The files that were left as they were: for each reason the first one, and their number.
    left: Vec<(Skipped, PathBuf, u64)>,
    reported: Instant,
}

impl Walk {
    fn new(top: &Path, new_owner: NewOwner) -> Self {
        Self {
            top: top.to_owned(),
            new_owner,
            path: top.to_owned(),
            adopted: 0,
            left_to_examine: u64::MAX,
            left: Vec::new(),
            reported: Instant::now(),
        }
    }

    /// Changes the owner of everything in the folder. The content of a folder comes before the folder: after an
    /// interrupted start, the next one finds the topmost still wrong and walks again.
    fn through(&mut self, folder: &Handle, depth: usize) {
        if depth == 0 {
            return self.skip(Skipped::Deep);
        }
        let names = match folder.names() {
            Ok(names) => names,
            Err(error) => return self.skip(error.into()),
        };
        for name in names {
            if self.left_to_examine == 0 {
                return self.skip(Skipped::Many);
            }
            self.left_to_examine -= 1;
            match name {
                Ok(name) => {
                    self.path.push(OsStr::from_bytes(name.to_bytes()));
                    match folder.open_entry(name.as_c_str()) {
                        Ok(entry) => self.entry(entry, folder, depth),
                        Err(error) => self.skip(error.into()),
                    }
                    self.path.pop();
                }
                Err(error) => return self.skip(error.into()),
            }
        }
    }

    fn entry(&mut self, mut entry: Handle, folder: &Handle, depth: usize) {
        let is_right = self.new_owner.owns(&entry);
        if !is_right && !entry.may_change_owner(folder, self.new_owner) {
            return self.skip(if entry.kind() == Kind::File {
                Skipped::SecondName
            } else {
                Skipped::Irregular
            });
        }
        if entry.kind() == Kind::Folder {
            // Without the capability to read another user's files, root can read its own.
            if !is_right && entry.names().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
            {
                let _ = entry.change_owner(Uid::from_raw(0), Gid::from_raw(0));
            }
            self.through(&entry, depth - 1);
        }
        if !is_right {
            match entry.change_owner(self.new_owner.user, self.new_owner.group) {
                Ok(()) => self.adopted += 1,
                Err(error) => self.skip(error.into()),
            }
        }
        if self.reported.elapsed() >= REPORT_EVERY {
            self.reported = Instant::now();
            tracing::info!(folder = %self.top.display(), adopted = self.adopted, "fixing ownership");
        }
    }

    fn skip(&mut self, why: Skipped) {
        match self.left.iter_mut().find(|(known, ..)| discriminant(known) == discriminant(&why)) {
            Some((.., count)) => *count += 1,
            None => self.left.push((why, self.path.clone(), 1)),
        }
    }

    fn report(self) {
        let Self { top, new_owner, adopted, left, .. } = self;
        if adopted > 0 {
            tracing::info!(folder = %top.display(), adopted, user = %new_owner.user, "fixed ownership");
        }
        for (why, first, count) in left {
            tracing::warn!(
                folder = %top.display(),
                left = count,
                first = %first.display(),
                %why,
                fix = why.fix(new_owner),
                "ownership of some files not changed"
            );
        }
    }
}

/// A reason for which a file stays as it is.
#[derive(Debug, thiserror::Error)]
enum Skipped {
    #[error("the file has another hard link, whose owner would change too")]
    SecondName,
    #[error("a device, a FIFO or a socket")]
    Irregular,
    #[error("more than {MAX_DEPTH} folders deep")]
    Deep,
    #[error("more than {MAX_IN_ORDER} files, the others are not checked")]
    Many,
    #[error(transparent)]
    Refused(#[from] io::Error),
}

impl Skipped {
    fn fix(&self, new_owner: NewOwner) -> String {
        match self {
            Self::SecondName => {
                "remove it, unless it is a message: then put a copy in its place, and restart".to_owned()
            }
            Self::Irregular | Self::Deep => "remove it".to_owned(),
            Self::Many => "remove what does not belong there".to_owned(),
            Self::Refused(_) => {
                format!(
                    "on the machine that has the disk, change its owner to user {} and group {}",
                    new_owner.user, new_owner.group
                )
            }
        }
    }
}
