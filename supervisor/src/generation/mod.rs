//! The daemons' configuration files from the settings: pure functions, and one that writes their results.

mod accounts;
mod mda;
mod mta;
mod steward;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use handover::config::{
    self, ConfigError, DkimKey, HeartbeatMailbox, Log, Login, Mda, Mta, Presence, Steward,
};
use handover::gateway;
use ipnet::IpNet;
use nix::unistd::Gid;
use serde::Serialize;

pub use accounts::{AccountsError, MergedAccounts, declaration, merge_accounts, write_accounts};

use crate::init::role::Role;
use crate::site::{Purpose, Site};
use crate::volume;

/// The limit of connections at one time from one address; unlimited in the demo, in which all come from one.
fn per_address(site: &Site, limit: usize) -> usize {
    match site.purpose {
        Purpose::Appliance => limit,
        Purpose::Demo => 0,
    }
}

/// This machine, and its gateways: in a container, connections that the engine forwards without an address come from
/// there. Proxies name their clients.
fn login(gateways: &[IpAddr], proxies: &[IpNet]) -> Login {
    let mut login = Login { trusted_proxies: proxies.to_vec(), ..Login::default() };
    login.shared_networks.extend(gateways.iter().map(|gateway| IpNet::from(*gateway)));
    login
}

fn log(site: &Site) -> Log {
    site.settings.log.clone()
}

/// The heartbeat's mailbox, for the daemons that serve it.
fn heartbeat_mailbox(site: &Site) -> Option<HeartbeatMailbox> {
    let secret = site.heartbeat_password.as_ref()?.secret.as_str().to_owned();
    Some(HeartbeatMailbox { address: site.heartbeat_address()?, secret })
}

/// An error of writing a configuration.
#[derive(Debug, thiserror::Error)]
pub enum GenerationError {
    /// It cannot be expressed in TOML.
    #[error("cannot write {} as TOML: {source}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// The error.
        source: toml::ser::Error,
    },
    /// The previous one cannot be read.
    #[error(transparent)]
    Before(#[from] ConfigError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] durable::Error),
}

/// Writes the configurations of the MTA and the MDA, which may change with a reload.
pub fn write_mail_daemons(site: &Site, dkim: Vec<DkimKey>) -> Result<(), GenerationError> {
    let owners = site.owners.as_ref();
    let login = login(&gateway::default_gateways(), &site.settings.trusted_proxies);
    let mta = Mta { login: login.clone(), ..mta::configuration(site, dkim) };
    let mda = Mda { login, ..mda::configuration(site) };
    write(site, Role::Mta, &mta, owners.map(|owners| owners.mta.group))?;
    write(site, Role::Mda, &mda, owners.map(|owners| owners.vmail.group))
}

/// Writes the facts that the steward, and in a demo the operator's commands, compare with the published ones.
pub fn write_presence(site: &Site, presence: &Presence) -> Result<(), GenerationError> {
    let group = site.owners.map(|owners| owners.steward.group);
    write_toml(&site.folders.presence(), presence, group)
}

/// The addresses at which this host reaches itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnAddresses {
    /// The address that answers health checks.
    pub health: SocketAddr,
    /// Port 25.
    pub smtp: SocketAddr,
    /// Port 993.
    pub imaps: SocketAddr,
}

/// Writes the steward's configuration.
pub fn write_steward(site: &Site, own: OwnAddresses) -> Result<(), GenerationError> {
    let group = site.owners.map(|owners| owners.steward.group);
    write(site, Role::Steward, &steward::configuration(site, own), group)
}

/// Writes the steward's configuration again, after a change of the settings. The host's own addresses stay.
pub fn rewrite_steward(site: &Site) -> Result<(), GenerationError> {
    let before: Steward = config::load(&site.folders.configuration(Role::Steward.name()))?;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let beat = before.heartbeat.as_ref();
    let own = OwnAddresses {
        health: before.health,
        smtp: beat.map_or(nowhere, |beat| beat.smtp),
        imaps: beat.map_or(nowhere, |beat| beat.imaps),
    };
    write_steward(site, own)
}

/// Writes a daemon's configuration, for that daemon alone to read.
fn write(
    site: &Site,
    role: Role,
    configuration: &impl Serialize,
    group: Option<Gid>,
) -> Result<(), GenerationError> {
    write_toml(&site.folders.configuration(role.name()), configuration, group)
}

fn write_toml(
    path: &Path,
    configuration: &impl Serialize,
    group: Option<Gid>,
) -> Result<(), GenerationError> {
    let toml = match toml::to_string(configuration) {
        Ok(toml) => toml,
        Err(source) => return Err(GenerationError::Toml { path: path.to_owned(), source }),
    };
    let text = format!("# Written by process 1 at every start; changes made here are lost.\n{toml}");
    Ok(volume::write(path, text.as_bytes(), 0o640, group)?)
}

#[cfg(test)]
mod tests;
