//! `mailstead demo`: the whole appliance on loopback, as a user would try it.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::Pid;
use serde::Deserialize;
use tempfile::TempDir;

use crate::certificate;
use crate::process::{self, Process};
use crate::program;
use crate::services::{Services, User};
use crate::wait;

/// The content of `demo.json`.
#[derive(Debug, Deserialize)]
struct Facts {
    host: IpAddr,
    hostname: String,
    domain: String,
    /// A port for each service; LMTP's is a path.
    ports: BTreeMap<String, serde_json::Value>,
    users: Vec<User>,
    ca_file: PathBuf,
    mail_dir: PathBuf,
}

/// A running demo; it ends when this value is dropped.
pub struct Demo {
    process: Process,
    folder: TempDir,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// The services of the demo.
    pub services: Services,
    /// The domain whose mail it accepts.
    pub domain: String,
    /// The folder of the mailboxes.
    pub mail: PathBuf,
}

impl Demo {
    /// Starts a demo in a new folder and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a demo with more arguments.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_set(arguments, &[])
    }

    /// Starts a demo with more arguments and settings.
    pub fn start_set(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment: Vec<(String, String)> = environment.iter().map(owned).collect();
        let mut process = launch(folder.path(), &arguments, &environment);
        let facts = ready(&mut process, folder.path());
        let services = services(&facts);
        Self { process, folder, arguments, environment, services, domain: facts.domain, mail: facts.mail_dir }
    }

    /// Kills the supervisor and all its daemons at once.
    pub fn kill_everything(&mut self) {
        self.process.kill_everything();
    }

    /// Starts it again with the files that it left on disk.
    pub fn start_again(&mut self) {
        let _ = fs::remove_file(volume(self.folder.path()).join("demo.json"));
        self.process = launch(self.folder.path(), &self.arguments, &self.environment);
        self.services = services(&ready(&mut self.process, self.folder.path()));
    }

    /// The folder of all files of the demo.
    pub fn volume(&self) -> PathBuf {
        volume(self.folder.path())
    }

    /// The supervisor.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The process of a role, once it runs.
    #[track_caller]
    pub fn role(&self, role: &str) -> Pid {
        wait::until(&format!("the {role} runs"), || process::role(self.process.id(), role))
    }
}

/// The demo's own folder; the test's log of it is beside it.
fn volume(folder: &Path) -> PathBuf {
    folder.join("demo")
}

fn launch(folder: &Path, arguments: &[String], environment: &[(String, String)]) -> Process {
    let mut command = Command::new(program::mailstead());
    command.arg("demo").arg("--dir").arg(volume(folder)).args(arguments);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    Process::start("demo", command, folder)
}

fn ready(process: &mut Process, folder: &Path) -> Facts {
    let file = volume(folder).join("demo.json");
    wait::until("the demo writes its addresses", || {
        if let Some(status) = process.ended() {
            panic!("the demo ended before it answered: {status}");
        }
        // It is written by rename, so an existing file is complete.
        let text = fs::read_to_string(&file).ok()?;
        Some(serde_json::from_str(&text).expect("demo.json is what the tests expect"))
    })
}

fn services(facts: &Facts) -> Services {
    let addresses = facts.ports.iter().filter_map(|(service, port)| {
        let port = u16::try_from(port.as_u64()?).ok()?;
        Some((service.clone(), SocketAddr::new(facts.host, port)))
    });
    let lmtp = facts.ports.get("lmtp").and_then(serde_json::Value::as_str);
    Services {
        addresses: addresses.collect(),
        lmtp: lmtp.expect("the demo names its LMTP socket").into(),
        hostname: facts.hostname.clone(),
        tls_config: certificate::trusting(&facts.ca_file),
        users: facts.users.clone(),
    }
}
