//! Observes this machine: the volume, and the holder of port 25.

use std::os::unix::fs::MetadataExt;

use nix::sys::statvfs::{FsFlags, statvfs};

use super::super::observed::Machine;
use super::Paths;
use crate::dns::records::SiteFacts;
use crate::volume;

/// Observes. Blocks for as long as the disks do.
pub(super) fn observe(facts: &SiteFacts, paths: &Paths) -> Machine {
    let presence = &facts.presence;
    let mut machine = Machine::default();
    machine.free = Some(match statvfs(&presence.volume) {
        Ok(found) => {
            // Some file systems create inodes on demand and report a total of zero.
            machine.files = (found.files() > 0).then(|| (found.files_available(), found.files()));
            machine.is_read_only = found.flags().contains(FsFlags::ST_RDONLY);
            Ok(found.blocks_available().saturating_mul(found.fragment_size()))
        }
        Err(errno) => Err(errno.to_string()),
    });
    if let Some(folders) = &paths.folders {
        for wanted in volume::required_folders(folders, paths.owners.as_ref()) {
            compare(&wanted, &mut machine);
        }
    }
    machine
}

fn compare(wanted: &volume::RequiredFolder, machine: &mut Machine) {
    let path = wanted.path.display();
    let found = match std::fs::metadata(&wanted.path) {
        Ok(found) => found,
        Err(error) => {
            machine.unreachable.push(format!("the folder {path} cannot be accessed: {error}"));
            return;
        }
    };
    if !found.is_dir() {
        machine.unreachable.push(format!("{path} is not a folder"));
        return;
    }
    if let Some((user, group)) = wanted.owner
        && (found.uid(), found.gid()) != (user.as_raw(), group.as_raw())
    {
        machine.foreign.push(format!(
            "the folder {path} belongs to {}:{} instead of {user}:{group}",
            found.uid(),
            found.gid()
        ));
    }
    let mode = found.mode() & 0o7777;
    if mode != wanted.mode {
        machine
            .foreign
            .push(format!("the folder {path} has the mode {mode:04o} instead of {:04o}", wanted.mode));
    }
}
