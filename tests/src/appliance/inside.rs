//! Access to the container from outside: to its files, its programs, its network.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

use nix::sched::{CloneFlags, setns};

use super::{Appliance, CAPABILITIES, HOSTNAME, users};
use crate::certificate;
use crate::services::Services;

/// The port of each service.
const PORTS: [(&str, u16); 7] = [
    ("smtp", 25),
    ("submissions", 465),
    ("submission", 587),
    ("imap", 143),
    ("imaps", 993),
    ("health", 8025),
    ("http", 80),
];

impl Appliance {
    /// A path of the container as the test sees it.
    pub fn path(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{inside}", self.init))
    }

    /// Runs a program inside, as `docker exec` does: with the container's rights and not as a child of process 1.
    pub fn execute(&self, arguments: &[&str]) -> Output {
        self.enter(arguments).output().expect("nsenter starts")
    }

    /// The command that [`Appliance::execute`] runs.
    pub fn enter(&self, arguments: &[&str]) -> Command {
        let capabilities: Vec<String> = CAPABILITIES.iter().map(|name| format!("+{name}")).collect();
        let mut command = Command::new("nsenter");
        command
            .args([
                &format!("--target={}", self.init),
                "--mount",
                "--pid",
                "--net",
                "--uts",
                "--ipc",
                "--root",
            ])
            .args(["--wdns=/", "--", "/sbin/setpriv"])
            .args(["--bounding-set", &format!("-all,{}", capabilities.join(",")), "--no-new-privs"])
            .args(arguments)
            .env_clear();
        command
    }

    /// Runs a shell command among its processes, with the test's own files, to leave processes behind.
    pub fn shell(&self, line: &str) -> Output {
        Command::new("nsenter")
            .args([&format!("--target={}", self.init), "--pid", "--", "sh", "-c", line])
            .output()
            .expect("nsenter starts")
    }

    /// True if `mailstead health` reports healthy.
    pub fn is_healthy(&self) -> bool {
        self.execute(&["/bin/mailstead", "health"]).status.success()
    }

    /// Runs a function in its network.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| match scope.spawn(|| self.enter_network().map(|()| work())).join() {
            Ok(done) => done.expect("its network can be entered"),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Moves the calling thread, and the threads that it starts, into the appliance's network.
    pub fn enter_network(&self) -> nix::Result<()> {
        let network = File::open(format!("/proc/{}/ns/net", self.init)).map_err(|_| nix::Error::ESRCH)?;
        setns(network, CloneFlags::CLONE_NEWNET)
    }

    /// The services as they are reached from inside its network.
    pub fn services(&self) -> Services {
        let address =
            |(name, port): (&str, u16)| (name.to_owned(), SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        Services {
            addresses: PORTS.map(address).into(),
            lmtp: self.path("/run/mailstead/lmtp.sock"),
            hostname: HOSTNAME.to_owned(),
            tls_config: certificate::trusting(&self.volume().join("tls/ca.pem")),
            users: users(),
        }
    }
}
