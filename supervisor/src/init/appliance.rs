//! `mailstead` without a role: process 1 of the container.

use std::fmt::Display;
use std::process::ExitCode;

use accounts::declaration::VerificationCache;
use address::Domain;
use handover::config::{Format, Log};
use handover::status::PROCESS_1;
use nix::unistd::Uid;
use serve::logging;

use super::background::{Abandon, unless_stopped};
use super::event_loop::LoopObserver;
use super::signals::Signals;
use super::{capabilities, run_site, signals};
use crate::exit::Exit;
use crate::settings::{self, Settings};
use crate::site::{HeartbeatPassword, Purpose, Site};
use crate::volume::{Folders, Owners};

/// Runs until it is asked to stop.
pub fn run() -> ExitCode {
    // First of all: a signal that comes now is handled when the loop begins, not lost.
    if let Err(errno) = signals::block() {
        eprintln!("mailstead cannot block signals: {errno}");
        return Exit::System.into();
    }
    let signals = match Signals::open() {
        Ok(signals) => signals,
        Err(errno) => return report_start_error(Exit::System, &format!("cannot read signals: {errno}")),
    };
    let folders = Folders::of_container();
    let accounts = folders.accounts();
    let read = move || Settings::read_checked_against(std::env::vars_os(), &accounts);
    let settings = match unless_stopped(&signals, &Abandon::default(), read.clone()) {
        Ok(Some(Ok(settings))) => settings,
        Ok(Some(Err(faults))) => return report_start_error(Exit::Usage, &faults),
        Ok(None) => return Exit::Stopped.into(),
        Err(error) => return report_start_error(Exit::System, &format!("cannot read the settings: {error}")),
    };
    let owners = match Uid::effective().is_root().then(Owners::look_up).transpose() {
        Ok(owners) => owners,
        Err(error) => return report_start_error(Exit::System, &error),
    };
    let missing = capabilities::missing();
    if owners.is_some() && !missing.is_empty() {
        let missing = missing.join(", ");
        let wrong = format!("the container lacks capabilities; add `cap_add: [{missing}]`");
        return report_start_error(Exit::NoCapability, &wrong);
    }
    let log_writer = logging::start(PROCESS_1, &settings.log);
    let mut observer = ReadyLogger { hostname: settings.hostname.clone() };
    let site = Site {
        settings,
        folders,
        owners,
        purpose: Purpose::Appliance,
        heartbeat_password: Some(HeartbeatPassword::new()),
        proofs: VerificationCache::default(),
    };
    let exit = run_site(site, &signals, None, read, &mut observer).unwrap_or_else(|error| {
        tracing::error!("mailstead cannot start: {error}");
        error.exit()
    });
    log_writer.flush();
    exit.into()
}

/// Reports why it does not start, in the format that the log would have.
fn report_start_error(exit: Exit, wrong: &impl Display) -> ExitCode {
    match settings::log_format(std::env::vars_os()) {
        Format::Text => eprintln!("mailstead cannot start: {wrong}"),
        format @ Format::Json => {
            let log_writer = logging::start(PROCESS_1, &Log { format, ..Log::default() });
            tracing::error!("mailstead cannot start: {wrong}");
            log_writer.flush();
        }
    }
    exit.into()
}

/// Logs that mail is served.
struct ReadyLogger {
    hostname: Domain,
}

impl LoopObserver for ReadyLogger {
    fn all_ready(&mut self) {
        tracing::info!(hostname = self.hostname.as_str(), "serving mail");
    }
}
