//! The container before it starts: its folders, its environment, its capabilities.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use nix::unistd::Uid;
use tempfile::TempDir;

use super::{Appliance, CAPABILITIES, DOMAIN, users};
use crate::process::Process;
use crate::program;
use crate::wait;

const CONTAINER: &str = include_str!("container.sh");
const PASSWD: &str = include_str!("../../../image/passwd");
const GROUP: &str = include_str!("../../../image/group");

/// A container that has not been started.
pub struct Container {
    place: TempDir,
    environment: BTreeMap<String, String>,
    capabilities: Vec<&'static str>,
    pub(super) before: Vec<String>,
    is_process_1: bool,
}

impl Default for Container {
    fn default() -> Self {
        Self::new()
    }
}

impl Container {
    /// A container with an empty volume and two users, which needs nothing from outside.
    pub fn new() -> Self {
        assert!(
            Uid::effective().is_root(),
            "a container is made of namespaces, and only root may make them: run these tests as root"
        );
        let place = tempfile::tempdir().expect("a folder can be made");
        for folder in ["root", "volume", "etc"] {
            fs::create_dir(place.path().join(folder)).expect("a folder can be made");
        }
        let etc = place.path().join("etc");
        fs::write(etc.join("passwd"), PASSWD).expect("a file can be written");
        fs::write(etc.join("group"), GROUP).expect("a file can be written");
        fs::write(place.path().join("container.sh"), CONTAINER).expect("a file can be written");
        let secrets: Vec<String> =
            users().iter().map(|user| format!("{}:{}", user.address, user.password)).collect();
        let environment = [
            ("MAIL_DOMAIN", DOMAIN),
            ("MAIL_USERS", &secrets.join(",")),
            // No server listens there, so queries fail at once.
            ("MAIL_DNS_SERVERS", "127.0.0.1:1"),
            ("MAIL_ACME_DIRECTORY", "none"),
            ("MAIL_CHECK_BLOCKLISTS", "none"),
            ("MAIL_CHECK_SMTP_HOST", "none"),
        ];
        Self {
            place,
            environment: environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            capabilities: CAPABILITIES.into(),
            before: Vec::new(),
            is_process_1: true,
        }
    }

    /// Starts it below another process 1, as an engine's `init: true` does.
    pub fn below_init(mut self) -> Self {
        self.is_process_1 = false;
        self
    }

    /// Sets a variable of its environment.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Removes a variable from its environment.
    pub fn unset(mut self, name: &str) -> Self {
        self.environment.remove(name);
        self
    }

    /// Starts it without a capability.
    pub fn without_capability(mut self, name: &str) -> Self {
        self.capabilities.retain(|capability| *capability != name);
        self
    }

    /// Runs a shell command in the container's root before process 1 starts, with all rights.
    pub fn before(mut self, line: &str) -> Self {
        self.before.push(line.to_owned());
        self
    }

    /// The folder that is its `/etc`, before it starts.
    pub fn etc(&self) -> PathBuf {
        self.place.path().join("etc")
    }

    /// The folder that is its volume.
    pub fn volume(&self) -> PathBuf {
        self.place.path().join("volume")
    }

    /// Starts it; process 1 runs, but the daemons may not be ready.
    pub fn start(self) -> Appliance {
        Appliance::over(self.launch(), self)
    }

    /// Starts it and waits until it serves mail.
    pub fn serve(self) -> Appliance {
        let mut appliance = self.start();
        appliance.await_ready();
        appliance
    }

    /// Starts it although it cannot work; returns its exit status and its output.
    pub fn run_refused(&self) -> (Option<i32>, String) {
        let mut process = self.launch();
        let status = wait::until("it has given up", || process.ended());
        (status.code(), process.log())
    }

    /// The command that creates the namespaces and becomes process 1.
    pub fn command(&self) -> Command {
        let path = |name| self.place.path().join(name);
        let capabilities: Vec<String> = self.capabilities.iter().map(|name| format!("+{name}")).collect();
        let mut command = Command::new("unshare");
        command
            .args(["--pid", "--fork", "--kill-child", "--net", "--mount", "--uts", "--ipc", "--"])
            .args(if self.is_process_1 { &[][..] } else { &["sh", "-c", "\"$@\"; exit $?", "init"] })
            .arg("sh")
            .args([
                path("container.sh"),
                path("root"),
                path("volume"),
                program::mailstead().to_owned(),
                path("etc"),
            ])
            .arg(format!("-all,{}", capabilities.join(",")))
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("BEFORE", self.before.join("\n"))
            .envs(&self.environment);
        command
    }

    pub(super) fn launch(&self) -> Process {
        Process::start("appliance", self.command(), self.place.path())
    }
}
