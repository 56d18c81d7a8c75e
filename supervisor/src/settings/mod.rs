//! The settings: from the environment, raw and then refined, all faults in one report.
//!
//! ```text
//! environment ── raw.rs ──▶ Raw ── refine/ ──▶ Settings      or SettingFaults, with every fault
//! ```
//!
//! Only process 1 and the operator's commands read the environment; the daemons get their configuration files.

pub mod fault;
mod host_and_port;
pub mod lines;
mod quotas;
mod raw;
#[cfg(test)]
mod reference;
mod refine;
mod suggestion;
pub mod variables;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use accounts::declaration::{DeclaredAlias, DeclaredUser};
use accounts::{Accounts, AccountsError};
use address::Domain;
use handover::config::{Acme, DnsUpdate, Format, Log, Policy, Relay};
use ipnet::IpNet;

use crate::read_limited;
pub use fault::SettingFaults;
pub use host_and_port::HostAndPort;
pub use quotas::Quotas;

/// The settings, all of them valid.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The domains whose mail arrives here, at least one: those that were set, the home domain first, then those of
    /// declared users.
    pub domains: Vec<Domain>,
    /// The domains among them that only declared users have and MAIL_DOMAIN does not name.
    pub undeclared: Vec<Domain>,
    /// The name of this machine.
    pub hostname: Domain,
    /// The declared users, in their order.
    pub users: Vec<DeclaredUser>,
    /// The declared aliases, in their order.
    pub aliases: Vec<DeclaredAlias>,
    /// The quotas of users.
    pub quotas: Quotas,
    /// The relay for all outgoing mail, if it does not go to its destinations.
    pub relay: Option<Relay>,
    /// The largest message that is accepted, in octets.
    pub message_size: u64,
    /// The source of the certificate.
    pub certificates: Certificates,
    /// The name servers to query; if empty, those of the system.
    pub dns_servers: Vec<SocketAddr>,
    /// The name server that accepts updates of the domains' zones.
    pub dns_update: Option<DnsUpdate>,
    /// The web's port.
    pub http_port: Option<u16>,
    /// The web's port over TLS.
    pub https_port: Option<u16>,
    /// The lines of the operator's name and address; empty if they are not set.
    pub operator: Vec<String>,
    /// The policy for mail from other hosts.
    pub policy: Policy,
    /// The zones of the blocklists in which our own addresses are looked up.
    pub check_blocklists: Vec<Domain>,
    /// A host; connecting to it shows whether mail can leave this machine.
    pub check_smtp_host: Option<HostAndPort>,
    /// The networks of the proxies whose PROXY headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The log's settings.
    pub log: Log,
}

/// The source of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificates {
    /// An authority.
    Acme(Acme),
    /// Files that the operator provides.
    External {
        /// The certificate with its chain, in PEM.
        certificate: PathBuf,
        /// Its key, in PEM.
        key: PathBuf,
    },
    /// The server itself.
    SelfMade,
}

impl Settings {
    /// Reads the settings from an environment, or returns all its faults.
    pub fn read(environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, SettingFaults> {
        Self::read_with(environment, None, &read_setting)
    }

    /// The same, checked against the present accounts: only they show whether an alias leads to a user that was added
    /// by command. Missing accounts count as empty; unreadable ones are not checked against, for another step reports
    /// their fault.
    pub fn read_checked_against(
        environment: impl Iterator<Item = (OsString, OsString)>,
        accounts: &Path,
    ) -> Result<Self, SettingFaults> {
        let accounts = match Accounts::load(accounts) {
            Ok(accounts) => Some(accounts),
            Err(AccountsError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Some(Accounts::default())
            }
            Err(_) => None,
        };
        Self::read_with(environment, accounts.as_ref(), &read_setting)
    }

    /// The same, with `read_file` to read files.
    pub fn read_with(
        environment: impl Iterator<Item = (OsString, OsString)>,
        accounts: Option<&Accounts>,
        read_file: raw::ReadFile<'_>,
    ) -> Result<Self, SettingFaults> {
        let mut faults = Vec::new();
        let mut raw = raw::Raw::read(environment, read_file, &mut faults);
        refine::refine(&mut raw, accounts, &mut faults).ok_or(SettingFaults(faults))
    }

    /// The domain of a name without one.
    pub fn home(&self) -> &Domain {
        &self.domains[0]
    }
}

/// The format that the log would have, as far as an environment with faults shows it.
pub fn log_format(environment: impl Iterator<Item = (OsString, OsString)>) -> Format {
    let mut environment = environment;
    let set = environment.find(|(name, _)| name == variables::LOG_FORMAT.name);
    set.and_then(|(_, value)| refine::log_format(value.to_str()?)).unwrap_or_default()
}

/// Reads a whole file of at most 4 MiB: enough for tens of thousands of users.
fn read_setting(path: &Path) -> std::io::Result<String> {
    String::from_utf8(read_limited::read(path, 4)?).map_err(|_| {
        std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8; save it as UTF-8")
    })
}

#[cfg(test)]
mod tests;
