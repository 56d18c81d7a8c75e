//! This machine: the volume, who holds port 25.

use std::os::unix::fs::MetadataExt;

use nix::sys::statvfs::{FsFlags, statvfs};

use super::super::world::Machine;
use super::Place;
use crate::dns::records::Facts;
use crate::volume;

/// Looks; blocks for as long as the disks do.
pub(super) fn look(facts: &Facts, place: &Place) -> Machine {
    let presence = &facts.presence;
    let mut machine = Machine { is_port_25_held: is_held(25), ..Machine::default() };
    machine.free = Some(match statvfs(&presence.volume) {
        Ok(found) => {
            machine.is_read_only = found.flags().contains(FsFlags::ST_RDONLY);
            Ok(found.blocks_available().saturating_mul(found.fragment_size()))
        }
        Err(errno) => Err(errno.to_string()),
    });
    if let Some(folders) = &place.folders {
        for wanted in volume::wanted(folders, place.owners.as_ref()) {
            compare(&wanted, &mut machine);
        }
    }
    machine
}

fn compare(wanted: &volume::Wanted, machine: &mut Machine) {
    let path = wanted.path.display();
    let found = match std::fs::metadata(&wanted.path) {
        Ok(found) => found,
        Err(error) => {
            machine.unreachable.push(format!("the folder {path} cannot be looked at: {error}"));
            return;
        }
    };
    if !found.is_dir() {
        machine.unreachable.push(format!("{path} is no folder"));
        return;
    }
    if let Some((user, group)) = wanted.owner
        && (found.uid(), found.gid()) != (user.as_raw(), group.as_raw())
    {
        machine.foreign.push(format!(
            "the folder {path} belongs to {}:{} and not to {user}:{group}",
            found.uid(),
            found.gid()
        ));
    }
    let mode = found.mode() & 0o7777;
    if mode != wanted.mode {
        machine
            .foreign
            .push(format!("the folder {path} has the mode {mode:04o} and not {:04o}", wanted.mode));
    }
}

/// Whether anybody listens on that port, by the kernel's own tables.
fn is_held(port: u16) -> bool {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    tables.iter().filter_map(|table| std::fs::read_to_string(table).ok()).any(|table| listens(&table, port))
}

/// `sl local_address rem_address st …`, the address with its port in hexadecimal, the state 0A for who listens.
fn listens(table: &str, port: u16) -> bool {
    let is_it = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let (_, found) = local.rsplit_once(':')?;
        Some(state == "0A" && u16::from_str_radix(found, 16).ok()? == port)
    };
    table.lines().skip(1).filter_map(is_it).any(|is_it| is_it)
}

#[cfg(test)]
mod tests {
    use super::listens;

    #[test]
    fn who_listens_is_told_from_who_is_connected() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n   \
                     0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n   \
                     1: 0100007F:01BB 0200007F:C000 01 00000000:00000000 00:00000000 00000000     0\n";
        assert!(listens(table, 25));
        assert!(!listens(table, 443), "a connection was taken for a listener");
        assert!(!listens(table, 26));
        assert!(!listens("nonsense", 25));
    }
}
