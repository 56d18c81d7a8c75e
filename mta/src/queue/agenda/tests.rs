use std::time::Duration;

use address::Host;

use super::*;
use crate::outbound::Destination;

fn to(domain: &str) -> Lane {
    Lane::Remote(Destination::Host(Host::parse(domain).unwrap()))
}

fn attempt(lane: Lane, at: Instant) -> ScheduledAttempt {
    ScheduledAttempt { lane, at, kind: AttemptKind::First, recipients: 1 }
}

fn retry(lane: Lane, at: Instant) -> ScheduledAttempt {
    ScheduledAttempt { kind: AttemptKind::Retry, ..attempt(lane, at) }
}

/// An agenda whose messages are due, their identifiers, and the present time.
fn agenda(messages: impl IntoIterator<Item = ScheduledAttempt>) -> (Agenda, Vec<MailId>, Instant) {
    let mut agenda = Agenda::new(WorkerLimits::default());
    let mut ids = Vec::new();
    for attempt in messages {
        let id = MailId::new();
        agenda.set(id, vec![attempt]);
        ids.push(id);
    }
    (agenda, ids, Instant::now())
}

fn take_all(agenda: &mut Agenda, now: Instant) -> Vec<WorkerPlace> {
    std::iter::from_fn(|| agenda.start_worker(now)).map(|(place, _)| place).collect()
}

fn lanes(places: &[WorkerPlace]) -> Vec<Lane> {
    places.iter().map(|place| place.lane.clone()).collect()
}

#[test]
fn no_message_is_started_before_it_is_due() {
    let start = Instant::now();
    let later = start + Duration::from_secs(10);
    let (mut agenda, ids, _) = agenda([attempt(Lane::Local, later)]);
    assert!(agenda.start_worker(start).is_none());
    assert_eq!(agenda.next_due(), Some(later));
    assert_eq!(agenda.start_worker(later).map(|(_, id)| id), Some(ids[0]));
    assert!(agenda.start_worker(later).is_none());
    assert_eq!((agenda.next_due(), agenda.recipients()), (None, 1));
}

#[test]
fn a_destination_has_one_worker_until_it_answers() {
    let start = Instant::now();
    let (mut agenda, ids, now) = agenda((0..10).map(|_| attempt(to("one.example"), start)));
    let mut first = agenda.start_worker(now).unwrap();
    assert_eq!(first.1, ids[0]);
    assert!(agenda.start_worker(now).is_none());
    agenda.note_reachable(&first.0.lane);
    assert_eq!(take_all(&mut agenda, now).len(), 2);
    assert_eq!(agenda.next_message(&mut first.0, now), Some(ids[3]));
    agenda.finish_worker(&first.0);
    assert_eq!(agenda.start_worker(now).map(|(_, id)| id), Some(ids[4]));
    assert_eq!(agenda.claim_all_ready(&to("one.example")), ids[5..]);
    assert_eq!(agenda.next_message(&mut first.0, now), None);
}

#[test]
fn workers_for_silent_destinations_give_up_their_quick_places() {
    let start = Instant::now();
    let silent = (0..100).map(|number| attempt(to(&format!("silent{number}.example")), start));
    let (mut agenda, _, now) = agenda(silent.chain([attempt(to("good.example"), start)]));
    let mut started = Vec::new();
    let mut rounds = 0;
    while !lanes(&started).contains(&to("good.example")) {
        rounds += 1;
        let mut places = take_all(&mut agenda, now);
        assert!(places.len() <= WorkerLimits::default().quick);
        // The hosts are silent for some seconds, and all workers still run.
        places.iter_mut().for_each(|place| assert!(agenda.move_to_slow_pool(place)));
        started.extend(places);
    }
    assert_eq!(rounds, 3);
}

#[test]
fn retries_never_hold_more_than_half_of_the_places() {
    let start = Instant::now();
    let dead = (0..100).map(|number| retry(to(&format!("dead{number}.example")), start));
    let (mut agenda, _, now) = agenda(dead);
    let places = take_all(&mut agenda, now);
    assert_eq!(places.len(), WorkerLimits::default().quick / 2);
    agenda.set(MailId::new(), vec![attempt(to("good.example"), start)]);
    assert_eq!(lanes(&take_all(&mut agenda, now)), [to("good.example")]);
}

#[test]
fn first_attempts_and_retries_take_turns() {
    let start = Instant::now();
    let new = (0..100).map(|number| attempt(to(&format!("new{number}.example")), start));
    let (mut agenda, _, now) = agenda(new.chain([retry(to("greylisted.example"), start)]));
    let started = [agenda.start_worker(now), agenda.start_worker(now)].map(|started| started.unwrap().0.lane);
    assert_eq!(started[1], to("greylisted.example"));
}

#[test]
fn local_deliveries_have_workers_of_their_own() {
    let start = Instant::now();
    let remote = (0..100).map(|number| attempt(to(&format!("d{number}.example")), start));
    let (mut agenda, _, now) = agenda(remote);
    assert_eq!(take_all(&mut agenda, now).len(), WorkerLimits::default().quick);
    agenda.set(MailId::new(), vec![attempt(Lane::Local, start), attempt(Lane::Settlement, start)]);
    assert_eq!(lanes(&take_all(&mut agenda, now)), [Lane::Settlement, Lane::Local]);
}

#[test]
fn a_worker_of_a_long_lane_ends_when_others_wait_for_its_place() {
    let start = Instant::now();
    let long = (0..1000).map(|number| attempt(to(&format!("long{}.example", number % 40)), start));
    let (mut agenda, _, now) = agenda(long.chain([attempt(to("short.example"), start)]));
    let mut places = take_all(&mut agenda, now);
    assert_eq!(places.len(), 40);
    let mut place = places.pop().unwrap();
    let more = std::iter::from_fn(|| agenda.next_message(&mut place, now)).count();
    assert!(more < 20, "{more}");
    agenda.finish_worker(&place);
    assert_eq!(lanes(&take_all(&mut agenda, now)), [to("short.example")]);
}

#[test]
fn slow_places_are_bounded_and_freed_when_their_workers_end() {
    let start = Instant::now();
    let mut agenda = Agenda::new(WorkerLimits { quick: 2, slow: 1 });
    for number in 0..4 {
        agenda.set(MailId::new(), vec![attempt(to(&format!("d{number}.example")), start)]);
    }
    let mut places = take_all(&mut agenda, start);
    assert!(agenda.move_to_slow_pool(&mut places[0]) && !agenda.move_to_slow_pool(&mut places[1]));
    assert!(places[0].is_slow() && !places[1].is_slow());
    assert_eq!(take_all(&mut agenda, start).len(), 1);
    agenda.finish_worker(&places[0]);
    assert!(agenda.move_to_slow_pool(&mut places[1]));
    assert_eq!(take_all(&mut agenda, start).len(), 1);
}

#[test]
fn a_message_that_is_set_again_is_started_once_and_in_its_new_lane() {
    let start = Instant::now();
    let (mut agenda, ids, now) = agenda([attempt(to("old.example"), start)]);
    // Once before it is ready and once after.
    agenda.set(ids[0], vec![attempt(to("older.example"), start)]);
    agenda.wake(now);
    agenda.set(ids[0], vec![attempt(to("new.example"), start)]);
    assert_eq!(lanes(&take_all(&mut agenda, now)), [to("new.example")]);
}

#[test]
fn a_claim_that_ends_early_is_started_again() {
    let start = Instant::now();
    let (mut agenda, ids, now) = agenda([attempt(Lane::Local, start)]);
    let (place, _) = agenda.start_worker(now).unwrap();
    // Another lane of the message ends meanwhile.
    agenda.set(ids[0], vec![attempt(Lane::Local, start)]);
    assert!(agenda.start_worker(now).is_none());
    agenda.release(ids[0], &place.lane, now);
    assert_eq!(agenda.start_worker(now).map(|(_, id)| id), Some(ids[0]));
}

#[test]
fn the_agenda_forgets_messages_that_are_done() {
    let start = Instant::now();
    let (mut agenda, ids, now) = agenda([attempt(to("one.example"), start), retry(to("two.example"), start)]);
    let places = take_all(&mut agenda, now);
    for (id, place) in ids.iter().zip(&places) {
        agenda.set(*id, Vec::new());
        agenda.release(*id, &place.lane, now);
        agenda.finish_worker(place);
    }
    assert!(agenda.messages.is_empty() && agenda.lanes.is_empty() && agenda.waiting.is_empty());
    assert_eq!((agenda.recipients(), take_all(&mut agenda, now).len()), (0, 0));
    assert_eq!(agenda.places.free().count(), 2);
}
