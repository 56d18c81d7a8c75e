//! The system's name servers, from `/etc/resolv.conf` (resolv.conf(5)).
//!
//! Only its `nameserver` lines are read. Names here are always looked up in full, so search lists do not matter, and a
//! malformed line, such as the `domain (none)` that some hosts write, does not affect the others.

use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// The file in which a system lists its resolvers.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The most that is read of the file.
const MAX_FILE_SIZE: u64 = 64 << 10;

/// The most servers that are used. The C library uses three.
const MAX_SERVERS: usize = 8;

const PORT: u16 = 53;

/// The name servers listed in [`RESOLV_CONF`], each once, in its order. The file is read at each call, since it may
/// change at any moment.
pub fn of_system() -> io::Result<Vec<SocketAddr>> {
    read(Path::new(RESOLV_CONF))
}

/// The name servers listed in a file of this format.
pub fn read(path: &Path) -> io::Result<Vec<SocketAddr>> {
    let mut text = Vec::new();
    File::open(path)?.take(MAX_FILE_SIZE).read_to_end(&mut text)?;
    Ok(parse(&String::from_utf8_lossy(&text)))
}

/// `nameserver 1*SP address [ "%" zone ]`. An address with a zone is left out: the resolver could not use it.
fn parse(text: &str) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        if words.next() != Some("nameserver") {
            continue;
        }
        let address = words.next().and_then(|word| word.split('%').next()?.parse::<IpAddr>().ok());
        let Some(server) = address.map(|address| SocketAddr::new(address, PORT)) else { continue };
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    servers.truncate(MAX_SERVERS);
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_line_does_not_affect_the_others() {
        let text = "# made by hand\n; or not\ndomain (none)\nsearch . a..b -x-\nnameserver 192.0.2.53\n\
                    nameserver\nnameserver none\n  nameserver\t2001:db8::53   # ours\nnameserver fe80::1%eth0\n\
                    nameserver 192.0.2.53\noptions ndots:0 no-such-option timeout:x\nnameserver 300.0.0.1\r\n";
        let servers: Vec<String> = parse(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.53:53", "[2001:db8::53]:53", "[fe80::1]:53"]);
    }

    #[test]
    fn an_endless_file_and_the_number_of_servers_are_limited() {
        assert_eq!(read(Path::new("/dev/zero")).unwrap(), []);
        let many: String = (0..100).map(|number| format!("nameserver 192.0.2.{number}\n")).collect();
        assert_eq!(parse(&many).len(), MAX_SERVERS);
        assert!(read(Path::new("/nowhere/resolv.conf")).is_err());
    }
}
