//! A daemon that dies is restarted, and meanwhile no connection is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::demo::Demo;
use tests::process;
use tests::smtp::{Smtp, message};
use tests::wait;

/// The number of times that each daemon is killed.
const ROUNDS: usize = 3;

/// Kills the process of a role and waits until another runs in its place.
fn kill_and_await(demo: &mut Demo, role: &str) {
    let victim = demo.role(role);
    kill(victim, Signal::SIGKILL).expect("it runs");
    let supervisor = demo.process().id();
    wait::until_true(&format!("the {role} is back"), || {
        process::role(supervisor, role).is_some_and(|now: Pid| now != victim)
    });
}

#[test]
fn no_connection_is_refused_while_daemons_are_killed() {
    let mut demo = Demo::start();
    let over = AtomicBool::new(false);
    let connected = AtomicUsize::new(0);
    let addresses = ["smtp", "submissions", "imap", "imaps"].map(|service| demo.services.address(service));
    thread::scope(|scope| {
        let callers: Vec<_> =
            addresses.iter().map(|address| scope.spawn(|| call_until(*address, &over, &connected))).collect();
        for _ in 0..ROUNDS {
            for role in ["mta", "mda"] {
                kill_and_await(&mut demo, role);
            }
        }
        // A client that connects now is greeted, however long the daemon takes to restart.
        demo.services.smtp_client();
        demo.services.imap_client(0);
        over.store(true, Ordering::SeqCst);
        for caller in callers {
            caller.join().expect("a connection was refused");
        }
    });
    println!("{} connections, none refused", connected.load(Ordering::SeqCst));
}

/// Connects repeatedly; a connection that stays open is read from until it gets a greeting or is closed.
fn call_until(address: SocketAddr, over: &AtomicBool, connected: &AtomicUsize) {
    while !over.load(Ordering::SeqCst) {
        let mut connection = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        connected.fetch_add(1, Ordering::SeqCst);
        // A killed daemon closes the connections that it had accepted, which is not a refusal. Those that wait to be
        // accepted are not closed; a short read is enough, since the next round connects again.
        let _ = connection.set_read_timeout(Some(std::time::Duration::from_millis(50)));
        let _ = connection.read(&mut [0; 1]);
    }
}

#[test]
fn a_connection_to_a_dead_daemon_is_served_by_the_next_one() {
    let demo = Demo::start();
    kill(demo.role("mta"), Signal::SIGKILL).expect("it runs");
    let to = demo.services.user(0);
    let mut stranger = demo.services.smtp_client();
    stranger
        .mail("stranger@example.com", &[to], &message("stranger@example.com", to, "patient-caller"))
        .unwrap()
        .expect(250);
    assert_eq!(demo.services.inbox(0).iter().filter(|message| message.contains("patient-caller")).count(), 1);
}

#[test]
fn mail_received_while_the_mda_is_dead_is_not_lost() {
    let demo = Demo::start();
    let to = demo.services.user(0).to_owned();
    let mut stranger = demo.services.smtp_client();
    kill(demo.role("mda"), Signal::SIGKILL).expect("it runs");
    let letter = message("stranger@example.com", &to, "no-mda");
    let reply = wait::until("the message is accepted", || {
        let reply = stranger.mail("stranger@example.com", &[&to], &letter).unwrap();
        // A temporary failure is correct while the MDA is not running; a permanent one would lose the message.
        assert!(reply.code < 500, "{reply:?}");
        (reply.code == 250).then_some(reply)
    });
    assert_eq!(reply.code, 250);
    assert_eq!(demo.services.inbox(0).iter().filter(|message| message.contains("no-mda")).count(), 1);
}

#[test]
fn a_stop_ends_all_processes_and_notifies_clients() {
    let mut demo = Demo::start();
    let mut waiting = Smtp::connect(demo.services.address("smtp")).unwrap();
    waiting.hello().unwrap().expect(250);
    let everyone = process::descendants(demo.process().id());
    let status = demo.process().stop();
    assert!(status.success(), "{status}");
    for process in everyone {
        assert!(kill(process, None).is_err(), "{process} outlived the supervisor");
    }
    // An open session gets a reply before it is closed (RFC 5321 §3.8).
    waiting.reply().unwrap().expect(421);
}
