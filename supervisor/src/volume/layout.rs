use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid};

use super::handle::{Handle, Kind, NewOwner};
use super::{Folders, Owners, ownership};
use crate::certificate;

/// An error that keeps the folders from being laid out.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// The volume is not writable.
    #[error("the volume {} cannot be written: {source}; {}", path.display(), fix(source))]
    NotWritable {
        /// The volume.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A folder could not be created, or its owner not changed.
    #[error("cannot {step} the folder {}: {source}", path.display())]
    Folder {
        /// The operation that failed.
        step: &'static str,
        /// The folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// There is no place for the files that are created at every start.
    #[error(
        "cannot create the folder {} for sockets and configurations: {source}; the container needs a tmpfs there: \
         `tmpfs: [/run]` in compose.yaml, or `--tmpfs /run` for `docker run`", path.display()
    )]
    Runtime {
        /// The folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A folder is a link, which is never followed.
    #[error(
        "{} is a link to {}, and links are not followed on the volume; remove the link, and mount its target here \
         instead", path.display(), target.display()
    )]
    Link {
        /// The link.
        path: PathBuf,
        /// Its target.
        target: PathBuf,
    },
    /// A file that is not a folder is where a folder should be.
    #[error("{} is in the way: a folder must be there", path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
}

/// A folder with its required owner and mode.
#[derive(Debug)]
pub(crate) struct RequiredFolder {
    pub(crate) path: PathBuf,
    pub(crate) mode: u32,
    /// Its owner; `None` if there is no user to give it to.
    pub(crate) owner: Option<(Uid, Gid)>,
    /// Set if everything in it has the same owner.
    is_owner_of_all: bool,
}

/// Creates missing folders and corrects the owner and mode of those that are wrong.
pub fn lay_out(folders: &Folders, owners: Option<&Owners>) -> Result<(), LayoutError> {
    for folder in required_folders(folders, owners) {
        lay_out_one(&folder).map_err(|error| error.with_fix(folders))?;
    }
    refuse_links_in_queue(folders).map_err(|error| error.with_fix(folders))?;
    check_writable(&folders.volume)?;
    if let Some(owners) = owners {
        adopt_mail(folders, owners)?;
        adopt_files(folders, owners)?;
    }
    Ok(())
}

/// Refuses a link, or a file, in the place of one of the queue's folders. The MTA clears `tmp` at its start: through a link
/// it would remove messages.
fn refuse_links_in_queue(folders: &Folders) -> Result<(), LayoutError> {
    let queue = folders.queue();
    let handle = open(&queue)?;
    for name in ["tmp", "messages", "envelopes", "dead"] {
        match handle.open_entry(name) {
            Ok(found) if found.kind() != Kind::Folder => {
                return Err(LayoutError::InTheWay { path: queue.join(name) });
            }
            _ => {}
        }
    }
    Ok(())
}

fn adopt_mail(folders: &Folders, owners: &Owners) -> Result<(), LayoutError> {
    let path = folders.mail();
    let new_owner = NewOwner { user: owners.vmail.user, group: owners.vmail.group };
    ownership::fix_mailboxes(&open(&path)?, &path, new_owner);
    Ok(())
}

/// Opens a folder that was laid out.
fn open(path: &Path) -> Result<Handle, LayoutError> {
    Handle::open(path).map_err(|source| LayoutError::Folder {
        step: "examine",
        path: path.to_owned(),
        source,
    })
}

/// The files that a start or a daemon depends on: each may have been restored by hand.
fn adopt_files(folders: &Folders, owners: &Owners) -> Result<(), LayoutError> {
    let (root, no_group) = (Uid::from_raw(0), Gid::from_raw(0));
    let volume = Handle::open_through_links(&folders.volume).map_err(|source| LayoutError::Folder {
        step: "examine",
        path: folders.volume.clone(),
        source,
    })?;
    for (path, mode, group) in [
        (folders.accounts(), 0o640, owners.shared),
        (folders.accounts_lock(), 0o600, no_group),
        (folders.lock(), 0o600, no_group),
        (folders.applied(), 0o600, no_group),
        (folders.format(), 0o644, no_group),
    ] {
        ownership::fix_file(&volume, &path, mode, NewOwner { user: root, group });
    }
    let (dkim, acme, tls) = (folders.dkim(), folders.acme(), folders.tls());
    ownership::fix_keys(&open(&dkim)?, &dkim, owners.mta.group);
    let steward = owners.steward;
    ownership::check_all(&open(&acme)?, &acme, NewOwner { user: steward.user, group: steward.group });
    let (folder, new_owner) = (open(&tls)?, NewOwner { user: steward.user, group: owners.shared });
    ownership::check_all(&folder, &tls, new_owner);
    let files = certificate::files(&tls);
    for (path, mode) in [(files.key, 0o640), (files.certificate, 0o644)] {
        ownership::fix_file(&folder, &path, mode, new_owner);
    }
    Ok(())
}

/// Creates and corrects the volume's own folder alone.
pub(super) fn lay_out_volume(folders: &Folders, owners: Option<&Owners>) -> Result<(), LayoutError> {
    lay_out_one(&volume(folders, owners))
}

fn volume(folders: &Folders, owners: Option<&Owners>) -> RequiredFolder {
    let owner = owners.map(|owners| (Uid::from_raw(0), owners.shared));
    RequiredFolder { path: folders.volume.clone(), mode: 0o751, owner, is_owner_of_all: false }
}

/// The folders with their required owners and modes.
pub(crate) fn required_folders(folders: &Folders, owners: Option<&Owners>) -> Vec<RequiredFolder> {
    let root = |group: fn(&Owners) -> Gid| owners.map(|owners| (Uid::from_raw(0), group(owners)));
    let shared = root(|owners| owners.shared);
    let of_mta = owners.map(|owners| (owners.mta.user, owners.mta.group));
    let of_vmail = owners.map(|owners| (owners.vmail.user, owners.vmail.group));
    let folder = |path, mode, owner| RequiredFolder { path, mode, owner, is_owner_of_all: true };
    let common = |path, mode, owner| RequiredFolder { path, mode, owner, is_owner_of_all: false };
    vec![
        volume(folders, owners),
        folder(folders.mail(), 0o700, of_vmail),
        folder(folders.index(), 0o700, of_vmail),
        folder(folders.queue(), 0o700, of_mta),
        folder(folders.dkim(), 0o750, root(|owners| owners.mta.group)),
        folder(folders.tls(), 0o2751, owners.map(|owners| (owners.steward.user, owners.shared))),
        folder(folders.acme(), 0o700, owners.map(|owners| (owners.steward.user, owners.steward.group))),
        common(folders.runtime.clone(), 0o751, shared),
    ]
}

fn lay_out_one(wanted: &RequiredFolder) -> Result<(), LayoutError> {
    let path = &wanted.path;
    let failed = |step| move |source| LayoutError::Folder { step, path: path.clone(), source };
    let mut folder = open_or_make(wanted)?;
    if folder.kind() != Kind::Folder {
        return Err(LayoutError::InTheWay { path: path.clone() });
    }
    let (user, group) = wanted.owner.unwrap_or_else(|| folder.owner());
    let mut is_ours = folder.owner() == (user, group);
    if !is_ours && wanted.is_owner_of_all {
        // Its content first: after an interruption, the next start finds the folder still wrong and continues.
        if folder.names().is_err() {
            // Without the capability to read another user's files, root can read its own.
            folder.change_owner(Uid::from_raw(0), folder.owner().1).map_err(failed("take ownership of"))?;
        }
        ownership::fix_all(&folder, path, NewOwner { user, group });
    }
    if folder.mode() != wanted.mode {
        // Only the owner can change the mode, and root without `CAP_FOWNER` is no exception. For new files to inherit
        // the folder's group, the folder must belong to a group of the owner's as well.
        let takes_group = wanted.mode & 0o2000 != 0;
        let (owner, of_group) = folder.owner();
        if wanted.owner.is_some() && (!owner.is_root() || takes_group) {
            let group = if takes_group { Gid::from_raw(0) } else { of_group };
            folder.change_owner(Uid::from_raw(0), group).map_err(failed("take ownership of"))?;
            is_ours = false;
        }
        folder.set_mode(wanted.mode).map_err(failed("set the mode of"))?;
    }
    if !is_ours {
        folder.change_owner(user, group).map_err(failed("change the owner of"))?;
    }
    Ok(())
}

/// Opens a folder, which is created if it is missing. The volume and the runtime folder may be links, since the
/// operator may have put them elsewhere; folders on the volume may not.
fn open_or_make(wanted: &RequiredFolder) -> Result<Handle, LayoutError> {
    let path = &wanted.path;
    let failed = |step| move |source| LayoutError::Folder { step, path: path.clone(), source };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Handle::open_through_links(path).map_err(failed("examine"));
    };
    if wanted.is_owner_of_all {
        return Handle::open_through_links(parent)
            .and_then(|above| above.open_or_create(name))
            .map_err(failed("create"));
    }
    match DirBuilder::new().recursive(true).mode(0o700).create(path) {
        Ok(()) => Handle::open_through_links(path).map_err(failed("examine")),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(LayoutError::InTheWay { path: path.clone() })
        }
        Err(source) => Err(failed("create")(source)),
    }
}

/// A file system that is mounted read-only or has another owner is noticed only by writing to it. A full one does not
/// prevent the start: mail can be read, moved and deleted, and new mail is deferred.
fn check_writable(volume: &Path) -> Result<(), LayoutError> {
    let probe = volume.join(".writable");
    // An interrupted start may have left it there. A file of another kind under its name is not followed.
    let _ = fs::remove_file(&probe);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&probe);
    let proven = made.and_then(|_| fs::remove_file(&probe));
    match proven {
        Err(source) if !durable::is_disk_full(&source) => {
            Err(LayoutError::NotWritable { path: volume.to_owned(), source })
        }
        _ => Ok(()),
    }
}

impl LayoutError {
    /// A folder that fails because of its place is reported as such, with a fix.
    fn with_fix(self, folders: &Folders) -> Self {
        if let Self::Folder { path, .. } | Self::InTheWay { path } = &self
            && *path != folders.volume
            && let Ok(target) = fs::read_link(path)
        {
            return Self::Link { path: path.clone(), target };
        }
        match self {
            Self::Folder { path, source, .. } if path == folders.runtime && refuses(&source) => {
                Self::Runtime { path, source }
            }
            Self::Folder { path, source, .. } if path.starts_with(&folders.volume) && refuses(&source) => {
                Self::NotWritable { path: folders.volume.clone(), source }
            }
            other => other,
        }
    }

    /// True if the volume as a whole is not writable.
    pub fn is_not_writable(&self) -> bool {
        match self {
            Self::NotWritable { .. } | Self::Runtime { .. } => true,
            Self::Folder { source, .. } => refuses(source),
            Self::InTheWay { .. } | Self::Link { .. } => false,
        }
    }
}

/// The fix for a volume that is not writable.
fn fix(source: &io::Error) -> String {
    let user = Uid::effective();
    match source.kind() {
        io::ErrorKind::ReadOnlyFilesystem => "it must be mounted read-write, without `:ro`".to_owned(),
        _ if !user.is_root() => format!(
            "this process runs as user {user}, which does not own it; in a container, leave `user:` or `--user` out: \
             process 1 starts as root, and each daemon switches to its own user"
        ),
        _ => "in a container, its owner must be a user that the container's root may act as".to_owned(),
    }
}

fn refuses(source: &io::Error) -> bool {
    matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folders(volume: &Path) -> Folders {
        Folders { volume: volume.join("data"), runtime: volume.join("run") }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn an_empty_place_gets_every_folder_with_its_mode_and_a_second_start_changes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        for _ in 0..2 {
            lay_out(&folders, None).unwrap();
            assert_eq!(mode(&folders.volume), 0o751);
            assert_eq!(mode(&folders.mail()), 0o700);
            assert_eq!(mode(&folders.dkim()), 0o750);
        }
        assert_eq!(fs::read_dir(&folders.volume).unwrap().count(), 6, "a file is left over");
    }

    #[test]
    fn only_the_folders_are_corrected_and_not_their_content() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        lay_out(&folders, None).unwrap();
        let within = folders.mail().join("example.org");
        fs::create_dir(&within).unwrap();
        for path in [&within, &folders.mail()] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        }
        lay_out(&folders, None).unwrap();
        assert_eq!((mode(&folders.mail()), mode(&within)), (0o700, 0o755));
    }

    #[test]
    fn a_link_is_refused_with_its_target_which_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        fs::create_dir(&folders.volume).unwrap();
        let elsewhere = root.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::set_permissions(&elsewhere, Permissions::from_mode(0o755)).unwrap();
        for target in [Path::new("/nowhere/mail"), &elsewhere] {
            std::os::unix::fs::symlink(target, folders.mail()).unwrap();
            let message = lay_out(&folders, None).unwrap_err().to_string();
            assert!(message.contains(&format!("data/mail is a link to {}", target.display())), "{message}");
            fs::remove_file(folders.mail()).unwrap();
        }
        assert_eq!(mode(&elsewhere), 0o755);
    }

    #[test]
    fn the_volume_and_the_runtime_folder_may_be_links() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        for path in [&folders.volume, &folders.runtime] {
            let elsewhere = path.with_extension("elsewhere");
            fs::create_dir(&elsewhere).unwrap();
            std::os::unix::fs::symlink(elsewhere, path).unwrap();
        }
        lay_out(&folders, None).unwrap();
        assert_eq!(mode(&folders.mail()), 0o700);
    }

    #[test]
    fn a_link_in_place_of_the_probe_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        fs::create_dir(&folders.volume).unwrap();
        let precious = root.path().join("precious");
        fs::write(&precious, "text").unwrap();
        std::os::unix::fs::symlink(&precious, folders.volume.join(".writable")).unwrap();
        lay_out(&folders, None).unwrap();
        assert_eq!(fs::read(&precious).unwrap(), b"text");
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let root = tempfile::tempdir().unwrap();
        let folders = folders(root.path());
        fs::create_dir(&folders.volume).unwrap();
        fs::write(folders.mail(), "").unwrap();
        assert!(
            matches!(lay_out(&folders, None), Err(LayoutError::InTheWay { path }) if path == folders.mail())
        );
        fs::remove_file(folders.mail()).unwrap();
        lay_out(&folders, None).unwrap();
        std::os::unix::fs::symlink("messages", folders.queue().join("tmp")).unwrap();
        let link = lay_out(&folders, None).unwrap_err().to_string();
        assert!(link.contains("queue/tmp is a link to messages"), "{link}");
    }
}
