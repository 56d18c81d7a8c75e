//! The demo's life, from the command to the empty folder. The mail flows in it have tests of their own.
#![expect(clippy::unwrap_used, reason = "a helper of a test may panic")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Far more than any step needs; only a demo that hangs exceeds it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running demo; killed if a test fails half-way.
struct Running {
    process: Child,
    /// The lines of its standard output and standard error.
    lines: Receiver<String>,
}

fn mailstead(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailstead"));
    command.args(arguments).env_clear();
    command
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut process = mailstead(&["demo", "--dir", folder.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(process.stdout.take().unwrap()), Box::new(process.stderr.take().unwrap())];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self { process, lines }
    }

    /// Waits for a line with that beginning.
    fn wait_for(&self, beginning: &str) {
        while !self.lines.recv_timeout(TIMEOUT).unwrap().starts_with(beginning) {}
    }

    fn stop(mut self, signal: Signal) -> ExitStatus {
        kill(self.pid(), signal).unwrap();
        self.process.wait().unwrap()
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.process.id().try_into().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}

const IS_UP: &str = "Ctrl-C stops it.";

fn json(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn connect(contact: &Value, port: &str) -> std::io::Result<TcpStream> {
    let number = contact["ports"][port].as_u64().unwrap();
    let stream = TcpStream::connect((contact["host"].as_str().unwrap(), number.try_into().unwrap()))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// The first line of a connection; empty if the connection ends before it.
fn greeting(stream: TcpStream) -> String {
    let mut line = String::new();
    let _ = BufReader::new(stream).read_line(&mut line);
    line
}

#[test]
fn the_addresses_are_shown_once_all_services_answer_and_nothing_is_left() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("demo");
    let demo = Running::start(&folder);
    demo.wait_for(IS_UP);
    let contact = json(folder.join("demo.json"));
    for (port, beginning) in [("smtp", "220 "), ("submission", "220 "), ("imap", "* OK")] {
        assert!(greeting(connect(&contact, port).unwrap()).starts_with(beginning), "{port}");
    }
    let steward = folder.join("run/steward.toml");
    assert!(mailstead(&["health", "--config", steward.to_str().unwrap()]).output().unwrap().status.success());
    let records = mailstead(&["dns", "--dir", folder.to_str().unwrap()]).output().unwrap();
    let records = String::from_utf8(records.stdout).unwrap();
    assert_eq!(records.matches("._domainkey.").count(), 2, "{records}");

    assert_eq!(demo.stop(Signal::SIGTERM).code(), Some(0));
    assert!(!folder.exists());
    assert!(connect(&contact, "smtp").is_err(), "a daemon still runs");
}

#[test]
fn a_killed_daemon_is_restarted_and_clients_meanwhile_are_served() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("demo");
    let demo = Running::start(&folder);
    demo.wait_for(IS_UP);
    let contact = json(folder.join("demo.json"));
    for (role, port) in [("mta", "smtp"), ("mda", "imap")] {
        let status = json(folder.join("run/status.json"));
        let process = status["processes"].as_array().unwrap().iter().find(|process| process["name"] == role);
        let pid = process.unwrap()["pid"].as_i64().unwrap();
        kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
        // No connection is refused. One that the killed daemon had accepted may end; the next one waits for its
        // successor.
        let answers = (0..100).any(|_| !greeting(connect(&contact, port).unwrap()).is_empty());
        assert!(answers, "{role} did not come back");
    }
    assert_eq!(demo.stop(Signal::SIGINT).code(), Some(0));
}

#[test]
fn a_killed_demo_leaves_no_daemon_and_its_volume_is_reused() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("demo");
    let demo = Running::start(&folder);
    demo.wait_for(IS_UP);
    let contact = json(folder.join("demo.json"));
    let keys = fs::read(folder.join("dkim/demo.test/mailstead-rsa.pem")).unwrap();
    demo.stop(Signal::SIGKILL);
    // The kernel kills the daemons too; a connection in the queue waits for that.
    while connect(&contact, "smtp").is_ok() {}

    let demo = Running::start(&folder);
    demo.wait_for(IS_UP);
    assert_eq!(fs::read(folder.join("dkim/demo.test/mailstead-rsa.pem")).unwrap(), keys);
    assert_ne!(json(folder.join("demo.json"))["users"], contact["users"], "the old passwords were kept");
    assert_eq!(demo.stop(Signal::SIGTERM).code(), Some(0));
    assert!(folder.join("mail").exists() && !folder.join("demo.json").exists());
}

#[test]
fn it_stops_as_well_before_it_is_up() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("demo");
    let demo = Running::start(&folder);
    demo.wait_for("Starting");
    assert_eq!(demo.stop(Signal::SIGTERM).code(), Some(0));
    assert!(!folder.exists());
}

#[test]
fn each_error_has_its_own_exit_status_and_text() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("thesis"), "").unwrap();
    let file = root.path().join("thesis");
    for (arguments, variable, status, expected) in [
        (vec!["demo", "--dir", file.to_str().unwrap()], None, 73, "thesis"),
        (vec!["demo", "--relay-to", "nowhere"], None, 64, "127.0.0.1:2525"),
        (vec!["demo"], Some(("MAIL_LOUDNESS", "11")), 64, "MAIL_LOUDNESS"),
        (vec!["dance"], None, 64, "dance"),
        (vec![], Some(("MAIL_HOSTNAME", "x")), 64, "MAIL_DOMAIN is not set"),
    ] {
        let output = mailstead(&arguments).envs(variable).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
    assert!(file.exists());
}
