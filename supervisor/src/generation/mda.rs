use handover::config::{Login, Mda, MdaLimits, MdaListen};

use super::{heartbeat_mailbox, log, per_address};
use crate::site::Site;

/// The size that trace fields may add to a message of the MTA's largest size.
const TRACE_FIELDS: u64 = 64 << 10;

/// `mda.toml`.
pub(super) fn configuration(site: &Site) -> Mda {
    let defaults = MdaLimits::default();
    Mda {
        hostname: site.settings.hostname.clone(),
        accounts: site.folders.accounts(),
        mail: site.folders.mail(),
        index: site.folders.index(),
        // The sockets are handed over.
        listen: MdaListen::default(),
        tls: site.tls(),
        limits: MdaLimits {
            message_size: site.settings.message_size + TRACE_FIELDS,
            connections_per_address: per_address(site, defaults.connections_per_address),
            ..defaults
        },
        login: Login::default(),
        quotas: (&site.settings.quotas).into(),
        log: log(site),
        heartbeat: heartbeat_mailbox(site),
    }
}
