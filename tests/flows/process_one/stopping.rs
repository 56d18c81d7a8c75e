//! Process 1 stops at any moment and on each signal that requests it, in order and in time.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use tests::appliance::{Appliance, Container};
use tests::smtp::{Smtp, message};
use tests::wait;

const STRANGER: &str = "stranger@example.com";

/// The position of the line of the log that has all these words.
#[track_caller]
fn line(log: &str, words: &[&str]) -> usize {
    let found = log.lines().position(|line| words.iter().all(|word| line.contains(word)));
    found.unwrap_or_else(|| panic!("no line with {words:?} in\n{log}"))
}

/// Waits until it ends, and measures the time.
#[track_caller]
fn timed(appliance: &mut Appliance) -> (Option<i32>, Duration) {
    let begin = Instant::now();
    let status = appliance.await_end();
    (status, begin.elapsed())
}

/// True if process 1 has blocked signals: its first act.
fn has_started(appliance: &Appliance) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", appliance.init())).unwrap_or_default();
    status.lines().any(|line| line.starts_with("SigBlk:") && !line.ends_with("0000000000000000"))
}

#[test]
fn early_term() {
    for delay in [0, 5, 50] {
        let mut appliance = Container::new().start();
        // Before its first instruction no signal can be blocked, and the kernel drops those that it gets.
        let begin = Instant::now();
        while !has_started(&appliance) {
            assert!(begin.elapsed() < Duration::from_secs(30), "it does not begin");
            std::hint::spin_loop();
        }
        thread::sleep(Duration::from_millis(delay));
        appliance.signal(Signal::SIGTERM);
        let (status, time) = timed(&mut appliance);
        assert_eq!(status, Some(0), "after {delay} ms:\n{}", appliance.log());
        assert!(time < Duration::from_secs(20), "after {delay} ms it took {time:?}");
    }
}

#[test]
fn stop_while_starting() {
    // The same volume again and again, each time left at another moment.
    let mut appliance = Container::new().start();
    for delay in [100, 400, 800, 1200, 1600, 2000] {
        thread::sleep(Duration::from_millis(delay));
        assert_eq!(appliance.stop(), Some(0), "after {delay} ms:\n{}", appliance.log());
        appliance.restart();
    }
    // Every written file is whole: it serves.
    appliance.await_ready();
    let mail = appliance.volume().join("mail");
    assert!(mail.is_dir());
    assert_eq!(appliance.stop(), Some(0));
    let left: Vec<_> = fs::read_dir(appliance.volume())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".new") || name.contains(".tmp"))
        .collect();
    assert!(left.is_empty(), "half-written files are left: {left:?}");
}

#[test]
fn stop_order() {
    let mut appliance = Container::new().serve();
    let services = appliance.services();
    let to = services.user(0).to_owned();
    appliance.inside(|| {
        // An MTA in the middle of a message.
        let mut busy = services.smtp_client();
        busy.command(&format!("MAIL FROM:<{STRANGER}>")).unwrap().expect(250);
        busy.command(&format!("RCPT TO:<{to}>")).unwrap().expect(250);
        busy.command("DATA").unwrap().expect(354);
        appliance.signal(Signal::SIGTERM);
        // No new client connects to the MTA; the MDA serves until the MTA has ended.
        wait::until_true("port 25 is closed", || {
            let refused = TcpStream::connect(services.address("smtp"));
            refused.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
        });
        TcpStream::connect(services.address("imaps")).unwrap();
        busy.data(&message(STRANGER, &to, "last-one")).unwrap().expect(250);
    });
    assert_eq!(appliance.await_end(), Some(0), "{}", appliance.log());
    let log = appliance.log();
    let [mta, mda, steward] = ["mta", "mda", "steward"].map(|role| line(&log, &["stopped", role, "exit 0"]));
    assert!(mta < mda && mda < steward, "stopped in another order:\n{log}");
    appliance.start_again();
    let inbox = appliance.inside(|| services.inbox(0));
    assert!(inbox.iter().any(|message| message.contains("last-one")), "what was acknowledged is lost");
}

#[test]
fn stop_stuck() {
    let mut appliance = Container::new().serve();
    // A stopped process handles no signal but SIGKILL.
    kill(appliance.role("steward"), Signal::SIGSTOP).unwrap();
    appliance.signal(Signal::SIGTERM);
    let (status, time) = timed(&mut appliance);
    assert_eq!(status, Some(70), "{}", appliance.log());
    assert!(time < Duration::from_secs(40), "longer than an engine waits: {time:?}");
    line(&appliance.log(), &["did not stop in time, killed", "steward"]);
}

#[test]
fn stop_while_dead() {
    let mut appliance = Container::new().serve();
    kill(appliance.role("mta"), Signal::SIGKILL).unwrap();
    appliance.signal(Signal::SIGTERM);
    let (status, time) = timed(&mut appliance);
    assert_eq!(status, Some(0), "{}", appliance.log());
    assert!(time < Duration::from_secs(30), "stopping waited for the dead daemon: {time:?}");
}

#[test]
fn stop_while_restarting() {
    let mut appliance = Container::new().serve();
    // The second crash in a row costs a wait, in the middle of which it is requested to stop.
    appliance.break_role("mda");
    wait::until_true("it waits before it starts again", || {
        appliance.status().is_some_and(|status| {
            status.processes.iter().any(|process| process.name == "mda" && process.restarts >= 2)
        })
    });
    appliance.signal(Signal::SIGTERM);
    let (status, time) = timed(&mut appliance);
    assert_eq!(status, Some(0), "{}", appliance.log());
    assert!(time < Duration::from_secs(30), "stopping waited for the restart delay: {time:?}");
}

#[test]
fn stop_while_in_acme() {
    // An authority that accepts every connection and never sends an octet.
    let silent = "perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => 14000, Listen => 9) or die; \
                  open(F, \">tmp/up\"); close F; sleep 600' & until [ -e tmp/up ]; do sleep 0.02; done";
    let mut appliance = Container::new()
        .set("MAIL_ACME_DIRECTORY", "https://127.0.0.1:14000/directory")
        // So that it connects to the authority without checking that we are reachable.
        .set("MAIL_ACME_CHALLENGE", "dns-01")
        .set("MAIL_DNS_UPDATE_SERVER", "127.0.0.1:1")
        .before(silent)
        .serve();
    let steward_waits = || {
        let connections = fs::read_to_string(format!("/proc/{}/net/tcp", appliance.init())).unwrap();
        // The remote address and port, and 01 for an established connection.
        connections.lines().any(|line| line.contains(" 0100007F:36B0 01 "))
    };
    wait::until_true("the steward waits for the authority", steward_waits);
    appliance.signal(Signal::SIGTERM);
    let (status, time) = timed(&mut appliance);
    assert_eq!(status, Some(0), "{}", appliance.log());
    assert!(time < Duration::from_secs(30), "stopping waited for the authority: {time:?}");
    // Every written file is whole: it starts again and serves.
    appliance.start_again();
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn double_term() {
    let mut appliance = Container::new().serve();
    for role in ["steward", "mda", "mta"] {
        kill(appliance.role(role), Signal::SIGSTOP).unwrap();
    }
    appliance.signal(Signal::SIGTERM);
    wait::until_true("it stops", || appliance.log().contains("stopping"));
    appliance.signal(Signal::SIGTERM);
    let (status, time) = timed(&mut appliance);
    // Three that do not answer have 35 seconds in all when it is requested once.
    assert_eq!(status, Some(70), "{}", appliance.log());
    assert!(time < Duration::from_secs(30), "a second request did not shorten the stop: {time:?}");
}

#[test]
fn interrupt_and_quit_stop_too() {
    let mut appliance = Container::new().serve();
    appliance.signal(Signal::SIGINT);
    assert_eq!(appliance.await_end(), Some(0));
    appliance.start_again();
    appliance.signal(Signal::SIGQUIT);
    assert_eq!(appliance.await_end(), Some(0));
}

#[test]
fn connected_clients_are_notified_of_the_stop() {
    let mut appliance = Container::new().serve();
    let smtp: SocketAddr = appliance.services().address("smtp");
    let mut waiting = appliance.inside(|| {
        let mut waiting = Smtp::connect(smtp).unwrap();
        waiting.hello().unwrap().expect(250);
        waiting
    });
    assert_eq!(appliance.stop(), Some(0));
    waiting.reply().unwrap().expect(421);
}
