use std::net::SocketAddr;

use handover::config::Steward;

use super::log;
use crate::certificate;
use crate::site::Site;

/// `steward.toml`.
pub(super) fn configuration(site: &Site, http: SocketAddr) -> Steward {
    Steward {
        http,
        status: site.folders.status(),
        tls: certificate::files(&site.folders.tls()),
        volume: site.folders.volume.clone(),
        log: log(site),
    }
}
