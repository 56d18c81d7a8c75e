//! The real processes: started through the launcher, with their own sockets and nothing else.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::role::Role;
use super::spawn::{NamedSocket, Program, spawn};
use super::supervision::Processes;
use crate::ports::{Listening, Unbound};

/// The programs that the daemons are started from.
#[derive(Debug)]
pub struct DaemonProcesses {
    programs: BTreeMap<Role, Program>,
    sockets: BTreeMap<Role, Vec<NamedSocket>>,
    notify: PathBuf,
    output: Option<File>,
}

impl DaemonProcesses {
    /// Daemons that run these programs, send their notices to `notify`, and write their log to `output` or to ours.
    pub fn new(programs: BTreeMap<Role, Program>, notify: PathBuf, output: Option<File>) -> Self {
        Self { programs, sockets: BTreeMap::new(), notify, output }
    }

    /// Keeps a listening socket for a daemon. It stays open whatever happens to the daemon, so that connections wait
    /// instead of being refused.
    pub fn keep_socket(&mut self, role: Role, socket: NamedSocket) {
        self.sockets.entry(role).or_default().push(socket);
    }
}

impl Processes for DaemonProcesses {
    fn start(&mut self, role: Role) -> io::Result<Pid> {
        let program = self.programs.get(&role).ok_or(io::ErrorKind::NotFound)?;
        let sockets = self.sockets.get(&role).map_or(&[][..], Vec::as_slice);
        spawn(program, sockets, &self.notify, self.output.as_ref())
    }

    fn signal(&mut self, leader: Pid, signal: Signal) {
        // It may be dead and not yet reaped; then there is no process to signal.
        let _ = killpg(leader, signal);
    }

    fn adopt(&mut self, programs: BTreeMap<Role, Program>) -> Vec<Role> {
        let mut others = Vec::new();
        for (role, program) in programs {
            if self.programs.get(&role) != Some(&program) {
                others.push(role);
                self.programs.insert(role, program);
            }
        }
        others
    }

    fn bind(&mut self, port: &Unbound) -> Result<Role, Unbound> {
        let Listening { role, socket, .. } = port.bind()?;
        self.keep_socket(role, socket);
        Ok(role)
    }

    fn close_sockets(&mut self, role: Role) {
        self.sockets.remove(&role);
    }
}
