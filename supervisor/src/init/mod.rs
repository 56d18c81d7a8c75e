//! Process 1: from the settings to running daemons, and then one loop until all have stopped.
//!
//! ```text
//! signals blocked ─▶ settings ─▶ the volume's lock ─▶ folders ─▶ ports ─▶ certificate, keys, accounts, configurations ─▶ loop
//!                   └──────────────── on a thread, while the first one handles requests to stop ────────────────┘
//! ```
//!
//! It reads nothing from the network, uses no async runtime, and ends only when it is asked to or by its own fault. The
//! same code runs the demo, where it is an ordinary process.

mod appliance;
mod background;
mod capabilities;
mod children;
pub mod event_loop;
mod external_certificate;
pub mod launch;
pub mod notices;
pub mod prepare;
pub mod reaper;
mod refused_calls;
pub mod reloader;
pub mod role;
pub mod signals;
pub mod spawn;
pub mod supervision;
mod undo;
pub mod unit;

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;

use handover::Concern;
use nix::sys::prctl;

pub use appliance::run;
use background::{Abandon, Background, unless_stopped};
pub use children::DaemonProcesses;
use event_loop::{LoopObserver, Sources, StatusFile};
use launch::DaemonUser;
use launch::rules::Rules;
use notices::Notices;
use prepare::{PrepareError, Prepared};
use reloader::{ReadSettings, Reloader};
use role::Role;
use signals::Signals;
use spawn::Program;
use supervision::Supervision;
use unit::Moment;

use crate::exit::Exit;
use crate::ports::{Listening, Unbound};
use crate::site::Site;

/// An error that keeps a site from running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A preparation failed.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The system refused a call that the loop cannot work without.
    #[error("cannot {step}: {source}")]
    System {
        /// The operation that failed.
        step: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
}

impl StartError {
    /// The exit status for the error.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Prepare(error) => error.exit(),
            Self::System { .. } => Exit::System,
        }
    }
}

/// Prepares the site and runs its daemons until all have stopped. Signals must be blocked. The daemons write their log
/// to `output`, or to ours. A reload gets its settings from `read`.
///
/// Long work is done on other threads, from the first moment on: a request to stop does not wait for it.
pub fn run_site(
    site: Site,
    signals: &Signals,
    output: Option<&File>,
    read: impl ReadSettings,
    observer: &mut impl LoopObserver,
) -> Result<Exit, StartError> {
    let refused = |step| move |source: std::io::Error| StartError::System { step, source };
    // Files are private unless a mode is set explicitly.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    // Process 1 inherits every orphan anyway; any other process only when it asks for them.
    prctl::set_child_subreaper(true).map_err(|errno| refused("adopt orphans")(errno.into()))?;
    // Daemons are started from it: without it none could be.
    File::open(launch::OURSELVES).map_err(refused("open the program itself as /proc/self/exe"))?;
    let watched = external_certificate::watched_files(&site);
    let shared = Arc::new(site);
    let abandon = Abandon::default();
    let prepared = {
        let (site, abandoned) = (Arc::clone(&shared), abandon.clone());
        let prepare = move || prepare::prepare(&site, &abandoned);
        unless_stopped(signals, &abandon, prepare).map_err(refused("prepare the volume"))?
    };
    let site = Arc::unwrap_or_clone(shared);
    let Some(prepared) = prepared else {
        tracing::info!("asked to stop before any daemon was started");
        return Ok(Exit::Stopped);
    };
    let Prepared { lock: _lock, listening, unbound, concerns, certificate } = prepared?;
    let notify = site.folders.notify_socket();
    let notices = Notices::bind(&notify).map_err(refused("bind the socket for notices"))?;
    for Concern { problem, fix } in concerns.iter().cloned().chain(unbound.iter().map(Unbound::concern)) {
        tracing::warn!(%problem, %fix, "started with a problem");
    }
    external_certificate::watch(watched).map_err(refused("watch the certificate's files"))?;
    observer.prepared(&listening);

    let ports = ports(&listening);
    let output = output.map(File::try_clone).transpose().map_err(refused("share the log's file"))?;
    let mut children = DaemonProcesses::new(programs(&site, &ports), notify, output);
    for Listening { role, socket, .. } in listening {
        children.keep_socket(role, socket);
    }
    let now = Moment::now();
    let mut supervision = Supervision::new(children, &Role::START_ORDER, concerns, now);
    supervision.set_initial_state(unbound, certificate, now);
    let mut status = StatusFile::new(site.folders.status(), site.owners.map(|owners| owners.steward.group));
    let background =
        Background::start(Reloader::new(site, ports, read)).map_err(refused("start a thread"))?;
    Ok(event_loop::run(&mut supervision, Sources { signals, notices, background }, &mut status, observer))
}

/// The addresses of a site that are reached over the network.
fn ports(listening: &[Listening]) -> Vec<SocketAddr> {
    listening.iter().filter_map(|listening| listening.address).collect()
}

/// The programs of a site's daemons.
fn programs(site: &Site, ports: &[SocketAddr]) -> BTreeMap<Role, Program> {
    let program = |role: Role| {
        let configuration = site.folders.configuration(role.name());
        let rules = Rules::of(role, site, ports);
        (role, launch::program(role, &configuration, daemon_user(site, role), &rules))
    };
    Role::START_ORDER.map(program).into()
}

/// The user that a daemon runs as. The steward, which talks HTTP with unknown clients, is not in the group that reads
/// the accounts and the certificate's key.
fn daemon_user(site: &Site, role: Role) -> Option<DaemonUser> {
    let owners = site.owners?;
    Some(match role {
        Role::Mta => DaemonUser { owner: owners.mta, group: Some(owners.shared) },
        Role::Mda => DaemonUser { owner: owners.vmail, group: Some(owners.shared) },
        Role::Steward => DaemonUser { owner: owners.steward, group: None },
    })
}
