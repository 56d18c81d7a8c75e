use super::*;
use crate::maildir::FileName;

fn uid(uid: u32) -> Uid {
    Uid::new(uid).unwrap()
}

fn entry(number: u32, letters: &str) -> MessageEntry {
    let flags = Flags::from_letters(letters);
    MessageEntry {
        uid: uid(number),
        flags,
        mod_seq: ModSeq(1),
        is_unclaimed: false,
        file: FileName::in_cur(format!("{number}.host"), flags),
    }
}

/// A mailbox with the UIDs 2, 4, 6 and so on.
fn mailbox(length: u32) -> Snapshot {
    let mut snapshot =
        Snapshot::empty(UidValidity::new(1).unwrap(), Uid::new(2 * length + 1), Arc::default());
    snapshot.insert((1..=length).map(|n| entry(2 * n, "S")).collect());
    snapshot
}

fn uids(snapshot: &Snapshot) -> Vec<u32> {
    snapshot.entries().map(|entry| entry.uid.value()).collect()
}

/// The expected difference, found by comparing all messages.
fn expected_difference(old: &Snapshot, new: &Snapshot) -> Difference {
    let mut difference =
        Difference { keywords_changed: old.keywords != new.keywords, ..Difference::default() };
    for (number, was) in (1..).zip(old.entries()) {
        match new.by_uid(was.uid) {
            None => difference.expunged.push(number),
            Some((number, is)) if is.flags != was.flags => difference.changed.push(number),
            Some(_) => {}
        }
    }
    difference.arrived = new.entries().filter(|entry| old.by_uid(entry.uid).is_none()).count() as u32;
    difference
}

#[test]
fn messages_are_found_by_number_and_by_uid() {
    let snapshot = mailbox(1000);
    assert_eq!(snapshot.len(), 1000);
    for number in [1, 2, 255, 256, 257, 511, 512, 513, 999, 1000] {
        let entry = snapshot.by_number(number).unwrap();
        assert_eq!(entry.uid, uid(2 * number));
        assert_eq!(snapshot.by_uid(entry.uid), Some((number, entry)));
    }
    assert!(snapshot.by_number(0).is_none() && snapshot.by_number(1001).is_none());
    assert!(snapshot.by_uid(uid(3)).is_none() && snapshot.by_uid(uid(2001)).is_none());
}

#[test]
fn ranges_yield_each_message_with_its_number() {
    let snapshot = mailbox(1000);
    let numbers = |range| {
        snapshot.numbers(range).map(|(number, entry)| (number, entry.uid.value())).collect::<Vec<_>>()
    };
    assert_eq!(numbers(255..=258), [(255, 510), (256, 512), (257, 514), (258, 516)]);
    assert_eq!(numbers(0..=1), [(1, 2)]);
    assert_eq!(numbers(1000..=u32::MAX), [(1000, 2000)]);
    assert_eq!(numbers(1001..=1002), []);
    let uids =
        |range| snapshot.uids(range).map(|(number, entry)| (number, entry.uid.value())).collect::<Vec<_>>();
    assert_eq!(uids(uid(511)..=uid(515)), [(256, 512), (257, 514)]);
    assert_eq!(uids(uid(1)..=uid(1)), []);
    assert_eq!(uids(uid(1999)..=Uid::LAST), [(1000, 2000)]);
}

#[test]
fn an_empty_mailbox_finds_nothing() {
    let snapshot = mailbox(0);
    assert!(snapshot.is_empty());
    assert_eq!(snapshot.len(), snapshot.entries().count() as u32);
    assert!(snapshot.by_number(1).is_none() && snapshot.by_uid(uid(1)).is_none());
    assert_eq!(snapshot.numbers(1..=9).count() + snapshot.uids(uid(1)..=uid(9)).count(), 0);
    assert_eq!((snapshot.first_unseen(), snapshot.uid_next()), (None, 1));
}

#[test]
fn a_change_copies_only_the_runs_that_it_touches() {
    let old = mailbox(1000);
    let mut new = old.clone();
    let mod_seq = new.begin_change();
    new.set_file(uid(600), FileName::in_cur("600.host", Flags::FLAGGED), Flags::FLAGGED, mod_seq);
    let shared = old.chunks.iter().zip(&new.chunks).filter(|(old, new)| Arc::ptr_eq(old, new)).count();
    assert_eq!(shared, old.chunks.len() - 1);
    assert_eq!((new.unseen(), new.first_unseen()), (1, Some(300)));
    assert_eq!(new.by_uid(uid(600)).unwrap().1.mod_seq, new.highest_mod_seq());
    assert_eq!(old.by_uid(uid(600)).unwrap().1.flags, Flags::SEEN);
}

#[test]
fn late_uids_are_inserted_in_order_and_long_runs_are_split() {
    let mut snapshot = mailbox(600);
    snapshot.insert((0..600).map(|n| entry(2 * n + 1, "")).collect());
    assert_eq!(uids(&snapshot), (1..=1200).collect::<Vec<_>>());
    assert!(snapshot.chunks.iter().all(|chunk| chunk.entries.len() <= 2 * Chunk::LENGTH));
    assert_eq!(snapshot.by_number(700).unwrap().uid, uid(700));
    snapshot.insert(vec![entry(5, "T")]);
    assert_eq!(snapshot.len(), 1200, "an existing message stays");
}

#[test]
fn modification_sequences_always_grow() {
    let mut snapshot = mailbox(1);
    let mut last = snapshot.highest_mod_seq();
    for _ in 0..1000 {
        let next = snapshot.begin_change();
        assert!(next > last);
        last = next;
    }
}

proptest::proptest! {
    #[test]
    fn the_difference_equals_a_comparison_of_all_messages(
        length in 0u32..1200,
        removed in proptest::collection::btree_set(1u32..2400, 0..40),
        wide in 0u32..700,
        flagged in proptest::collection::btree_set(1u32..2400, 0..20),
        arrived in 0u32..600,
        late in proptest::collection::btree_set(1u32..2400, 0..3),
    ) {
        let old = mailbox(length);
        let mut new = old.clone();
        let mod_seq = new.begin_change();
        let mut gone: Vec<Uid> = removed.into_iter().map(uid).collect();
        gone.extend((1..wide).map(|n| uid(2 * n)));
        gone.sort();
        gone.dedup();
        new.remove(&gone);
        for n in flagged {
            new.set_file(uid(n), FileName::in_cur(format!("{n}.host"), Flags::DELETED), Flags::DELETED, mod_seq);
        }
        new.insert((1..=arrived).map(|n| entry(2400 + n, "")).collect());
        // Only UIDs that the older snapshot never had.
        new.insert(late.into_iter().filter(|n| n % 2 == 1).map(|n| entry(n, "")).collect());
        proptest::prop_assert_eq!(old.difference(&new), expected_difference(&old, &new));
        proptest::prop_assert!(new.chunks.iter().all(|chunk| !chunk.entries.is_empty()));
        proptest::prop_assert!(new.entries().map(|entry| entry.uid).is_sorted_by(|a, b| a < b));
        proptest::prop_assert_eq!(new.len() as usize, new.entries().count());
        let unseen = new.entries().filter(|entry| !entry.flags.contains(Flags::SEEN)).count();
        proptest::prop_assert_eq!(new.unseen() as usize, unseen);
        for (number, entry) in (1..).zip(new.entries()) {
            proptest::prop_assert_eq!(new.by_uid(entry.uid), Some((number, entry)));
        }
    }
}
