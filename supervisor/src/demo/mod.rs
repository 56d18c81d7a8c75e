//! `mailstead demo`: the whole appliance on one machine, without root and without a container.
//!
//! It is the same code with other settings: loopback and free ports instead of the standard ones, a scratch folder for
//! a volume, two made-up users, no limit on the connections of one address, and short timeouts for name servers. Every
//! `MAIL_` setting applies here too, except for the users.
//!
//! | started with | left behind after Ctrl-C |
//! |---|---|
//! | no `--dir` | nothing |
//! | `--dir` that did not exist | nothing |
//! | `--dir` that existed | the folder, with the files of others that were in it |
//! | `--dir` with the volume of an earlier demo, or `--keep` | the volume and the log |

mod addresses;
mod demo_users;
mod probe;
mod scratch;
mod startup;

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use accounts::declaration::VerificationCache;
use handover::config::{Relay, RelaySecurity};
use handover::status::PROCESS_1;
use serve::logging;

use crate::exit::Exit;
use crate::init::signals::Signals;
use crate::init::{self, signals};
use crate::settings::{HostAndPort, SettingFaults, Settings, variables};
use crate::site::{HeartbeatPassword, Purpose, Site};
use scratch::Scratch;
use startup::StartupMonitor;

/// The arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// The folder for its files; without it, a temporary one.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The host that all outgoing mail is handed to, instead of to its destinations.
    #[arg(long, value_name = "HOST:PORT", value_parser = relay)]
    relay_to: Option<Relay>,
    /// Keep the volume when the demo stops.
    #[arg(long)]
    keep: bool,
}

fn relay(text: &str) -> Result<Relay, String> {
    let HostAndPort { host, port } =
        HostAndPort::parse(text).ok_or("a host and a port are needed, such as 127.0.0.1:2525")?;
    Ok(Relay { host, port, security: RelaySecurity::Opportunistic, credentials: None, authorities: None })
}

/// Reserved for such purposes (RFC 6761 §6.2): no mail to or from it can reach a real recipient by mistake.
const DOMAIN: &str = "demo.test";

/// Runs until Ctrl-C or SIGTERM.
pub fn run(demo: &Demo) -> ExitCode {
    if let Err(errno) = signals::block() {
        eprintln!("mailstead cannot block signals: {errno}");
        return Exit::System.into();
    }
    match demonstrate(demo) {
        Ok(exit) => exit.into(),
        Err((exit, message)) => {
            eprintln!("mailstead demo: {message}");
            exit.into()
        }
    }
}

fn demonstrate(demo: &Demo) -> Result<Exit, (Exit, String)> {
    let signals = Signals::open().map_err(|errno| (Exit::System, format!("cannot read signals: {errno}")))?;
    let people = demo_users::two();
    let declared = demo_users::declared(&people);
    let relay_to = demo.relay_to.clone();
    let read = move || settings(&declared, relay_to.as_ref());
    let settings = read().map_err(|faults| (Exit::Usage, faults.to_string()))?;
    let scratch = Scratch::open(demo.dir.as_deref(), demo.keep)
        .map_err(|error| (Exit::VolumeNotWritable, error.to_string()))?;
    let log_path = scratch.log();
    let log_file = File::create(&log_path).map_err(|error| {
        (Exit::VolumeNotWritable, format!("cannot write {}: {error}", log_path.display()))
    })?;
    let ours = log_file.try_clone().map_err(|error| (Exit::System, error.to_string()))?;
    let log_writer = logging::start_to(PROCESS_1, &settings.log, ours);

    eprintln!("Starting; the log is {}", log_path.display());
    let folders = scratch.folders();
    let site = Site {
        settings,
        folders,
        owners: None,
        purpose: Purpose::Demo,
        heartbeat_password: Some(HeartbeatPassword::new()),
        proofs: VerificationCache::default(),
    };
    let mut guide = StartupMonitor::new(site.clone(), people, scratch.folder().to_owned());
    let ended = init::run_site(site, &signals, Some(&log_file), read, &mut guide);
    guide.close();
    log_writer.flush();
    ended.map_err(|error| (error.exit(), error.to_string()))
}

/// The settings of the environment, with the demo's own for what they leave out and for the users.
fn settings(users: &str, relay_to: Option<&Relay>) -> Result<Settings, SettingFaults> {
    let declares_users = |name: &OsString| {
        let file = variables::USERS.file.map(|form| form.name);
        name == variables::USERS.name || file.is_some_and(|file| name == file)
    };
    let mut environment: Vec<(OsString, OsString)> =
        std::env::vars_os().filter(|(name, _)| !declares_users(name)).collect();
    if !environment.iter().any(|(name, _)| name == variables::DOMAIN.name) {
        environment.push((variables::DOMAIN.name.into(), DOMAIN.into()));
    }
    environment.push((variables::USERS.name.into(), users.into()));
    let mut settings = Settings::read(environment.into_iter())?;
    if let Some(relay) = relay_to {
        settings.relay = Some(relay.clone());
    }
    Ok(settings)
}
