use std::time::{Duration, UNIX_EPOCH};

use address::Host;

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::new(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn to(domain: &str) -> Lane {
    Lane::Remote(Destination::Host(Host::parse(domain).unwrap()))
}

#[test]
fn nobody_is_taken_before_the_time() {
    let mut agenda = Agenda::default();
    let id = MailId::new();
    agenda.add(id, Lane::Local, at(10));
    assert_eq!(agenda.take(at(9)), None);
    assert_eq!(agenda.next_due(), Some(at(10)));
    assert_eq!(agenda.take(at(10)), Some((Lane::Local, id)));
    assert_eq!(agenda.take(at(10)), None);
    assert_eq!(agenda.next_due(), None);
}

#[test]
fn a_lane_has_few_workers_and_each_takes_message_after_message() {
    let mut agenda = Agenda::default();
    let ids: Vec<_> = (0..10).map(|_| MailId::new()).collect();
    ids.iter().for_each(|id| agenda.add(*id, to("one.example"), at(0)));
    let taken: Vec<_> = std::iter::from_fn(|| agenda.take(at(1))).map(|(_, id)| id).collect();
    assert_eq!(taken, ids[..3]);
    assert_eq!(agenda.next(&to("one.example"), at(1)), Some(ids[3]));
    agenda.finish(&to("one.example"));
    assert_eq!(agenda.take(at(1)), Some((to("one.example"), ids[4])));
    assert_eq!(agenda.next_all(&to("one.example")), ids[5..]);
    assert_eq!(agenda.next(&to("one.example"), at(1)), None);
}

#[test]
fn lanes_take_turns() {
    let mut agenda = Agenda::default();
    for _ in 0..100 {
        agenda.add(MailId::new(), to("large.example"), at(0));
    }
    agenda.add(MailId::new(), to("small.example"), at(1));
    let lanes: Vec<_> = std::iter::from_fn(|| agenda.take(at(1))).map(|(lane, _)| lane).collect();
    assert_eq!(lanes[..2], [to("large.example"), to("small.example")]);
}

#[test]
fn there_are_so_many_workers_in_all_and_a_free_one_takes_who_waited() {
    let mut agenda = Agenda::default();
    for number in 0..50 {
        agenda.add(MailId::new(), to(&format!("d{number}.example")), at(0));
    }
    let lanes: Vec<_> = std::iter::from_fn(|| agenda.take(at(0))).map(|(lane, _)| lane).collect();
    assert_eq!(lanes.len(), MOST_WORKERS);
    agenda.finish(&lanes[0]);
    assert!(agenda.take(at(0)).is_some());
    assert_eq!(agenda.take(at(0)), None);
}

#[test]
fn a_message_that_is_added_twice_is_taken_once() {
    let mut agenda = Agenda::default();
    let id = MailId::new();
    agenda.add(id, Lane::Local, at(1));
    agenda.add(id, Lane::Local, at(2));
    assert!(agenda.take(at(3)).is_some());
    assert_eq!(agenda.take(at(3)), None);
}

#[test]
fn nothing_is_remembered_of_a_lane_that_is_done() {
    let mut agenda = Agenda::default();
    agenda.add(MailId::new(), to("one.example"), at(0));
    let (lane, _) = agenda.take(at(0)).unwrap();
    agenda.clear();
    agenda.finish(&lane);
    assert!(agenda.lanes.is_empty() && agenda.turns.is_empty() && agenda.workers == 0);
}
