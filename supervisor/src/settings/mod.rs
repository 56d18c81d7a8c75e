//! The settings: from the environment, raw and then refined, all faults in one report.
//!
//! ```text
//! environment ── raw.rs ──▶ Raw ── refine.rs ──▶ Settings      or Faults, with all that is wrong
//! ```
//!
//! Only process 1 and the operator's commands read the environment; the daemons get their configuration files.

pub mod fault;
mod raw;
#[cfg(test)]
mod reference;
mod refine;
mod size;
mod suggestion;
mod users;
pub mod variables;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use accounts::declaration::DeclaredUser;
use address::{Domain, Host};
use handover::config::Level;

pub use fault::Faults;

/// The settings, each of them good.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The domain whose mail arrives here.
    pub domain: Domain,
    /// The name of this machine.
    pub hostname: Domain,
    /// The declared users, in their order.
    pub users: Vec<DeclaredUser>,
    /// The file that they were read from, to be read again on SIGHUP.
    pub users_file: Option<PathBuf>,
    /// The largest message that is accepted, in octets.
    pub message_size: u64,
    /// The name servers to ask; none means those of the system.
    pub dns_servers: Vec<SocketAddr>,
    /// Where all outgoing mail is handed to, if not to its destinations.
    pub relay_to: Option<HostAndPort>,
    /// How much is logged.
    pub log: Level,
}

/// A host and a port on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostAndPort {
    /// A name or an address.
    pub host: Host,
    /// The port, not 0.
    pub port: u16,
}

impl std::fmt::Display for HostAndPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.host {
            Host::Domain(name) => write!(f, "{name}:{}", self.port),
            Host::Literal(ip) => write!(f, "{}", SocketAddr::from((*ip, self.port))),
        }
    }
}

impl Settings {
    /// Reads the settings out of an environment, or says all that is wrong with it.
    pub fn read(environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, Faults> {
        Self::read_with(environment, &read_bounded)
    }

    fn read_with(
        environment: impl Iterator<Item = (OsString, OsString)>,
        read_file: refine::ReadFile<'_>,
    ) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let raw = raw::Raw::read(environment, &mut faults);
        refine::refine(raw, read_file, &mut faults).ok_or(Faults(faults))
    }

    /// The domains whose mail arrives here: the one that was set, then those of declared users.
    pub fn domains(&self) -> Vec<Domain> {
        let mut domains = vec![self.domain.clone()];
        for declared in &self.users {
            if !domains.contains(declared.user.domain()) {
                domains.push(declared.user.domain().clone());
            }
        }
        domains
    }
}

/// Reads a whole file of at most 4 MiB: enough for tens of thousands of users, and no device can fill our memory.
fn read_bounded(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    const LARGEST: u64 = 4 << 20;
    let mut text = String::new();
    std::fs::File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(std::io::Error::other("it is larger than 4 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
