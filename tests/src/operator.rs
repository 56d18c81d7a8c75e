//! An operator at the command line: `mailstead user …` and its like, beside a running server.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::program;

/// An operator of the accounts in one folder.
#[derive(Debug, Clone)]
pub struct Operator {
    folder: PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub struct Done {
    /// What a script reads.
    pub printed: String,
    /// What a person reads.
    pub told: String,
    status: Option<i32>,
}

impl Operator {
    /// Whose server lies in that folder, as the demo has it.
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Gives a command, with nothing on standard input.
    pub fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, "")
    }

    /// Gives a command, with this on standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Done {
        let mut command = Command::new(program::mailstead());
        command.args(arguments).arg("--dir").arg(&self.folder).env_clear();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A command that wants no input may be gone already.
        let _ = child.stdin.take().expect("it is a pipe").write_all(input.as_bytes());
        Done::from(child.wait_with_output().expect("it ends"))
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |octets| String::from_utf8(octets).expect("it speaks UTF-8");
        Self { printed: text(output.stdout), told: text(output.stderr), status: output.status.code() }
    }
}

impl Done {
    /// Panics unless it did what it was asked for.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, Some(0), "{self:?}");
        self
    }

    /// Panics unless it ended with this status, and told a person these words.
    #[track_caller]
    pub fn refused(self, status: i32, words: &str) -> Self {
        assert_eq!(self.status, Some(status), "{self:?}");
        assert!(self.told.contains(words), "{words:?} is not in {self:?}");
        self
    }

    /// The one line that was printed: a password that is shown once.
    #[track_caller]
    pub fn secret(self) -> String {
        let done = self.ok();
        let mut lines = done.printed.lines();
        match (lines.next(), lines.next()) {
            (Some(secret), None) => secret.to_owned(),
            _ => panic!("one line is printed: {done:?}"),
        }
    }
}
