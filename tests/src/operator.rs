//! An operator at the command line: `mailstead user …` and the like, beside a running server.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{OpenptyResult, openpty};

use crate::{program, wait};

/// An operator of the accounts in one folder.
#[derive(Debug, Clone)]
pub struct Operator {
    folder: PathBuf,
}

/// The result of a command.
#[derive(Debug)]
pub struct CommandResult {
    /// Standard output, for scripts.
    pub stdout: String,
    /// Standard error, for people.
    pub stderr: String,
    status: Option<i32>,
}

impl Operator {
    /// The operator of the server in that folder, as the demo has it.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Runs a command, with an empty standard input.
    pub fn run(&self, arguments: &[&str]) -> CommandResult {
        self.run_with(arguments, "")
    }

    /// Runs a command at a terminal, and types a line after each question. Returns the text that the terminal showed.
    pub fn run_at_terminal(&self, arguments: &[&str], lines: &[&str]) -> CommandResult {
        let OpenptyResult { master, slave } = openpty(None, None).expect("a terminal can be opened");
        let shared = |end: &OwnedFd| end.try_clone().expect("a terminal can be shared");
        let mut command = Command::new(program::mailstead());
        command.args(arguments).arg("--dir").arg(&self.folder).env_clear();
        let child = command.stdin(shared(&slave)).stdout(shared(&slave)).stderr(slave).spawn();
        // Dropping the command closes the last end on that side, so that reading our side ends.
        drop(command);
        let mut terminal = File::from(master);
        let mut shown = Vec::new();
        for line in lines {
            read_until(&mut terminal, &mut shown, b": ");
            terminal.write_all(line.as_bytes()).expect("the command reads");
            terminal.write_all(b"\n").expect("the command reads");
            shown.extend_from_slice(b"|");
        }
        // Fails once the other side is closed.
        let _ = terminal.read_to_end(&mut shown);
        let status = child.expect("the program starts").wait().expect("it ends").code();
        CommandResult {
            stdout: String::new(),
            stderr: String::from_utf8(shown).expect("the output is UTF-8"),
            status,
        }
    }

    /// Runs a command, with this standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> CommandResult {
        let mut command = Command::new(program::mailstead());
        command.args(arguments).arg("--dir").arg(&self.folder).env_clear();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A command that reads no input may have ended already.
        let _ = child.stdin.take().expect("it is a pipe").write_all(input.as_bytes());
        CommandResult::from(child.wait_with_output().expect("it ends"))
    }
}

/// Reads until the text since the last line ends like this.
fn read_until(terminal: &mut File, shown: &mut Vec<u8>, end: &[u8]) {
    while !shown.ends_with(end) {
        let mut sources = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(wait::READ_TIMEOUT).expect("it is short");
        let ready = poll(&mut sources, timeout).expect("a terminal can be waited for");
        assert!(ready > 0, "no question came: {}", String::from_utf8_lossy(shown));
        let mut octet = [0];
        terminal.read_exact(&mut octet).expect("there is a question");
        shown.push(octet[0]);
    }
}

impl From<Output> for CommandResult {
    fn from(output: Output) -> Self {
        let text = |octets| String::from_utf8(octets).expect("the output is UTF-8");
        Self { stdout: text(output.stdout), stderr: text(output.stderr), status: output.status.code() }
    }
}

impl CommandResult {
    /// Panics unless it succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, Some(0), "{self:?}");
        self
    }

    /// Panics unless it exited with this status, and its standard error contains these words.
    #[track_caller]
    pub fn refused(self, status: i32, words: &str) -> Self {
        assert_eq!(self.status, Some(status), "{self:?}");
        assert!(self.stderr.contains(words), "{words:?} is not in {self:?}");
        self
    }

    /// The only line of output: a password that is shown once.
    #[track_caller]
    pub fn secret(self) -> String {
        let done = self.ok();
        let mut lines = done.stdout.lines();
        match (lines.next(), lines.next()) {
            (Some(secret), None) => secret.to_owned(),
            _ => panic!("one line is printed: {done:?}"),
        }
    }
}
