//! Every dead process in the container is reaped, and none is mistaken for another.

use std::fs;
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use tests::appliance::{Appliance, Container};
use tests::process;
use tests::wait;

/// Processes that are orphans from their start, and exit at once.
fn orphans(count: usize) -> String {
    format!("i=0; while [ $i -lt {count} ]; do (:) & i=$((i+1)); done")
}

#[track_caller]
fn reaps_all(appliance: &Appliance) {
    wait::until_true("all zombies are reaped", || {
        process::descendants(appliance.init()).len() == 3 && appliance.zombies().is_empty()
    });
}

#[test]
fn orphan_reap() {
    let appliance = Container::new().serve();
    assert!(appliance.shell(&orphans(100)).status.success());
    reaps_all(&appliance);
}

#[test]
fn zombie_storm() {
    let mut appliance = Container::new().serve();
    // A daemon dies in the middle of it, and its death is not lost among the others.
    kill(appliance.role("mda"), Signal::SIGKILL).unwrap();
    assert!(appliance.shell(&orphans(500)).status.success());
    wait::until_true("the mda is back", || appliance.status().is_some() && appliance.restarts("mda") == 1);
    reaps_all(&appliance);
    // The rest of the storm comes while it stops.
    let mut storm = Command::new("nsenter")
        .args([&format!("--target={}", appliance.init()), "--pid", "--", "sh", "-c", &orphans(500)])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert_eq!(appliance.stop(), Some(0), "{}", appliance.log());
    storm.wait().unwrap();
    let log = appliance.log();
    for role in ["mta", "mda", "steward"] {
        let ends =
            log.lines().filter(|line| line.contains("stopped") && line.contains(&format!("role=\"{role}\"")));
        assert_eq!(ends.count(), 1, "the end of the {role} was lost:\n{log}");
    }
}

#[test]
fn pid_wrap() {
    let appliance = Container::new().serve();
    // The number of a dead daemon, as it is inside, goes to an unrelated process that dies of something else.
    let inside = |role| {
        let status = fs::read_to_string(format!("/proc/{}/status", appliance.role(role))).unwrap();
        let line = status.lines().find(|line| line.starts_with("NSpid:")).unwrap();
        line.split_whitespace().last().unwrap().parse::<u32>().unwrap()
    };
    let old = inside("mta");
    appliance.kill_and_await("mta");
    let new = inside("mta");
    let restarts = appliance.restarts("mta");
    let rounds = 20;
    for _ in 0..rounds {
        // The next number but one: the shell that asks for it gets the next.
        let line = format!(
            "echo {} >/proc/sys/kernel/ns_last_pid; (exit 7) & wait $!; [ $! = {old} ] && echo hit",
            old - 1
        );
        let output = appliance.shell(&line);
        assert!(String::from_utf8_lossy(&output.stdout).contains("hit"), "{output:?}");
    }
    // The numbers wrap around, past those of the live daemons.
    let line = format!(
        "echo $(($(cat /proc/sys/kernel/pid_max) - 50)) >/proc/sys/kernel/ns_last_pid; (:) & first=$!; {}; \
         (:) & echo $first $!",
        orphans(500)
    );
    let output = appliance.shell(&line);
    let numbers: Vec<u32> = String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    assert!(numbers[1] < numbers[0], "the process numbers did not wrap around: {output:?}");
    reaps_all(&appliance);
    assert_eq!(inside("mta"), new, "the exit of another process was mistaken for the daemon's");
    assert_eq!(appliance.restarts("mta"), restarts);
    assert!(appliance.is_healthy());
}

#[test]
fn not_pid_1() {
    // Another program is process 1, as with an engine's `init: true`.
    let mut appliance = Container::new().below_init().serve();
    let status = fs::read_to_string(format!("/proc/{}/status", appliance.init())).unwrap();
    assert!(!status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1")), "{status}");
    for role in ["mta", "mda", "steward"] {
        appliance.kill_and_await(role);
    }
    reaps_all(&appliance);
    assert_eq!(appliance.stop(), Some(0));
}

#[test]
fn health_exec() {
    let appliance = Container::new().serve();
    for _ in 0..200 {
        assert!(appliance.is_healthy());
    }
    reaps_all(&appliance);
    // Dead for longer than a moment: the next check reports it.
    let good = appliance.break_role("mta");
    wait::until_true("it is unhealthy", || !appliance.is_healthy());
    appliance.repair_role("mta", &good);
    wait::until_true("it is healthy again", || appliance.is_healthy());
    reaps_all(&appliance);
}
