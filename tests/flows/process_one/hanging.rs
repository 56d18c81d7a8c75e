//! A daemon that hangs is noticed, reported and restarted, as one that dies is.

use nix::sys::signal::{Signal, kill};
use tests::appliance::Container;
use tests::wait;

/// Each daemon is stopped in another way; a stopped process handles no signals and dies of SIGKILL alone.
const STOPPED: [(&str, Signal); 3] =
    [("steward", Signal::SIGTSTP), ("mda", Signal::SIGTTIN), ("mta", Signal::SIGSTOP)];

#[test]
fn stopped_daemons() {
    let mut appliance = Container::new().serve();
    let before = STOPPED.map(|(role, _)| appliance.role(role));
    for ((_, signal), pid) in STOPPED.into_iter().zip(before) {
        kill(pid, signal).unwrap();
    }
    wait::until_true("all are reported", || {
        let status = appliance.status().unwrap();
        status.processes.iter().all(|process| process.silent_since.is_some())
    });
    assert!(!appliance.is_healthy());
    assert!(STOPPED.iter().all(|(role, _)| appliance.restarts(role) == 0));
    wait::until_true("all are restarted", || STOPPED.iter().all(|(role, _)| appliance.restarts(role) == 1));
    appliance.await_ready();
    wait::until_true("it is healthy", || appliance.is_healthy());
    let log = appliance.log();
    for ((role, _), pid) in STOPPED.into_iter().zip(before) {
        assert_ne!(appliance.role(role), pid);
        let is_logged =
            |what| log.lines().any(|line| line.contains(what) && line.contains(&format!("role=\"{role}\"")));
        assert!(
            is_logged("does not respond, restarting") && is_logged("exited, restarting"),
            "{role}:\n{log}"
        );
    }
    assert!(appliance.zombies().is_empty());
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
}

#[test]
fn a_daemon_that_makes_progress_is_not_restarted() {
    let mut appliance = Container::new().serve();
    let mta = appliance.role("mta");
    kill(mta, Signal::SIGSTOP).unwrap();
    wait::until_true("it is reported", || appliance.log().contains("does not respond"));
    wait::until_true("health reports it", || !appliance.is_healthy());
    kill(mta, Signal::SIGCONT).unwrap();
    wait::until_true("it responds", || appliance.log().contains("responding again"));
    wait::until_true("it is healthy", || appliance.is_healthy());
    assert_eq!(appliance.role("mta"), mta);
    assert_eq!(appliance.stop(), Some(0));
}
