//! The ports: all are bound by process 1, before any daemon runs, and stay bound when one dies. A port that another
//! program holds and that is not vital is bound later, once it is free.

mod unbound;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;

use handover::sockets::{self, SocketError};
use nix::unistd::Gid;

use crate::init::role::Role;
use crate::init::spawn::NamedSocket;
use crate::site::{Purpose, Site};
pub use unbound::Unbound;
use unbound::kind;
#[cfg(test)]
pub(crate) use unbound::tests::taken;

/// A port that the appliance serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// The name under which the daemon requests the socket.
    pub name: &'static str,
    /// The daemon.
    pub role: Role,
    /// The standard number.
    pub number: u16,
    /// Set if other hosts may reach it.
    pub is_public: bool,
    /// Set if there is no mail service without it. Another port that cannot be bound is reported, and the start
    /// continues without it.
    pub is_vital: bool,
    /// The use of the port.
    pub about: &'static str,
}

const fn public(name: &'static str, role: Role, number: u16, about: &'static str) -> Port {
    Port { name, role, number, is_public: true, is_vital: true, about }
}

const fn web(name: &'static str, number: u16, about: &'static str) -> Port {
    Port { name, role: Role::Steward, number, is_public: true, is_vital: false, about }
}

/// All ports. Health is served to this machine only: it reveals more than unknown clients need.
pub const ALL: [Port; 8] = [
    public("smtp", Role::Mta, 25, "mail from other hosts"),
    public("submissions", Role::Mta, 465, "mail from users, with TLS"),
    public("submission", Role::Mta, 587, "mail from users, with STARTTLS"),
    public("imap", Role::Mda, 143, "users' mailboxes, with STARTTLS"),
    public("imaps", Role::Mda, 993, "users' mailboxes, with TLS"),
    web(sockets::HTTP, 80, "the certificate's challenges"),
    web(sockets::HTTPS, 443, "policies and clients' settings"),
    Port {
        name: sockets::HEALTH,
        role: Role::Steward,
        number: 8025,
        is_public: false,
        is_vital: true,
        about: "health",
    },
];

/// A socket that listens.
#[derive(Debug)]
pub struct Listening {
    /// Its daemon.
    pub role: Role,
    /// The socket.
    pub socket: NamedSocket,
    /// Its address; `None` for a path.
    pub address: Option<SocketAddr>,
}

/// A socket that could not be bound although there is no mail service without it.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// A port.
    #[error("{0}")]
    Port(Unbound),
    /// A path in the runtime folder.
    #[error(transparent)]
    Path(#[from] SocketError),
}

/// The result of binding.
#[derive(Debug)]
pub struct Bound {
    /// The sockets.
    pub listening: Vec<Listening>,
    /// Ports that could not be bound, and without which mail is still served.
    pub unbound: Vec<Unbound>,
}

/// Binds every port and every path, or returns the error of each that could not be bound.
pub fn bind(site: &Site) -> Result<Bound, Vec<PortError>> {
    let mut listening = Vec::new();
    let mut unbound = Vec::new();
    let mut errors = Vec::new();
    for port in of(site) {
        match listen(port, site.purpose) {
            Ok(listener) => listening.push(listener),
            Err(failed) if port.is_vital => errors.push(PortError::Port(failed)),
            Err(failed) => unbound.push(failed),
        }
    }
    // A socket at its path replaces an existing one, so that waits until nothing else is in the way.
    if !errors.is_empty() {
        return Err(errors);
    }
    let shared = site.owners.as_ref().map(|owners| owners.shared);
    let steward = site.owners.as_ref().map(|owners| owners.steward.group);
    // A process that can write to the MDA's socket can deliver to any user, so only the MTA may. Metrics are for the
    // steward.
    for (role, name, path, group) in [
        (Role::Mda, sockets::LMTP, site.folders.lmtp_socket(), shared),
        (Role::Mda, sockets::METRICS, site.folders.metrics_socket(Role::Mda.name()), steward),
        (Role::Mta, sockets::METRICS, site.folders.metrics_socket(Role::Mta.name()), steward),
    ] {
        match bind_path(&path, group) {
            Ok(listener) => listening.push(Listening {
                role,
                address: None,
                socket: NamedSocket { name, socket: listener.into() },
            }),
            Err(source) => errors.push(source.into()),
        }
    }
    if errors.is_empty() { Ok(Bound { listening, unbound }) } else { Err(errors) }
}

/// The ports of a site, under the numbers that the settings give them.
pub fn of(site: &Site) -> impl Iterator<Item = Port> {
    ALL.into_iter().filter_map(move |port| configured(port, site))
}

/// The port under the number in the settings; `None` if that is `none`.
fn configured(port: Port, site: &Site) -> Option<Port> {
    let number = match port.name {
        sockets::HTTP => site.settings.http_port?,
        sockets::HTTPS => site.settings.https_port?,
        _ => port.number,
    };
    Some(Port { number, ..port })
}

/// Binds one port.
fn listen(port: Port, purpose: Purpose) -> Result<Listening, Unbound> {
    match bind_port(port, purpose) {
        Ok(listener) => Ok(Listening {
            role: port.role,
            address: listener.local_addr().ok(),
            socket: NamedSocket { name: port.name, socket: listener.into() },
        }),
        Err(source) => Err(Unbound { port, purpose, source }),
    }
}

fn bind_port(port: Port, purpose: Purpose) -> Result<TcpListener, SocketError> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    match (purpose, port.is_public) {
        (Purpose::Demo, _) => sockets::bind_tcp((loopback, 0).into()),
        (Purpose::Appliance, false) => sockets::bind_tcp((loopback, port.number).into()),
        (Purpose::Appliance, true) => {
            // One socket for both families; if IPv6 is disabled, one for IPv4 alone.
            let both = sockets::bind_tcp((Ipv6Addr::UNSPECIFIED, port.number).into());
            both.or_else(|error| match kind(&error) {
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
                _ => sockets::bind_tcp((Ipv4Addr::UNSPECIFIED, port.number).into()),
            })
        }
    }
}

/// A socket on a path, for one group to connect to.
fn bind_path(path: &Path, group: Option<Gid>) -> Result<UnixListener, SocketError> {
    let listener = sockets::bind_unix(path)?;
    let rights = || {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
        if group.is_some() {
            nix::unistd::chown(path, None, group)?;
        }
        Ok(())
    };
    rights().map_err(|source| SocketError::Bind { address: path.display().to_string(), source })?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_appliance_serves_each_port_once_and_only_health_is_private() {
        for (index, port) in ALL.iter().enumerate() {
            assert!(
                ALL[index + 1..].iter().all(|other| other.number != port.number && other.name != port.name)
            );
            assert_eq!(port.is_public, port.name != sockets::HEALTH);
        }
    }
}
