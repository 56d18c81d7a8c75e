use handover::config::{Acme, ChallengePorts, Heartbeat, Renewal, Steward, Web, WebListen};

use super::{OwnAddresses, log};
use crate::init::role::Role;
use crate::settings::Certificates;
use crate::site::{Purpose, Site};

/// `steward.toml`.
pub(super) fn configuration(site: &Site, own: OwnAddresses) -> Steward {
    Steward {
        health: own.health,
        status: site.folders.status(),
        tls: site.tls(),
        volume: site.folders.volume.clone(),
        metrics: [Role::Mta, Role::Mda]
            .map(|role| (role.name().to_owned(), site.folders.metrics_socket(role.name())))
            .into(),
        log: log(site),
        heartbeat: heartbeat(site, own),
        web: Web {
            hostname: site.settings.hostname.clone(),
            domains: site.settings.domains.clone(),
            operator: site.settings.operator.clone(),
            // The sockets are handed over.
            listen: WebListen::default(),
        },
        dns_servers: site.settings.dns_servers.clone(),
        renewal: renewal(site),
    }
}

/// The settings for renewals; `None` if the steward does not obtain a certificate. The demo's names are in a reserved domain.
fn renewal(site: &Site) -> Option<Renewal> {
    let Certificates::Acme(acme) = &site.settings.certificates else { return None };
    (site.purpose == Purpose::Appliance).then(|| Renewal {
        folder: site.folders.acme(),
        authority: Acme {
            // The steward may be unable to read files that root can.
            ca_file: acme.ca_file.as_ref().map(|_| site.folders.authority_ca()),
            ..acme.clone()
        },
        dns_update: site.settings.dns_update.clone(),
        challenge_ports: ChallengePorts::default(),
    })
}

fn heartbeat(site: &Site, own: OwnAddresses) -> Option<Heartbeat> {
    Some(Heartbeat {
        every_seconds: Heartbeat::every_seconds(),
        smtp: own.smtp,
        imaps: own.imaps,
        hostname: site.settings.hostname.clone(),
        address: site.heartbeat_address()?,
        password: site.heartbeat_password.as_ref()?.password.clone(),
    })
}
