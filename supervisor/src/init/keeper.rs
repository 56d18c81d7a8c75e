//! What a running site is kept up to date by: the settings read again, and all that follows from them.

use std::fmt::Display;
use std::net::SocketAddr;

use handover::Concern;

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

    /// Reads everything again and writes what follows from it. When it is refused, the old settings stay in force, and the
    /// reason is logged and given back.
    pub fn reload(&mut self) -> Result<Reloaded, Concern> {
        let settings = (self.read)().map_err(|faults| refused(&faults))?;
        let site = Site { settings, ..self.site.clone() };
        let concerns = refresh(&site).map_err(|error| refused(&error))?;
        self.site = site;
        Ok(Reloaded { concerns, programs: programs(&self.site, &self.ports) })
    }
}

/// The concern that a refused reload is until one succeeds. The next start would fail by the same reason.
fn refused(reason: &impl Display) -> Concern {
    tracing::error!("the old settings stay in force: {reason}");
    let reason = reason.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    Concern::new(
        format!(
            "the last reload was refused, the old settings stay in force and a restart would fail: {reason}"
        ),
        "repair it, then send SIGHUP to the server (docker compose kill -s HUP mail)",
    )
}
