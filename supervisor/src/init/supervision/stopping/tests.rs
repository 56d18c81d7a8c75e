use super::super::tests::{MDA, MTA, STEWARD, all_started, later};
use super::*;
use crate::init::unit::End;

#[test]
fn a_stop_ends_the_mta_then_the_mda_then_the_steward_each_with_its_sockets_first() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.stop(now);
    supervision.tick(now);
    assert_eq!(supervision.processes.take(), ["close mta", "SIGTERM 3"]);
    supervision.tick(later(now, 5));
    assert_eq!(supervision.processes.take(), [""; 0]);
    supervision.child_ended(MTA, End::Exit(0), now);
    supervision.tick(now);
    assert_eq!(supervision.processes.take(), ["close mda", "SIGTERM 2"]);
    supervision.child_ended(MDA, End::Exit(0), now);
    supervision.tick(now);
    assert_eq!(supervision.processes.take(), ["close steward", "SIGTERM 1"]);
    assert_eq!(supervision.outcome(now), None);
    supervision.child_ended(STEWARD, End::Exit(0), now);
    supervision.tick(now);
    assert_eq!(supervision.outcome(now), Some(Exit::Stopped));
}

#[test]
fn a_daemon_dead_before_the_stop_is_neither_awaited_nor_restarted() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    for pid in [MTA, MDA, STEWARD] {
        supervision.child_ended(pid, End::Signal(9), now);
    }
    supervision.stop(now);
    supervision.tick(now);
    assert_eq!(supervision.outcome(now), Some(Exit::Stopped));
    supervision.tick(later(now, 100));
    assert_eq!(supervision.processes.take(), ["close mta", "close mda", "close steward"]);
}

#[test]
fn a_daemon_that_does_not_stop_is_killed_and_sets_the_exit_status() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.stop(now);
    supervision.tick(now);
    supervision.tick(later(now, 15));
    assert_eq!(supervision.processes.take(), ["close mta", "SIGTERM 3", "SIGKILL 3"]);
    supervision.child_ended(MTA, End::Signal(9), later(now, 15));
    for pid in [MDA, STEWARD] {
        supervision.tick(later(now, 15));
        supervision.child_ended(pid, End::Exit(0), later(now, 15));
    }
    assert_eq!(supervision.outcome(later(now, 15)), Some(Exit::Killed));
}

#[test]
fn all_limits_stay_below_the_containers_and_an_unkillable_daemon_is_left() {
    let limits: Duration = Role::STOP_ORDER.iter().map(|role| role.stop_limit()).sum();
    assert!(limits < TIMEOUT && TIMEOUT < Duration::from_secs(40));
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.stop(now);
    supervision.tick(now);
    assert_eq!(supervision.outcome(later(now, 37)), None);
    assert_eq!(supervision.outcome(later(now, 38)), Some(Exit::Killed));
}

#[test]
fn a_second_request_stops_all_at_once() {
    let now = Moment::now();
    let mut supervision = all_started(now);
    supervision.stop(now);
    supervision.tick(now);
    supervision.processes.take();
    supervision.stop(now);
    assert_eq!(
        supervision.processes.take(),
        ["close mta", "close mda", "SIGTERM 2", "close steward", "SIGTERM 1"]
    );
    supervision.tick(later(now, 1));
    assert_eq!(supervision.processes.take(), ["SIGKILL 1", "SIGKILL 2", "SIGKILL 3"]);
}
