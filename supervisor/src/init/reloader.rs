//! The reload of a running site: its settings are read again, and everything that depends on them is updated.

use std::fmt::Display;
use std::net::SocketAddr;

use handover::Concern;

use super::background::{Abandon, BackgroundWork};
use super::prepare::{PrepareError, refresh};
use super::programs;
use super::supervision::Reloaded;
use crate::settings::{SettingFaults, Settings};
use crate::site::Site;

/// Reads settings.
pub trait ReadSettings: FnMut() -> Result<Settings, SettingFaults> + Send + 'static {}

impl<R: FnMut() -> Result<Settings, SettingFaults> + Send + 'static> ReadSettings for R {}

/// Keeps a site up to date.
///
/// The environment of a process stays as it was at its start; the files that it names can change: users, aliases, the
/// relay, keys. So every setting that can be secret can change at run time.
pub struct Reloader<R> {
    site: Site,
    /// The ports on which it listens.
    ports: Vec<SocketAddr>,
    read: R,
}

impl<R: ReadSettings> Reloader<R> {
    /// A reloader of that site, whose settings come from `read`.
    pub fn new(site: Site, ports: Vec<SocketAddr>, read: R) -> Self {
        Self { site, ports, read }
    }
}

impl<R: ReadSettings> BackgroundWork for Reloader<R> {
    /// Reloads the settings. If they are refused, the old ones stay in force, and the reason is logged and returned.
    fn reload(&mut self, abandon: &Abandon) -> Result<Reloaded, Concern> {
        let settings = (self.read)().map_err(|faults| refused_reload_concern(&faults))?;
        let site = Site { settings, ..self.site.clone() };
        let concerns = refresh(&site, abandon).map_err(|error| match error {
            // There is no loop any more to keep the concern, and nothing for the operator to do.
            PrepareError::Abandoned => Concern::new(error.to_string(), ""),
            error => refused_reload_concern(&error),
        })?;
        self.site = site;
        tracing::info!("reload complete");
        Ok(Reloaded { concerns, programs: programs(&self.site, &self.ports) })
    }

    fn has_users(&mut self) -> bool {
        self.site.has_users()
    }
}

/// The concern of a refused reload until one succeeds. The next start would fail for the same reason.
fn refused_reload_concern(reason: &impl Display) -> Concern {
    tracing::error!("reload refused, the old settings stay in force: {reason}");
    let reason = reason.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    Concern::new(
        format!(
            "the last reload was refused: the old settings stay in force, and a restart would fail: {reason}"
        ),
        "fix the named cause (if no space is left, free some on the volume), then send SIGHUP to the server (docker compose kill -s HUP mail)",
    )
}
