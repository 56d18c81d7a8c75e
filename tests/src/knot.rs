//! A real primary name server, Knot, with zones that accept dynamic updates (RFC 2136).

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::dns::both_on_one_port;
use crate::process::Process;
use crate::wait;

/// The name of the key that may change the zones.
pub const KEY_NAME: &str = "mailstead";
/// Its secret; the algorithm is hmac-sha256.
pub const SECRET: &str = "bXVzdCBiZSBhIHNlY3JldCBvZiAzMiBvY3RldHMgISE=";

/// A running Knot; it ends when this value is dropped.
pub struct Knot {
    process: Process,
    address: SocketAddr,
    folder: TempDir,
}

/// Knot's DNSSEC configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// Zones without DNSSEC.
    Off,
    /// Zones signed by keys that Knot generates, and signed again after each update.
    On,
}

impl Knot {
    /// Starts a server on a free port of loopback. Each zone has its SOA, its NS `ns.<zone>` at that address, and the
    /// lines given.
    pub fn start(zones: &[(&str, &str)], signing: Signing) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (datagrams, connections) = both_on_one_port();
        let address = datagrams.local_addr().expect("a bound socket has an address");
        let path = folder.path();
        fs::create_dir(path.join("db")).expect("a folder can be made");
        for (zone, lines) in zones {
            let text = format!(
                "$ORIGIN {zone}.\n$TTL 1\n@ SOA ns hostmaster 1 60 60 3600 1\n@ NS ns\nns A 127.0.0.1\n{lines}\n"
            );
            fs::write(path.join(format!("{zone}.zone")), text).expect("a zone can be written");
        }
        fs::write(path.join("knot.conf"), configuration(path, address, zones, signing))
            .expect("the configuration can be written");
        let mut command = Command::new(program("knotd"));
        command.arg("-c").arg(path.join("knot.conf"));
        // Kept until just before Knot binds the port.
        drop((datagrams, connections));
        let process = Process::start("knot", command, path);
        let knot = Self { process, address, folder };
        for (zone, _) in zones {
            wait::until_true(&format!("Knot serves {zone}"), || {
                knot.dig(&[zone, "SOA"]).contains("hostmaster")
            });
        }
        knot
    }

    /// The address that it listens on, over UDP and TCP.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its answer for a name and a type, one record per line, as `kdig +short` prints it.
    pub fn dig(&self, question: &[&str]) -> String {
        let output = Command::new(program("kdig"))
            .arg(format!("@{}", self.address.ip()))
            .args(["-p", &self.address.port().to_string(), "+short", "+timeout=2", "+retry=0"])
            .args(question)
            .stdin(Stdio::null())
            .output()
            .expect("kdig runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The DS record of a signed zone's key, for a resolver to trust.
    pub fn trust_anchor(&self, zone: &str) -> String {
        wait::until(&format!("{zone} has a key"), || {
            let output = Command::new(program("keymgr"))
                .arg("-c")
                .arg(self.folder.path().join("knot.conf"))
                .args([zone, "ds"])
                .stdin(Stdio::null())
                .output()
                .expect("keymgr runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.lines().find(|line| line.contains(" 13 2 ")).map(str::to_owned)
        })
    }

    /// Its output.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn configuration(folder: &Path, address: SocketAddr, zones: &[(&str, &str)], signing: Signing) -> String {
    let folder = folder.display();
    let listen = format!("{}@{}", address.ip(), address.port());
    let mut text = format!(
        "server:\n    rundir: \"{folder}\"\n    listen: [ \"{listen}\" ]\n    tcp-workers: 1\n    udp-workers: 1\n    \
             background-workers: 1\n\
         log:\n  - target: stdout\n    any: info\n\
         database:\n    storage: \"{folder}/db\"\n\
         key:\n  - id: {KEY_NAME}\n    algorithm: hmac-sha256\n    secret: {SECRET}\n\
         acl:\n  - id: mailstead\n    key: {KEY_NAME}\n    action: update\n\
         policy:\n  - id: tests\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n\
         template:\n  - id: default\n    storage: \"{folder}\"\n    file: \"%s.zone\"\n    acl: mailstead\n    \
             zonefile-sync: -1\n    zonefile-load: difference-no-serial\n    journal-content: all\n"
    );
    if signing == Signing::On {
        text.push_str("    dnssec-signing: on\n    dnssec-policy: tests\n");
    }
    text.push_str("zone:\n");
    for (zone, _) in zones {
        text.push_str(&format!("  - domain: {zone}\n"));
    }
    text
}

/// A program of Debian's packages knot, knot-dnsutils, knot-dnssecutils or unbound.
pub fn program(name: &str) -> PathBuf {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file()).unwrap_or_else(
        || panic!("{name} is not installed: apt-get install knot knot-dnsutils knot-dnssecutils unbound"),
    )
}
