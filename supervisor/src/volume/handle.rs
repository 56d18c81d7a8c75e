//! Handles of files and folders on the volume, for process 1, which is root among folders that daemons write.
//!
//! Each system call with a path resolves it again, and a compromised daemon can turn any part of it into a link. A
//! handle stays with the file that was opened: its owner and kind are read, and its owner and mode changed, through the
//! handle alone. A link is never followed; it has a handle of its own. Everything that process 1 changes below a
//! daemon's folder goes through here.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::NixPath;
use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, mkdirat};
use nix::unistd::{Gid, Uid, fchownat};

/// A file, folder or link, opened for its identity alone: this needs no right to read it and never blocks.
#[derive(Debug)]
pub(crate) struct Handle {
    descriptor: OwnedFd,
    found: FileStat,
}

/// The kinds of files whose ownership is changed, and all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A folder.
    Folder,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A device, a FIFO or a socket.
    Other,
}

/// The owner that files are given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewOwner {
    /// The user.
    pub(crate) user: Uid,
    /// The group.
    pub(crate) group: Gid,
}

impl NewOwner {
    /// True if the new owner already owns the file.
    pub(crate) fn owns(self, handle: &Handle) -> bool {
        handle.owner() == (self.user, self.group)
    }
}

const IDENTITY: OFlag = OFlag::O_PATH.union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

impl Handle {
    /// Opens a path whose folder belongs to root. A link as its last component is opened itself.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::of(open(path, IDENTITY, Mode::empty())?)
    }

    /// Opens the target of a path, through links: for the volume and the runtime folder themselves, which the operator
    /// may have put elsewhere.
    pub(crate) fn open_through_links(path: &Path) -> io::Result<Self> {
        Self::of(open(path, IDENTITY.difference(OFlag::O_NOFOLLOW), Mode::empty())?)
    }

    /// Opens an entry of this folder.
    pub(crate) fn open_entry<P: ?Sized + NixPath>(&self, name: &P) -> io::Result<Self> {
        Self::of(openat(&self.descriptor, name, IDENTITY, Mode::empty())?)
    }

    /// Opens an entry of this folder; creates a folder, open to its owner alone, if it is missing.
    pub(crate) fn open_or_create<P: ?Sized + NixPath>(&self, name: &P) -> io::Result<Self> {
        match mkdirat(&self.descriptor, name, Mode::S_IRWXU) {
            Ok(()) | Err(Errno::EEXIST) => self.open_entry(name),
            // The file system may be read-only and the folder present.
            Err(errno) => self.open_entry(name).map_err(|_| errno.into()),
        }
    }

    fn of(descriptor: OwnedFd) -> io::Result<Self> {
        let found = fstat(&descriptor)?;
        Ok(Self { descriptor, found })
    }

    /// The kind.
    pub(crate) fn kind(&self) -> Kind {
        match SFlag::from_bits_truncate(self.found.st_mode) & SFlag::S_IFMT {
            SFlag::S_IFDIR => Kind::Folder,
            SFlag::S_IFREG => Kind::File,
            SFlag::S_IFLNK => Kind::Link,
            _ => Kind::Other,
        }
    }

    /// The owner, as it was when the handle was opened or its owner last changed.
    pub(crate) fn owner(&self) -> (Uid, Gid) {
        (Uid::from_raw(self.found.st_uid), Gid::from_raw(self.found.st_gid))
    }

    /// The mode, as it was when the handle was opened.
    pub(crate) fn mode(&self) -> u32 {
        self.found.st_mode & 0o7777
    }

    /// The names in this folder, without `.` and `..`.
    pub(crate) fn names(&self) -> io::Result<impl Iterator<Item = io::Result<CString>> + use<>> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let listing = Dir::from_fd(openat(&self.descriptor, ".", flags, Mode::empty())?)?;
        let names = listing.into_iter().map(|entry| Ok(entry?.file_name().to_owned()));
        Ok(names.filter(|name| !name.as_ref().is_ok_and(|name| matches!(name.to_bytes(), b"." | b".."))))
    }

    /// Changes the owner.
    pub(crate) fn change_owner(&mut self, user: Uid, group: Gid) -> io::Result<()> {
        fchownat(&self.descriptor, "", Some(user), Some(group), AtFlags::AT_EMPTY_PATH)?;
        (self.found.st_uid, self.found.st_gid) = (user.as_raw(), group.as_raw());
        Ok(())
    }

    /// Sets the mode of a file or folder.
    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        match self.kind() {
            // The kernel has no call for handles that were opened without a right to read. The handle's name in `/proc`
            // leads to the same file.
            Kind::File | Kind::Folder => fs::set_permissions(
                format!("/proc/self/fd/{}", self.descriptor.as_raw_fd()),
                Permissions::from_mode(mode),
            ),
            Kind::Link | Kind::Other => Err(Errno::ELOOP.into()),
        }
    }

    /// True if this entry of `folder` may be given to a new owner without giving away files that others have elsewhere.
    pub(crate) fn may_change_owner(&self, folder: &Self, new_owner: NewOwner) -> bool {
        match self.kind() {
            Kind::Folder | Kind::Link => true,
            // A device would be given away with the hardware behind it; Mailstead keeps no FIFOs or sockets on the
            // volume.
            Kind::Other => false,
            Kind::File => {
                self.found.st_nlink <= 1 || is_given_with_its_folder(self.owner().0, folder, new_owner)
            }
        }
    }
}

/// True if a file with several names in `folder` may be given to a new owner.
///
/// A daemon may have made a hard link in its own folder to a file of root's or of another daemon. So such a file is
/// given away only where the daemon could not have put it: the new owner has it already, or its folder belonged to another
/// user, who alone writes there and also owns the file. A file of root's with several names stays root's.
fn is_given_with_its_folder(owner: Uid, folder: &Handle, new_owner: NewOwner) -> bool {
    let ((of_folder, group), mode) = (folder.owner(), folder.mode());
    let is_open_to_new_owner =
        of_folder == new_owner.user || mode & 0o002 != 0 || (mode & 0o020 != 0 && group == new_owner.group);
    owner == new_owner.user || (!is_open_to_new_owner && of_folder == owner && !owner.is_root())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn a_handle_of_a_link_is_the_link_itself() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        fs::write(folder.path().join("elsewhere/file"), "").unwrap();
        symlink("elsewhere", folder.path().join("link")).unwrap();
        let top = Handle::open_through_links(folder.path()).unwrap();
        let link = top.open_entry("link").unwrap();
        assert_eq!(link.kind(), Kind::Link);
        assert_eq!(Handle::open(&folder.path().join("link")).unwrap().kind(), Kind::Link);
        assert_eq!(Handle::open_through_links(&folder.path().join("link")).unwrap().kind(), Kind::Folder);
        assert!(link.open_entry("file").is_err());
        assert!(link.names().is_err());
        assert!(link.set_mode(0o777).is_err());
        assert_eq!(top.open_or_create("link").unwrap().kind(), Kind::Link, "the link is left alone");
    }

    #[test]
    fn the_mode_is_set_through_the_handle() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "").unwrap();
        fs::write(path("other"), "").unwrap();
        let handle = Handle::open(&path("file")).unwrap();
        fs::rename(path("file"), path("moved")).unwrap();
        symlink("other", path("file")).unwrap();
        let before = fs::metadata(path("other")).unwrap().mode();
        handle.set_mode(0o604).unwrap();
        assert_eq!(fs::metadata(path("moved")).unwrap().mode() & 0o7777, 0o604);
        assert_eq!(fs::metadata(path("other")).unwrap().mode(), before);
    }

    #[test]
    fn names_are_listed_and_folders_created() {
        let folder = tempfile::tempdir().unwrap();
        let top = Handle::open_through_links(folder.path()).unwrap();
        assert_eq!(top.open_or_create("made").unwrap().mode() & 0o077, 0);
        assert_eq!(top.open_or_create("made").unwrap().kind(), Kind::Folder);
        mkfifo(&folder.path().join("fifo"), Mode::S_IRWXU).unwrap();
        assert_eq!(top.open_entry("fifo").unwrap().kind(), Kind::Other);
        let mut names: Vec<_> = top.names().unwrap().map(Result::unwrap).collect();
        names.sort();
        assert_eq!(names, [c"fifo".to_owned(), c"made".to_owned()]);
    }

    #[test]
    fn a_hard_link_changes_owner_only_where_the_daemon_could_not_have_made_it() {
        let root = tempfile::tempdir().unwrap();
        let mut folder = Handle::open(root.path()).unwrap();
        let (old, daemon, other) = (Uid::from_raw(102), Uid::from_raw(5000), Uid::from_raw(5002));
        let new_owner = NewOwner { user: daemon, group: Gid::from_raw(5000) };
        for (of_folder, group, mode, owner, expected) in [
            // A volume or Maildir of another user, with the hard links that copying within it makes.
            (old, 102, 0o700, old, true),
            (old, 102, 0o770, old, true),
            (old, 102, 0o700, Uid::from_raw(0), false),
            (old, 102, 0o700, other, false),
            (old, 102, 0o702, old, false),
            (old, 5000, 0o770, old, false),
            (Uid::from_raw(0), 0, 0o700, old, false),
            (Uid::from_raw(0), 0, 0o700, Uid::from_raw(0), false),
            // The daemon's own folder.
            (daemon, 5000, 0o700, daemon, true),
            (daemon, 5000, 0o700, Uid::from_raw(0), false),
            (daemon, 5000, 0o700, other, false),
        ] {
            folder.found.st_uid = of_folder.as_raw();
            folder.found.st_gid = group;
            folder.found.st_mode = mode;
            assert_eq!(
                is_given_with_its_folder(owner, &folder, new_owner),
                expected,
                "{owner} in {mode:o} of {of_folder}"
            );
        }
    }

    #[test]
    fn a_regular_file_may_change_owner_and_a_device_or_fifo_never() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        mkfifo(&root.path().join("fifo"), Mode::S_IRWXU).unwrap();
        let new_owner = NewOwner { user: Uid::from_raw(5000), group: Gid::from_raw(5000) };
        let mut folder = Handle::open(root.path()).unwrap();
        folder.found.st_uid = 5000;
        let file = || folder.open_entry("file").unwrap();
        assert!(file().may_change_owner(&folder, new_owner));
        fs::hard_link(root.path().join("file"), root.path().join("second")).unwrap();
        let mut foreign = file();
        foreign.found.st_uid = 5002;
        assert!(!foreign.may_change_owner(&folder, new_owner));
        assert!(!folder.open_entry("fifo").unwrap().may_change_owner(&folder, new_owner));
        assert!(!Handle::open(Path::new("/dev/null")).unwrap().may_change_owner(&folder, new_owner));
    }
}
