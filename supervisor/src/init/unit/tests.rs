use super::*;

const PID: Pid = Pid::from_raw(7);
const LIMIT: Duration = Duration::from_secs(10);
const EVENTS: [Event; 5] =
    [Event::Spawned(PID), Event::Refused, Event::Ready, Event::Ended(End::Exit(1)), Event::Stop(LIMIT)];

fn later(now: Moment, seconds: u64) -> Moment {
    Moment { instant: now.instant + Duration::from_secs(seconds), wall: now.wall + seconds }
}

/// A unit to which those events have happened.
fn unit(events: &[Event], now: Moment) -> Unit {
    let mut unit = Unit::new(now);
    for event in events {
        unit.handle(*event, now).unwrap();
    }
    unit
}

#[test]
fn exactly_the_transitions_of_the_table_are_legal() {
    use status::DaemonState::{BackingOff, Ready, Starting, Stopped, Stopping};
    let spawned = Event::Spawned(PID);
    // Below each event of `EVENTS`, the state that it leads to.
    let table: [(&[Event], [Option<status::DaemonState>; 5]); 5] = [
        (&[], [Some(Starting), Some(BackingOff), None, None, Some(Stopped)]),
        (&[spawned], [None, None, Some(Ready), Some(BackingOff), Some(Stopping)]),
        (&[spawned, Event::Ready], [None, None, Some(Ready), Some(BackingOff), Some(Stopping)]),
        (&[spawned, Event::Stop(LIMIT)], [None, None, Some(Stopping), Some(Stopped), Some(Stopping)]),
        (&[Event::Stop(LIMIT)], [None, None, None, None, Some(Stopped)]),
    ];
    let now = Moment::now();
    for (path, row) in table {
        for (event, expected) in EVENTS.into_iter().zip(row) {
            let mut unit = unit(path, now);
            let before = unit.phase();
            let moved = unit.handle(event, now).is_ok().then(|| unit.phase().state());
            assert_eq!(moved, expected, "{event:?} in {before:?}");
            assert!(moved.is_some() || unit.phase() == before, "an illegal event changed {before:?}");
        }
    }
}

#[test]
fn a_unit_is_due_at_once_and_after_a_crash_when_its_wait_is_over() {
    let now = Moment::now();
    let mut unit = unit(&[], now);
    assert!(unit.is_due(now));
    for wait in [0, 1, 2, 4] {
        unit.handle(Event::Spawned(PID), now).unwrap();
        assert!(!unit.is_due(later(now, 3600)), "it runs");
        unit.handle(Event::Ended(End::Exit(71)), now).unwrap();
        assert!(!unit.is_due(now));
        assert!(unit.is_due(later(now, wait + 1)), "not due {wait} s after the crash");
    }
    let report = unit.report("mta", None);
    assert_eq!((report.restarts, report.last_end.as_deref(), report.pid), (3, Some("exit 71"), None));
}

#[test]
fn a_stable_run_resets_the_wait() {
    let start = Moment::now();
    let mut unit =
        unit(&[Event::Spawned(PID), Event::Ended(End::Exit(1)), Event::Spawned(PID), Event::Ready], start);
    let crash = Moment { instant: start.instant + STABLE_AFTER, wall: start.wall };
    unit.handle(Event::Ended(End::Exit(1)), crash).unwrap();
    assert!(unit.is_due(later(crash, 1)));
    assert_eq!(unit.wakes_at(), Some(crash.instant + restart_delay::restart_delay(0, RunKind::CameUp)));
}

#[test]
fn a_daemon_that_was_ready_waits_less_than_one_that_never_was() {
    let now = Moment::now();
    let wait = |events: &[Event]| {
        let mut unit = unit(&[], now);
        for _ in 0..20 {
            events.iter().for_each(|event| unit.handle(*event, now).unwrap());
        }
        unit.wakes_at().unwrap() - now.instant
    };
    let ended = |end| [Event::Spawned(PID), Event::Ended(end)];
    assert_eq!(
        wait(&[Event::Spawned(PID), Event::Ready, Event::Ended(End::Exit(1))]),
        Duration::from_secs(1)
    );
    assert_eq!(wait(&ended(End::Signal(9))), Duration::from_secs(1));
    assert_eq!(wait(&ended(End::Exit(1))), Duration::from_secs(60));
    assert_eq!(wait(&ended(End::Signal(11))), Duration::from_secs(60));
}

#[test]
fn a_unit_that_does_not_stop_in_time_is_killed_once() {
    let now = Moment::now();
    let mut unit = unit(&[Event::Spawned(PID), Event::Ready, Event::Stop(LIMIT)], now);
    assert_eq!(unit.take_overdue(later(now, 9)), None);
    assert_eq!(unit.take_overdue(later(now, 10)), Some(PID));
    assert_eq!(unit.take_overdue(later(now, 11)), None);
    assert!(unit.was_killed() && unit.wakes_at().is_none());
    unit.handle(Event::Ended(End::Signal(9)), later(now, 11)).unwrap();
    assert_eq!(unit.phase(), Phase::Stopped);
}

#[test]
fn a_second_request_to_stop_shortens_the_wait_and_never_lengthens_it() {
    let now = Moment::now();
    let mut unit = unit(&[Event::Spawned(PID), Event::Stop(LIMIT)], now);
    unit.handle(Event::Stop(Duration::from_secs(1)), now).unwrap();
    assert_eq!(unit.wakes_at(), Some(later(now, 1).instant));
    unit.handle(Event::Stop(LIMIT), now).unwrap();
    assert_eq!(unit.wakes_at(), Some(later(now, 1).instant));
}

#[test]
fn a_unit_reports_the_start_of_its_state() {
    let now = Moment::now();
    let mut unit = unit(&[Event::Spawned(PID)], now);
    unit.handle(Event::Ready, later(now, 5)).unwrap();
    unit.handle(Event::Ready, later(now, 9)).unwrap();
    let report = unit.report("mta", Some(3));
    assert_eq!((report.since, report.pid, report.queue), (now.wall + 5, Some(7), Some(3)));
}
