//! What a running site is kept up to date by: the settings read again, and all that follows from them.

use std::net::SocketAddr;

use super::prepare::refresh;
use super::supervision::Reloaded;
use super::{ports, programs};
use crate::ports::Listening;
use crate::settings::{Faults, Settings};
use crate::site::Site;

/// Keeps a site up to date.
///
/// The environment of a process is what it was at its start; what changes are the files that it names: users, aliases,
/// the relay, keys. So whatever of the settings can be secret can change while it runs.
pub struct Keeper<R> {
    site: Site,
    /// Where it listens.
    ports: Vec<SocketAddr>,
    read: R,
}

impl<R: FnMut() -> Result<Settings, Faults>> Keeper<R> {
    /// A keeper of that site, whose settings come from `read`.
    pub fn new(site: &Site, read: R) -> Self {
        Self { site: site.clone(), ports: Vec::new(), read }
    }

    /// The site as it is now.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The ports are bound.
    pub fn prepared(&mut self, listening: &[Listening]) {
        self.ports = ports(listening);
    }

    /// Reads everything again and writes what follows from it. What has come of it, or nothing when the daemons shall go
    /// on with what they have: then the old settings stay in force, and the log says why.
    pub fn reload(&mut self) -> Option<Reloaded> {
        let settings = match (self.read)() {
            Ok(settings) => settings,
            Err(faults) => {
                tracing::error!("the old settings stay in force: {faults}");
                return None;
            }
        };
        let site = Site { settings, ..self.site.clone() };
        match refresh(&site) {
            Ok(concerns) => {
                self.site = site;
                Some(Reloaded { concerns, programs: programs(&self.site, &self.ports) })
            }
            Err(error) => {
                tracing::error!("the old settings stay in force: {error}");
                None
            }
        }
    }
}
