use super::super::way::Way;
use super::*;

const CA: &str = "https://ca.example/directory";

fn entry(at: i64, outcome: Outcome) -> Entry {
    Entry { at, authority: CA.into(), names: vec!["mail.example.org".into()], outcome }
}

#[test]
fn what_is_written_is_read_again_and_an_order_that_was_cut_off_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path(), 0);
    let refused =
        vec![Refusal { name: "autoconfig.example.org".into(), way: Way::Http, why: "404 there".into() }];
    for outcome in [
        Outcome::Issued,
        Outcome::Names { refused },
        Outcome::RateLimited { until: Some(7), why: "too many".into() },
        Outcome::Away { until: None, why: "down".into() },
        Outcome::Failed { why: "odd".into() },
    ] {
        ledger.begin(entry(1, Outcome::Begun)).unwrap();
        ledger.finish(outcome).unwrap();
    }
    ledger.begin(entry(2, Outcome::Begun)).unwrap();
    let read = Ledger::open(folder.path(), 9);
    assert_eq!(read.entries, ledger.entries);
    assert_eq!(read.at(CA).len(), 6);
    assert_eq!(read.at("https://other.example/")[..], []);
}

#[test]
fn a_damaged_ledger_is_kept_and_counts_as_an_order_that_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path(), 0);
    ledger.begin(entry(1, Outcome::Issued)).unwrap();
    let text = fs::read_to_string(&ledger.path).unwrap() + "{\"at\":\n";
    fs::write(&ledger.path, &text).unwrap();
    let read = Ledger::open(folder.path(), 50);
    assert_eq!(read.at(CA).last().map(|entry| (entry.at, entry.outcome.clone())), Some((50, Outcome::Begun)));
    assert_eq!(read.at(CA).len(), 2);
    assert_eq!(fs::read_to_string(folder.path().join("ledger.damaged")).unwrap(), text);
}

#[test]
fn an_order_that_cannot_be_written_down_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("gone"), 0);
    assert!(ledger.begin(entry(1, Outcome::Begun)).is_err());
    assert_eq!(ledger.entries, []);
}

#[test]
fn what_a_clock_that_was_ahead_left_behind_counts_as_now_once_and_then_grows_old() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path(), 0);
    for at in [100, 900, 1_000_000] {
        ledger.begin(entry(at, Outcome::Begun)).unwrap();
    }
    ledger.correct(1000);
    let times = |ledger: &Ledger| ledger.entries.iter().map(|entry| entry.at).collect::<Vec<_>>();
    assert_eq!(times(&ledger), [100, 900, 1000]);
    let mut read = Ledger::open(folder.path(), 0);
    read.correct(2000);
    assert_eq!(times(&read), [100, 900, 1000]);
}

#[test]
fn only_so_many_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path(), 0);
    ledger.entries = (0..2 * KEPT as i64).map(|at| entry(at, Outcome::Issued)).collect();
    ledger.begin(entry(9999, Outcome::Begun)).unwrap();
    assert_eq!(Ledger::open(folder.path(), 0).entries.len(), KEPT);
}
