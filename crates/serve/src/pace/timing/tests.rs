use handover::config;

use super::*;

const RATE: u64 = 512;

fn at(begin: Instant, seconds: u64) -> Instant {
    begin + Duration::from_secs(seconds)
}

fn hosts() -> TimeLimits {
    TimeLimits::for_hosts(&config::SessionTimeouts::default())
}

fn users() -> TimeLimits {
    TimeLimits::for_users(&config::SessionTimeouts::default())
}

fn easy() -> Fill {
    Fill::of(1, 500)
}

fn full() -> Fill {
    Fill::of(500, 500)
}

/// The second at which a session ends if its peer acts at this interval.
fn ended_at(
    time_limits: &TimeLimits,
    fill: Fill,
    timing: &mut SessionTiming,
    begin: Instant,
    every: u64,
    mut act: impl FnMut(&mut SessionTiming, Instant),
) -> (u64, Expiry) {
    for second in 1..1_000_000 {
        let now = at(begin, second);
        if let Some(expiry) = timing.expiry(time_limits, fill, now) {
            return (second, expiry);
        }
        if second % every == 0 {
            act(timing, now);
        }
    }
    panic!("never ended");
}

fn trickle(octets: usize) -> impl FnMut(&mut SessionTiming, Instant) {
    move |timing, now| {
        timing.transferred(Direction::Reading, octets, RATE, now);
        timing.start_waiting(Direction::Reading, now);
    }
}

fn reading(begin: Instant) -> SessionTiming {
    let mut timing = SessionTiming::new(begin);
    timing.start_waiting(Direction::Reading, begin);
    timing
}

#[test]
fn a_command_has_a_deadline_however_its_octets_trickle() {
    let begin = Instant::now();
    let ended = ended_at(&hosts(), easy(), &mut reading(begin), begin, 20, trickle(1));
    assert_eq!(ended, (320, Expiry::Command), "5 minutes from its first octet");
    let ended = ended_at(&hosts(), full(), &mut reading(begin), begin, 20, trickle(1));
    assert_eq!(ended, (68, Expiry::Command), "a sixth of it when the service is full");
}

#[test]
fn each_command_has_its_own_deadline_and_the_session_another() {
    let begin = Instant::now();
    let noop = |timing: &mut SessionTiming, now| {
        trickle(6)(timing, now);
        timing.command_ended();
    };
    let ended = ended_at(&hosts(), easy(), &mut reading(begin), begin, 60, noop);
    assert_eq!(ended, (600, Expiry::Unproved), "10 minutes without a message on port 25");
    let ended = ended_at(&users(), easy(), &mut reading(begin), begin, 20, noop);
    assert_eq!(ended, (180, Expiry::Unproved), "3 minutes without a login");
    let mut timing = reading(begin);
    timing.authenticated("ann@example.org");
    let idle = timing.expiry(&users(), full(), at(begin, 29 * 60));
    assert_eq!(idle, None, "an authenticated client may idle, also when the service is full");
}

#[test]
fn a_body_has_a_least_rate_and_a_slow_client_gets_through() {
    let begin = Instant::now();
    let body = || {
        let mut timing = reading(begin);
        timing.expects_body(true, begin);
        timing
    };
    let ended = ended_at(&hosts(), easy(), &mut body(), begin, 20, trickle(1));
    assert_eq!(ended, (181, Expiry::Body), "the grace, and what its octets are worth");
    let mut slow = body();
    for second in (10..50_000).step_by(10) {
        assert_eq!(slow.expiry(&hosts(), easy(), at(begin, second)), None);
        trickle(10_240)(&mut slow, at(begin, second));
    }
    assert_eq!(
        slow.expiry(&hosts(), easy(), at(begin, 49_990 + 179)),
        None,
        "out of range for less than the grace"
    );
    slow.expects_body(false, at(begin, 50_000));
    assert_eq!(slow.expiry(&hosts(), easy(), at(begin, 50_001)), None, "its time is not held against it");
}

#[test]
fn a_head_start_is_not_kept_for_a_trickle() {
    let begin = Instant::now();
    let mut timing = reading(begin);
    timing.expects_body(true, begin);
    trickle(10 << 20)(&mut timing, at(begin, 1));
    let ended = ended_at(&hosts(), easy(), &mut timing, begin, 20, trickle(1));
    assert_eq!(ended, (182, Expiry::Body));
}

#[test]
fn a_literal_before_the_login_does_not_extend_the_limit() {
    let begin = Instant::now();
    let mut timing = reading(begin);
    timing.expects_body(true, begin);
    let ended = ended_at(&users(), easy(), &mut timing, begin, 1, trickle(1024));
    assert_eq!(ended, (180, Expiry::Unproved));
}

#[test]
fn a_client_that_reads_nothing_is_ended_and_a_slow_reader_is_not() {
    let begin = Instant::now();
    let taking = |octets| {
        move |timing: &mut SessionTiming, now| {
            timing.transferred(Direction::Writing, octets, RATE, now);
            timing.start_waiting(Direction::Writing, now);
        }
    };
    let mut timing = SessionTiming::new(begin);
    timing.authenticated("ann@example.org");
    timing.start_waiting(Direction::Writing, begin);
    let ended = ended_at(&users(), full(), &mut timing, begin, 20, taking(1));
    assert_eq!(ended, (181, Expiry::SlowReader));
    let mut slow = SessionTiming::new(begin);
    slow.authenticated("ann@example.org");
    slow.start_waiting(Direction::Writing, begin);
    for second in (30..20_000).step_by(30) {
        assert_eq!(slow.expiry(&users(), full(), at(begin, second)), None);
        taking(30 * 1024)(&mut slow, at(begin, second));
    }
}

#[test]
fn our_own_work_does_not_count_against_a_peer() {
    let begin = Instant::now();
    let mut timing = reading(begin);
    timing.transferred(Direction::Reading, 6, RATE, at(begin, 1));
    assert_eq!(timing.expiry(&hosts(), full(), at(begin, 10_000)), None);
}

#[test]
fn an_accepted_message_restarts_the_time_limit() {
    let begin = Instant::now();
    let mut timing = reading(begin);
    timing.accepted(at(begin, 599));
    timing.start_waiting(Direction::Reading, at(begin, 599));
    assert_eq!(timing.expiry(&hosts(), easy(), at(begin, 1_198)), None);
    assert_eq!(timing.expiry(&hosts(), easy(), at(begin, 1_199)), Some(Expiry::Unproved));
}

#[test]
fn silence_counts_only_while_the_service_is_filling_up() {
    let begin = Instant::now();
    let timing = reading(begin);
    assert_eq!(timing.expiry(&hosts(), easy(), at(begin, 400)), None, "the session has its own limit");
    assert_eq!(timing.expiry(&hosts(), full(), at(begin, 47)), None);
    assert_eq!(timing.expiry(&hosts(), full(), at(begin, 48)), Some(Expiry::Silence));
}
