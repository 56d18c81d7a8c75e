use handover::config::{DkimKey, Dns, Login, Mta, MtaLimits, MtaListen, Outbound};

use super::{heartbeat_mailbox, log, per_address};
use crate::site::{Purpose, Site};

/// In the demo, no client should wait for name servers that a machine may not reach: checks that exceed this time are
/// recorded as not made.
const DEMO_DNS_BUDGET_MS: u64 = 400;

/// `mta.toml`.
pub(super) fn configuration(site: &Site, dkim: Vec<DkimKey>) -> Mta {
    let settings = &site.settings;
    let defaults = MtaLimits::default();
    let dns = Dns::default();
    Mta {
        hostname: settings.hostname.clone(),
        accounts: site.folders.accounts(),
        queue: site.folders.queue(),
        lmtp: site.folders.lmtp_socket(),
        relay: site.relay(),
        quotas: (&settings.quotas).into(),
        // The sockets are handed over.
        listen: MtaListen::default(),
        tls: site.tls(),
        limits: MtaLimits {
            message_size: settings.message_size,
            connections_per_address: per_address(site, defaults.connections_per_address),
            ..defaults
        },
        login: Login::default(),
        policy: settings.policy.clone(),
        dns: Dns {
            servers: settings.dns_servers.clone(),
            budget_ms: match site.purpose {
                Purpose::Appliance => dns.budget_ms,
                Purpose::Demo => DEMO_DNS_BUDGET_MS,
            },
        },
        outbound: Outbound::default(),
        log: log(site),
        heartbeat: heartbeat_mailbox(site),
        dkim,
    }
}
