use std::net::SocketAddr;

use handover::config::{Steward, Web, WebListen};

use super::log;
use crate::init::role::Role;
use crate::site::Site;

/// `steward.toml`.
pub(super) fn configuration(site: &Site, health: SocketAddr) -> Steward {
    Steward {
        health,
        status: site.folders.status(),
        tls: site.tls(),
        volume: site.folders.volume.clone(),
        metrics: [Role::Mta, Role::Mda]
            .map(|role| (role.name().to_owned(), site.folders.metrics_socket(role.name())))
            .into(),
        log: log(site),
        web: Web {
            hostname: site.settings.hostname.clone(),
            domains: site.settings.domains.clone(),
            // The sockets are handed over.
            listen: WebListen::default(),
        },
    }
}
