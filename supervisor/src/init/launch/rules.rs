//! The files and ports that each role may reach: the one table of it, made by process 1 and applied by the launcher.
//!
//! | role | reads | writes | connects to TCP ports |
//! |---|---|---|---|
//! | `steward` | runtime folder, `/etc` | `tls`, `acme` | DNS, 80, 443, mail's own, what the settings name |
//! | `mta` | runtime folder, `/etc`, `tls`, `dkim`, accounts | `queue`, `corpus` | DNS, 25, 443, what the settings name |
//! | `mda` | runtime folder, `tls`, accounts | `mail`, `index` | none |
//!
//! A rule applies to a folder and everything below it, since most files are replaced by rename and a rule on a file
//! would stay with the old one. So the rule for `accounts.toml` is one for reading files of the volume; the rights of
//! the users that the roles run as decide which of those a role can read. A change that adds a folder or a port to a
//! role's work must add it here too.
//!
//! No role may bind a TCP port: process 1 has bound the sockets.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::init::role::Role;
use crate::settings::{Certificates, Settings};
use crate::site::Site;

/// Other hosts' SMTP servers.
const SMTP: u16 = 25;
/// Name servers, for replies that do not fit into a datagram.
const DNS: u16 = 53;
/// Policies (MTA-STS), certificate authorities.
const HTTPS: u16 = 443;
/// The check that we are reachable where an authority would connect.
const HTTP: u16 = 80;

/// The resources that one role may reach besides the sockets that it was handed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Folders and files that it may read.
    pub read: Vec<PathBuf>,
    /// Folders in which it may do everything.
    pub write: Vec<PathBuf>,
    /// The TCP ports that it may connect to, on any host.
    pub connect: BTreeSet<u16>,
}

impl Rules {
    /// The rules of a role. `listening` has the ports that process 1 has bound.
    pub fn of(role: Role, site: &Site, listening: &[SocketAddr]) -> Self {
        let folders = &site.folders;
        let settings = &site.settings;
        // Resolver, hosts and authorities. The container's has no secrets, and elsewhere they are readable by root
        // alone.
        let etc = PathBuf::from("/etc");
        let name_servers = settings.dns_servers.iter().map(SocketAddr::port);
        match role {
            Role::Steward => Self {
                read: [folders.runtime.clone(), etc].into_iter().chain(authority_file(settings)).collect(),
                write: vec![folders.tls(), folders.acme()],
                connect: [SMTP, DNS, HTTP, HTTPS]
                    .into_iter()
                    .chain(name_servers)
                    // Our own: it checks that we answer there.
                    .chain(listening.iter().map(SocketAddr::port))
                    // Another program may hold one of these now and free it later.
                    .chain(settings.http_port)
                    .chain(settings.https_port)
                    .chain(authority_port(settings))
                    .chain(settings.check_smtp_host.iter().map(|host| host.port))
                    .chain(settings.dns_update.iter().map(|update| update.server.port()))
                    .collect(),
            },
            Role::Mta => Self {
                read: vec![folders.runtime.clone(), etc, folders.volume.clone()],
                write: vec![folders.queue(), folders.volume.join("corpus")],
                connect: [SMTP, DNS, HTTPS]
                    .into_iter()
                    .chain(name_servers)
                    .chain(settings.relay.iter().map(|relay| relay.port))
                    .collect(),
            },
            Role::Mda => Self {
                read: vec![folders.runtime.clone(), folders.volume.clone()],
                write: vec![folders.mail(), folders.index()],
                connect: BTreeSet::new(),
            },
        }
    }
}

/// The CA certificate that the authority's web server is verified with.
fn authority_file(settings: &Settings) -> Option<PathBuf> {
    let Certificates::Acme(acme) = &settings.certificates else { return None };
    acme.ca_file.clone()
}

/// The port of the certificate authority, if it is not the standard one.
fn authority_port(settings: &Settings) -> Option<u16> {
    let Certificates::Acme(acme) = &settings.certificates else { return None };
    acme.directory.parse::<hyper::Uri>().ok()?.port_u16()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::Folders;

    fn rules(role: Role, environment: &[(&str, &str)]) -> Rules {
        let environment = [("MAIL_DOMAIN", "example.org")].iter().chain(environment);
        let settings = Settings::read(environment.map(|(name, value)| (name.into(), value.into()))).unwrap();
        let site = Site::unstarted(settings, Folders::of_container());
        Rules::of(role, &site, &["127.0.0.1:8025".parse().unwrap()])
    }

    #[test]
    fn a_role_may_connect_to_the_ports_in_its_settings() {
        let environment = [
            ("MAIL_RELAY_URL", "submission://ann:secret@relay.example.net:2587"),
            ("MAIL_ACME_DIRECTORY", "https://authority.example.net:14000/dir"),
            ("MAIL_DNS_UPDATE_SERVER", "192.0.2.1:5353"),
            ("MAIL_DNS_SERVERS", "127.0.0.1:5300"),
            ("MAIL_CHECK_SMTP_HOST", "mx.example.net:2525"),
        ];
        assert_eq!(rules(Role::Mta, &environment).connect, [25, 53, 443, 2587, 5300].into());
        let steward = [25, 53, 80, 443, 2525, 5300, 5353, 8025, 14000];
        assert_eq!(rules(Role::Steward, &environment).connect, steward.into());
        assert!(rules(Role::Mda, &environment).connect.is_empty());
    }

    #[test]
    fn no_two_roles_write_into_one_folder() {
        let mut written: Vec<PathBuf> =
            Role::START_ORDER.into_iter().flat_map(|role| rules(role, &[]).write).collect();
        let count = written.len();
        written.sort();
        written.dedup();
        assert_eq!(written.len(), count);
    }
}
