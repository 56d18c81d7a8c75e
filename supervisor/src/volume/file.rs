use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use durable::{Error, Staged, Step};
use nix::unistd::{Gid, Uid, fchown};

use super::handle::{Handle, Kind, NewOwner};

/// Writes a file of process 1 whole, for itself and a group to read: at no moment does it exist under its name with
/// another mode or owner. Without a group it belongs to the user that started the program.
pub fn write(path: &Path, contents: &[u8], mode: u32, group: Option<Gid>) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Process 1 is the only writer and does one thing at a time: a file of this name was left by a crash.
    let temporary = path.with_file_name(format!(".{name}.new"));
    let _ = std::fs::remove_file(&temporary);
    let mut staged = Staged::create(temporary, 0o600)?;
    staged.write(contents)?;
    let failed = |source| Error { step: Step::Write, path: path.to_owned(), source };
    // The mode before the group: without the capability to override, only the owner can change the mode, and the order
    // costs nothing.
    staged.file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    if group.is_some() {
        fchown(staged.file(), None, group).map_err(|errno| failed(errno.into()))?;
    }
    staged.commit(path).map(drop).map_err(|refused| refused.error)
}

/// Changes the owner of one of Mailstead's folders, or of a file in it. Anything else that a daemon may have put in the
/// file's place is left alone and logged: a link, or a file that has another hard link.
pub(crate) fn change_owner(path: &Path, user: Uid, group: Gid) -> io::Result<()> {
    let mut found = Handle::open(path)?;
    let folder = Handle::open_through_links(path.parent().unwrap_or(Path::new("/")))?;
    let is_meant = matches!(found.kind(), Kind::File | Kind::Folder);
    if is_meant && found.may_change_owner(&folder, NewOwner { user, group }) {
        return found.change_owner(user, group);
    }
    tracing::warn!(path = %path.display(), "ownership not changed: a symbolic link, or a file with another hard link");
    Ok(())
}

/// The outcome of a removal, which has succeeded too where there was nothing to remove.
pub(crate) fn ignore_not_found(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leftover_of_a_crash_is_replaced_and_the_mode_is_exact() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.toml");
        std::fs::write(folder.path().join(".accounts.toml.new"), "half").unwrap();
        write(&path, b"whole", 0o640, Some(Gid::current())).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
