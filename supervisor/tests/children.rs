//! Process 1 with real processes: shell scripts in place of daemons.
//!
//! A process can have only one reaper, so these tests run one after the other, in a program of their own.
#![expect(clippy::unwrap_used, reason = "a helper of a test may panic")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::unistd::Pid;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use supervisor::exit::Exit;
use supervisor::init::DaemonProcesses;
use supervisor::init::reaper::reap_next;
use supervisor::init::role::Role;
use supervisor::init::spawn::{NamedSocket, Program};
use supervisor::init::supervision::{Processes, Supervision};
use supervisor::init::unit::{End, Moment};

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a line of shell as a daemon; its output can be read from the returned file.
fn double(script: &str) -> (DaemonProcesses, File) {
    let program = Program { path: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] };
    let (reader, writer) = std::io::pipe().unwrap();
    let writer = File::from(OwnedFd::from(writer));
    let children = DaemonProcesses::new(
        BTreeMap::from([(Role::Mta, program)]),
        Path::new("/nowhere").into(),
        Some(writer),
    );
    (children, File::from(OwnedFd::from(reader)))
}

/// Waits until a child is dead, and reaps it. The leaders are these processes.
fn reap(leaders: &[Pid]) -> (Pid, End) {
    waitid(WaitId::All, WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    reap_next(leaders).unwrap().unwrap()
}

fn later(now: Moment, seconds: u64) -> Moment {
    Moment { instant: now.instant + Duration::from_secs(seconds), wall: now.wall + seconds }
}

/// Reads all output until the last writer has ended.
fn all_of(mut output: File) -> String {
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_child_gets_its_sockets_under_their_names_and_nothing_of_our_environment() {
    let _alone = alone();
    let (mut children, output) = double("env; ls -l /proc/$$/fd");
    for name in ["smtp", "submission"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        children.keep_socket(Role::Mta, NamedSocket { name, socket: listener.into() });
    }
    let pid = children.start(Role::Mta).unwrap();
    drop(children);
    assert_eq!(reap(&[pid]), (pid, End::Exit(0)));
    let text = all_of(output);
    for line in [
        "LISTEN_FDS=2",
        "LISTEN_FDNAMES=smtp:submission",
        "NOTIFY_SOCKET=/nowhere",
        "GLIBC_TUNABLES=glibc.malloc.arena_max=2:glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=131072",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("CARGO"), "our environment was passed on:\n{text}");
    let sockets = text.lines().filter(|line| line.contains("socket:[")).count();
    assert_eq!(sockets, 2, "\n{text}");
    assert!(text.contains(" 3 -> socket:") && text.contains(" 4 -> socket:"), "\n{text}");
}

#[test]
fn the_process_group_of_a_dead_daemon_is_killed() {
    let _alone = alone();
    let (mut children, output) = double("sleep 1000 & echo started; exit 3");
    let pid = children.start(Role::Mta).unwrap();
    drop(children);
    assert_eq!(reap(&[pid]), (pid, End::Exit(3)));
    // The helper holds the pipe: this returns only after its end.
    assert_eq!(all_of(output), "started\n");
}

#[test]
fn a_connection_to_a_dead_daemon_waits_and_is_not_refused() {
    let _alone = alone();
    let (mut children, _output) = double("exit 1");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    children.keep_socket(Role::Mta, NamedSocket { name: "smtp", socket: listener.into() });
    let now = Moment::now();
    let mut supervision = Supervision::new(children, &[Role::Mta], Vec::new(), now);
    supervision.tick(now);
    let (pid, end) = reap(&supervision.leaders());
    supervision.child_ended(pid, end, now);
    TcpStream::connect(address).unwrap();
    supervision.tick(later(now, 1));
    let (next, _) = reap(&supervision.leaders());
    assert_ne!(next, pid);
    supervision.child_ended(next, End::Exit(1), now);
    supervision.stop(now);
    supervision.tick(now);
    assert_eq!(supervision.outcome(now), Some(Exit::Stopped));
    assert!(TcpStream::connect(address).is_err(), "the socket outlived the stop");
}

#[test]
fn a_daemon_that_will_not_stop_is_killed_with_its_group() {
    let _alone = alone();
    let (children, output) = double("trap '' TERM; echo ready; while :; do sleep 1000; done");
    let now = Moment::now();
    let mut supervision = Supervision::new(children, &[Role::Mta], Vec::new(), now);
    supervision.tick(now);
    let mut ready = [0; 6];
    (&output).read_exact(&mut ready).unwrap();
    supervision.stop(now);
    supervision.tick(now);
    assert_eq!(supervision.outcome(now), None);
    let limit = later(now, Role::Mta.stop_limit().as_secs());
    supervision.tick(limit);
    let (pid, end) = reap(&supervision.leaders());
    assert_eq!(end, End::Signal(9));
    supervision.child_ended(pid, end, limit);
    supervision.tick(limit);
    assert_eq!(supervision.outcome(limit), Some(Exit::Killed));
    drop(supervision);
    assert_eq!(all_of(output), "");
}

#[test]
fn a_missing_program_is_an_error_and_not_a_child() {
    let _alone = alone();
    let program = Program { path: "/nowhere/mailstead".into(), arguments: Vec::new() };
    let mut children = DaemonProcesses::new(BTreeMap::from([(Role::Mta, program)]), "/nowhere".into(), None);
    assert_eq!(children.start(Role::Mta).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    // The standard library has reaped the child that could not execute the program.
    assert!(reap_next(&[]).unwrap().is_none());
}

#[test]
fn a_child_that_any_signal_has_killed_is_reaped_with_its_number() {
    let _alone = alone();
    // The default action of these is to ignore or to stop (signal(7)); 32 and 33 are reserved by the C library, and a
    // child may start with them ignored.
    let harmless = [17, 18, 19, 20, 21, 22, 23, 28, 32, 33];
    for number in (1..=64).filter(|number| !harmless.contains(number)) {
        for is_daemon in [true, false] {
            // A shell that runs the tests in the background ignores some signals, and children inherit that.
            let script = format!("exec env --default-signal sh -c 'kill -{number} $$; exec sleep 1000'");
            let (mut children, _output) = double(&script);
            let pid = children.start(Role::Mta).unwrap();
            let leaders = if is_daemon { vec![pid] } else { Vec::new() };
            assert_eq!(reap(&leaders), (pid, End::Signal(number)));
        }
    }
    assert!(reap_next(&[]).unwrap().is_none());
}
