//! `mailstead` without a role: process 1 of the container.

use std::process::ExitCode;

use nix::unistd::Uid;

use super::prepare::{PrepareError, refresh};
use super::watch::Attendant;
use super::{Host, capabilities, log, run_site, signals};
use crate::exit::Exit;
use crate::settings::Settings;
use crate::site::{Purpose, Site};
use crate::volume::{Folders, Owners};

/// Runs until it is asked to stop.
pub fn run() -> ExitCode {
    // First of all: a signal that comes now is answered when the loop begins, not lost.
    if let Err(errno) = signals::block() {
        eprintln!("mailstead cannot block signals: {errno}");
        return Exit::System.into();
    }
    let settings = match Settings::read(std::env::vars_os()) {
        Ok(settings) => settings,
        Err(faults) => {
            eprintln!("mailstead cannot start: {faults}");
            return Exit::Usage.into();
        }
    };
    let owners = match Uid::effective().is_root().then(Owners::look_up).transpose() {
        Ok(owners) => owners,
        Err(error) => {
            eprintln!("mailstead cannot start: {error}");
            return Exit::System.into();
        }
    };
    let missing = capabilities::missing();
    if owners.is_some() && !missing.is_empty() {
        let missing = missing.join(", ");
        eprintln!("mailstead cannot start: the container lacks capabilities; add `cap_add: [{missing}]`");
        return Exit::NoCapability.into();
    }
    let outlet = log::start(&settings.log, None);
    let site = Site { settings, folders: Folders::of_container(), owners, purpose: Purpose::Appliance };
    let exit = run_site(&site, None, &mut Keeper { site: site.clone() }).unwrap_or_else(|error| {
        tracing::error!("mailstead cannot start: {error}");
        error.exit()
    });
    outlet.flush();
    exit.into()
}

/// Keeps the site up to date while it runs.
struct Keeper {
    site: Site,
}

impl Attendant for Keeper {
    fn reload(&mut self) -> Option<Vec<String>> {
        match Settings::read(std::env::vars_os()) {
            Ok(settings) => self.site.settings.users = settings.users,
            Err(faults) => {
                // The environment is what it was at the start: it is a file that has changed for the worse.
                tracing::error!("the old settings stay in force: {faults}");
                return None;
            }
        }
        refresh(&self.site).map_err(|error: PrepareError| tracing::error!(%error, "cannot reload")).ok()
    }

    fn all_ready(&mut self) {
        tracing::info!(hostname = self.site.settings.hostname.as_str(), "serving mail");
    }
}

impl Host for Keeper {}
