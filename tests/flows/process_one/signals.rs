//! Signals that process 1 acts on, that it ignores, and that come from inside.

use std::fs;
use std::process::Command;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::appliance::{Appliance, Container};
use tests::wait;

fn daemons(appliance: &Appliance) -> [Pid; 3] {
    ["steward", "mda", "mta"].map(|role| appliance.role(role))
}

#[test]
fn hup_reload() {
    let container = Container::new().unset("MAIL_USERS").set("MAIL_USERS_FILE", "/etc/users");
    let file = container.etc().join("users");
    fs::write(&file, "ann:correct-horse\n").unwrap();
    // The file of a secret is a mount of its own, which the engine changes in place.
    let bind = format!("mount --bind {} etc/users", file.display());
    let mut appliance = container.before(&bind).serve();
    let before = daemons(&appliance);
    let services = appliance.services();
    appliance.inside(|| {
        let mut reader = services.imap_client(0);
        let mut stranger = services.smtp_client();
        fs::write(&file, "ann:correct-horse\nbob:battery-staple\n").unwrap();
        appliance.signal(Signal::SIGHUP);
        wait::until_true("the new user is known", || {
            let mut session = services.submission_session();
            session.log_in(services.user(1), "battery-staple").is_ok_and(|reply| reply.code == 235)
        });
        services.imap_client(1);
        // The connected client has noticed nothing.
        reader.command("NOOP").unwrap().ok();
        stranger.command("NOOP").unwrap().expect(250);
        // A faulty file changes nothing, and is reported; so is one that is still being written.
        for (worse, said) in [("ann\n", "entry 1 has no colon"), ("", "has no user in it")] {
            fs::write(&file, worse).unwrap();
            appliance.signal(Signal::SIGHUP);
            wait::until_true("the error is logged", || appliance.log().contains(said));
            assert!(appliance.log().contains("the old settings stay in force"));
            services.imap_client(1);
        }
        reader.command("NOOP").unwrap().ok();
    });
    assert_eq!(daemons(&appliance), before, "a daemon was restarted");
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn unknown_signals() {
    let mut appliance = Container::new().serve();
    let before = daemons(&appliance);
    let unknown = [
        "USR1", "USR2", "WINCH", "PIPE", "CONT", "ALRM", "VTALRM", "PROF", "URG", "IO", "PWR", "TTIN",
        "TTOU", "TSTP", "XCPU", "XFSZ", "STKFLT", "CHLD", "34", "41", "64",
    ];
    for round in 0..10 {
        for signal in unknown {
            // From outside, as the engine sends them, and from inside.
            let (number, pid) = (format!("-{signal}"), appliance.init().to_string());
            if round % 2 == 0 {
                assert!(
                    Command::new("/bin/kill").args([&number, &pid]).status().unwrap().success(),
                    "{signal}"
                );
            } else {
                assert!(appliance.shell(&format!("/bin/kill {number} 1")).status.success(), "{signal}");
            }
        }
    }
    assert!(appliance.is_healthy());
    assert_eq!(daemons(&appliance), before, "a daemon was restarted");
    // It has not lost the signals that it acts on.
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
}

#[test]
fn inner_kill() {
    let mut appliance = Container::new().serve();
    for signal in ["KILL", "STOP", "SEGV", "ABRT", "ILL", "TRAP", "SYS"] {
        appliance.shell(&format!("/bin/kill -{signal} 1"));
    }
    assert!(appliance.is_healthy());
    assert_eq!(appliance.stop(), Some(0));
}

/// The signals that a daemon survives, or whose default action is to ignore them; 32 and 33 are the C library's own.
const SURVIVED: [i32; 9] = [1, 10, 13, 17, 18, 23, 28, 32, 33];
/// The signals that stop a process; the watchdog handles that (`hanging.rs`).
const STOPPING: [i32; 4] = [19, 20, 21, 22];
/// The signals on which a daemon ends in good order.
const ENDING: [i32; 2] = [2, 15];

#[test]
fn every_signal_to_a_daemon() {
    let mut appliance = Container::new().serve();
    let mut restarts = 0;
    for number in (1..=64).filter(|number| !STOPPING.contains(number)) {
        let before = appliance.role("mta");
        let send = || Command::new("/bin/kill").args([&format!("-{number}"), &before.to_string()]).output();
        assert!(send().unwrap().status.success(), "{number}");
        if SURVIVED.contains(&number) {
            continue;
        }
        restarts += 1;
        wait::until_true(&format!("signal {number} has led to a restart"), || {
            // The first of some is caught by the standard library, which checks for a stack overflow.
            let _ = send();
            appliance.restarts("mta") == restarts
        });
        appliance.await_ready();
        let status = appliance.status().unwrap();
        let mta = status.processes.iter().find(|process| process.name == "mta").unwrap();
        let end = mta.last_end.as_deref().unwrap();
        match number {
            _ if ENDING.contains(&number) => assert_eq!(end, "exit 0"),
            34 => assert_eq!(end, "signal 34 (SIGRTMIN)"),
            35.. => assert_eq!(end, format!("signal {number} (SIGRTMIN+{})", number - 34)),
            _ => assert!(end.starts_with(&format!("signal {number} (SIG")), "{end}"),
        }
        let log = appliance.log();
        let line = |line: &str| line.contains("exited unexpectedly") && line.contains(end);
        assert!(log.lines().any(line), "the log does not say {end}:\n{log}");
        assert!(appliance.zombies().is_empty(), "{number}");
    }
    assert!(appliance.is_healthy());
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
}

#[test]
fn every_signal_to_process_1() {
    let mut appliance = Container::new().serve();
    let before = daemons(&appliance);
    // The signals that request it to stop, and those that cannot be caught.
    let ending = [2, 3, 9, 15, 19];
    for number in (1..=64).filter(|number| !ending.contains(number)) {
        let (flag, pid) = (format!("-{number}"), appliance.init().to_string());
        // More than the kernel keeps of one without a queue, and more than one round of the loop reads.
        for _ in 0..20 {
            assert!(Command::new("/bin/kill").args([&flag, &pid]).status().unwrap().success(), "{number}");
        }
    }
    appliance.kill_and_await("steward");
    assert!(appliance.is_healthy());
    assert_eq!(daemons(&appliance)[1..], before[1..], "a daemon was restarted");
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
}
