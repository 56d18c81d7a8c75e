//! A process that a test started: it ends with the test, together with all of its descendants.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait;

/// A running program whose output is written to a file.
pub struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `command` in a process group of its own; its output is appended to `NAME.log` in `folder`.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log).expect("the log can be written");
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file can be shared"))
            .stderr(output)
            .process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self { child, name: name.to_owned(), log }
    }

    /// Adopts a process that was started in another way; its output is not captured.
    pub fn adopt(name: &str, child: Child) -> Self {
        Self { child, name: name.to_owned(), log: PathBuf::new() }
    }

    /// The process id.
    pub fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process's number is small"))
    }

    /// Its output so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.id(), signal).expect("a child that was not waited for can be signalled");
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Requests it to stop and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let what = format!("{} has stopped", self.name);
        wait::until(&what, || self.ended())
    }

    /// Kills it and all of its descendants at once, as a power cut would, without a chance to clean up.
    pub fn kill_everything(&mut self) {
        // Stopped first, so that it starts no new process while its children are being listed and killed.
        let _ = kill(self.id(), Signal::SIGSTOP);
        for process in descendants(self.id()) {
            let _ = kill(process, Signal::SIGKILL);
        }
        let _ = kill(self.id(), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.kill_everything();
        }
        if std::thread::panicking() {
            eprintln!("---- {} printed:\n{}---- end of {}", self.name, self.log(), self.name);
        }
    }
}

/// All processes that `root` started, directly or indirectly, the most distant last.
pub fn descendants(root: Pid) -> Vec<Pid> {
    let parents: Vec<(Pid, Pid)> = fs::read_dir("/proc")
        .expect("/proc can be listed")
        .filter_map(|entry| {
            let process = entry.ok()?.file_name().to_str()?.parse().ok()?;
            Some((Pid::from_raw(process), parent(process)?))
        })
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let above = found[next];
        found.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(process, _)| *process));
        next += 1;
    }
    found.remove(0);
    found
}

/// The parent in `/proc/N/stat`: the second field after the command's name, which is in brackets and may contain
/// any character.
fn parent(process: i32) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after) = stat.rsplit_once(')')?;
    Some(Pid::from_raw(after.split_whitespace().nth(1)?.parse().ok()?))
}

/// The descendant of `root` that runs `mailstead ROLE`.
pub fn role(root: Pid, role: &str) -> Option<Pid> {
    descendants(root).into_iter().find(|process| {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).nth(1) == Some(role.as_bytes())
    })
}
