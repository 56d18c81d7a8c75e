//! The processes below process 1: their state, and ways to disturb them.

use std::fs;
use std::path::Path;

use handover::status::{DaemonState, Status};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Appliance;
use crate::{process, wait};

impl Appliance {
    /// Waits until all daemons are ready.
    #[track_caller]
    pub fn await_ready(&mut self) {
        wait::until_true("every daemon is ready", || {
            if let Some(status) = self.process.ended() {
                panic!("it ended before it was ready: {status}\n{}", self.process.log());
            }
            self.status().is_some_and(|status| {
                status.processes.iter().all(|process| process.state == DaemonState::Ready)
            })
        });
    }

    /// The status that process 1 has written, once it has.
    pub fn status(&self) -> Option<Status> {
        Status::load(&self.path("/run/mailstead/status.json")).ok()
    }

    /// The number of restarts of a daemon.
    #[track_caller]
    pub fn restarts(&self, role: &str) -> u64 {
        let status = self.status().expect("process 1 writes its status");
        status.processes.iter().find(|process| process.name == role).expect("the role is known").restarts
    }

    /// The process of a role, once it runs.
    #[track_caller]
    pub fn role(&self, role: &str) -> Pid {
        wait::until(&format!("the {role} runs"), || process::role(self.init, role))
    }

    /// Kills the process of a role, and waits until another is ready in its place.
    #[track_caller]
    pub fn kill_and_await(&self, role: &str) {
        let restarts = self.restarts(role);
        kill(self.role(role), Signal::SIGKILL).expect("it runs");
        wait::until_true(&format!("the {role} is back"), || {
            self.status().is_some_and(|status| {
                status.processes.iter().any(|process| {
                    process.name == role && process.restarts > restarts && process.state == DaemonState::Ready
                })
            })
        });
    }

    /// Makes a daemon unable to start, by an invalid configuration, and kills it; returns its former configuration.
    #[track_caller]
    pub fn break_role(&self, role: &str) -> String {
        let path = self.path(&format!("/run/mailstead/{role}.toml"));
        let good = fs::read_to_string(&path).expect("the configuration can be read");
        fs::write(&path, "this is no configuration").expect("the configuration can be written");
        kill(self.role(role), Signal::SIGKILL).expect("it runs");
        good
    }

    /// Restores the configuration.
    pub fn repair_role(&self, role: &str, good: &str) {
        fs::write(self.path(&format!("/run/mailstead/{role}.toml")), good)
            .expect("the configuration can be written");
    }

    /// The processes that process 1 has not reaped.
    pub fn zombies(&self) -> Vec<Pid> {
        process::descendants(self.init).into_iter().filter(|pid| is_zombie(*pid)).collect()
    }
}

fn is_zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}
