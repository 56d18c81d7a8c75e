//! The appliance itself: `mailstead` as process 1 of namespaces that look like its container, so that it has the real
//! ports, the real paths and the real users for itself, without an engine.
//!
//! ```text
//! the test ── unshare ── container.sh, which becomes ── mailstead (process 1 in there) ── steward, mda, mta
//! ```
//!
//! The volume is a folder of the test's. Its network is a loopback of its own, which a thread of the test enters with
//! [`Appliance::inside`]. All of this needs root.

mod container;
mod daemons;
mod inside;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, ExitStatus};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::{self, Process};
use crate::services::User;
use crate::wait;

pub use container::Container;

/// The capabilities that `compose.yaml` grants.
pub const CAPABILITIES: [&str; 7] =
    ["net_bind_service", "setuid", "setgid", "setpcap", "chown", "kill", "dac_read_search"];

/// The domain whose mail it accepts.
pub const DOMAIN: &str = "example.org";
/// The name of the machine.
pub const HOSTNAME: &str = "mail.example.org";

/// The users.
pub fn users() -> Vec<User> {
    [("ann@example.org", "correct-horse"), ("bob@example.org", "battery-staple")]
        .map(|(address, password)| User { address: address.to_owned(), password: password.to_owned() })
        .into()
}

/// A running container; it ends when this value is dropped.
pub struct Appliance {
    process: Process,
    init: Pid,
    container: Container,
}

impl Appliance {
    /// An appliance that was started by [`Container::command`], with the test's standard streams.
    pub fn adopt(child: Child, container: Container) -> Self {
        Self::over(Process::adopt("appliance", child), container)
    }

    fn over(process: Process, container: Container) -> Self {
        let mut appliance = Self { process, init: Pid::from_raw(0), container };
        appliance.find_process_1();
        appliance
    }

    fn find_process_1(&mut self) {
        self.init = wait::until("process 1 runs", || {
            if let Some(status) = self.process.ended() {
                panic!("it ended at once: {status}\n{}", self.process.log());
            }
            process::descendants(self.process.id()).into_iter().find(|process| {
                // Inside its root this is the program's path; the shell and setpriv have other names.
                fs::read_link(format!("/proc/{process}/exe")).is_ok_and(|path| path.ends_with("mailstead"))
            })
        });
    }

    /// The process id of process 1 outside the container.
    pub fn init(&self) -> Pid {
        self.init
    }

    /// Sends process 1 a signal, as the engine does from outside.
    pub fn signal(&self, signal: Signal) {
        kill(self.init, signal).expect("process 1 runs");
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Waits until it has ended; returns the exit status.
    #[track_caller]
    pub fn await_end(&mut self) -> Option<i32> {
        wait::until("process 1 has ended", || self.process.ended()).code()
    }

    /// Requests it to stop and waits until it has; returns the exit status.
    #[track_caller]
    pub fn stop(&mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.await_end()
    }

    /// The output of all its processes.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Starts it again over the same volume, without waiting. It must have ended.
    #[track_caller]
    pub fn restart(&mut self) {
        assert!(self.process.ended().is_some(), "it still runs");
        self.process = self.container.launch();
        self.find_process_1();
    }

    /// Starts it again over the same volume, and waits until it serves mail. It must have ended.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.restart();
        self.await_ready();
    }

    /// Runs a shell command in the container's root before process 1 is started again.
    pub fn before_next(&mut self, line: &str) {
        self.container.before.push(line.to_owned());
    }

    /// The folder that is its volume.
    pub fn volume(&self) -> PathBuf {
        self.container.volume()
    }
}
