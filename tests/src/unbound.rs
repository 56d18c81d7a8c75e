//! A real resolver, Unbound, that validates DNSSEC and queries the zones of one name server only.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RecordType};
use tempfile::TempDir;

use crate::dns::both_on_one_port;
use crate::knot::{Knot, program};
use crate::process::Process;
use crate::wait;

/// A fault of a resolver, or of the zones that it queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// No fault.
    None,
    /// The signed zones have other keys than the DS records of their parents.
    WrongKey,
    /// The name servers of the signed zones do not answer.
    Lame,
    /// It refuses to answer.
    Refuses,
}

/// A running Unbound; it ends with this value.
pub struct Unbound {
    _process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Unbound {
    /// Starts one on a free port of loopback. It queries `knot` for those zones, trusts the keys of the signed ones,
    /// caches nothing, and answers NXDOMAIN for all other names.
    pub fn start(knot: &Knot, signed: &[&str], unsigned: &[&str]) -> Self {
        Self::start_with(knot, signed, unsigned, Flaw::None)
    }

    /// The same with a fault.
    pub fn start_with(knot: &Knot, signed: &[&str], unsigned: &[&str], flaw: Flaw) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (datagrams, connections) = both_on_one_port();
        let address = datagrams.local_addr().expect("a bound socket has an address");
        let path = folder.path().join("unbound.conf");
        fs::write(&path, configuration(knot, address, signed, unsigned, flaw)).expect("it can be written");
        let mut command = Command::new(program("unbound"));
        command.arg("-d").arg("-c").arg(&path);
        // Free until the moment in which Unbound binds it.
        drop((datagrams, connections));
        let process = Process::start("unbound", command, folder.path());
        wait::until_true("Unbound answers", || is_answered(address));
        Self { _process: process, address, _folder: folder }
    }

    /// The address on which it listens, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn configuration(knot: &Knot, address: SocketAddr, signed: &[&str], unsigned: &[&str], flaw: Flaw) -> String {
    let access = if flaw == Flaw::Refuses { "refuse" } else { "allow" };
    let (ip, port) = (address.ip(), address.port());
    let mut text = format!(
        "server:\n  chroot: \"\"\n  username: \"\"\n  pidfile: \"\"\n  use-syslog: no\n  do-daemonize: no\n  \
           interface: {ip}\n  port: {port}\n  do-not-query-localhost: no\n  access-control: 127.0.0.0/8 {access}\n  ede: yes\n  \
           module-config: \"validator iterator\"\n  num-threads: 1\n  cache-max-ttl: 0\n  \
           cache-max-negative-ttl: 0\n  infra-host-ttl: 1\n  val-bogus-ttl: 0\n  local-zone: \".\" static\n"
    );
    for zone in signed {
        let anchor = match flaw {
            Flaw::WrongKey => format!("{zone}. DS 1 13 2 {}", "00".repeat(32)),
            _ => knot.trust_anchor(zone),
        };
        text.push_str(&format!("  trust-anchor: \"{anchor}\"\n"));
    }
    for zone in signed.iter().chain(unsigned) {
        text.push_str(&format!("  local-zone: \"{zone}.\" transparent\n"));
        // Reverse zones of addresses for examples are closed by default.
        if zone.ends_with(".arpa") {
            text.push_str(&format!("  local-zone: \"{zone}.\" nodefault\n"));
        }
    }
    let server: IpAddr = knot.address().ip();
    for zone in signed.iter().chain(unsigned) {
        // Port 1 has no server.
        let is_lame = flaw == Flaw::Lame && signed.contains(zone);
        let port = if is_lame { 1 } else { knot.address().port() };
        text.push_str(&format!("stub-zone:\n  name: \"{zone}\"\n  stub-addr: {server}@{port}\n"));
    }
    text
}

/// True if any reply comes.
fn is_answered(address: SocketAddr) -> bool {
    let mut question = Message::query();
    question.add_query(Query::query(Name::root(), RecordType::NS));
    let Ok(socket) = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else { return false };
    let mut answer = [0; 512];
    socket.set_read_timeout(Some(std::time::Duration::from_millis(200))).is_ok()
        && question.to_vec().is_ok_and(|octets| socket.send_to(&octets, address).is_ok())
        && socket.recv(&mut answer).is_ok()
}
