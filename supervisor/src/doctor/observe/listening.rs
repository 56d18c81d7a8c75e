//! Finds the listener on a port of this machine in the kernel's tables.

use std::path::Path;

use super::super::observed::PortHolder;

/// The listener on a port. The program is known if its process is visible: a container sees only its own.
pub(super) fn holder(port: u16) -> Option<PortHolder> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.iter().filter_map(|table| std::fs::read_to_string(table).ok());
    let inode = tables.filter_map(|table| listener(&table, port)).next()?;
    Some(program(Path::new("/proc"), &inode).unwrap_or(PortHolder::Unseen))
}

/// The inode of the socket that listens on a port: `sl local_address rem_address st tx_queue:rx_queue tr:tm retrnsmt
/// uid timeout inode …`, with the address and port in hexadecimal, and the state 0A for listening.
fn listener(table: &str, port: u16) -> Option<String> {
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        let (_, found) = local.rsplit_once(':')?;
        let is_it = state == "0A" && u16::from_str_radix(found, 16).ok()? == port;
        is_it.then(|| inode.to_owned())
    })
}

/// The process that has the socket open, named by its first argument.
fn program(processes: &Path, inode: &str) -> Option<PortHolder> {
    let socket = format!("socket:[{inode}]");
    for process in std::fs::read_dir(processes).ok()?.flatten() {
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(open) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let mut targets = open.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
        if targets.any(|target| target.as_os_str() == socket.as_str()) {
            let arguments = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let first = arguments.split(|octet| *octet == 0).next().unwrap_or_default();
            let first = String::from_utf8_lossy(first).into_owned();
            // Some programs put a sentence there: `sshd: /usr/sbin/sshd -D`.
            let first = first.split([' ', ':']).next().unwrap_or_default();
            let name = first.rsplit('/').next().unwrap_or_default().to_owned();
            return Some(PortHolder::Program { name, id });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_distinguished_from_a_connection() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                     0: 0100007F:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n   \
                     1: 0100007F:01BB 0200007F:C000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n";
        assert_eq!(listener(table, 25).as_deref(), Some("4711"));
        assert_eq!(listener(table, 443), None, "a connection was taken for a listener");
        assert_eq!(listener(table, 26), None);
        assert_eq!(listener("nonsense", 25), None);
    }

    #[test]
    fn the_program_that_holds_a_port_is_known_where_it_can_be_seen() {
        let listening = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listening.local_addr().unwrap().port();
        let Some(PortHolder::Program { name, id }) = holder(port) else { panic!("it is this process") };
        assert_eq!(id, std::process::id());
        let this = std::env::current_exe().unwrap();
        assert_eq!(name, this.file_name().unwrap().to_str().unwrap());
        drop(listening);
        assert_eq!(holder(port), None);
    }
}
