use super::super::challenge_type::ChallengeKind;
use super::*;

const CA: &str = "https://ca.example/directory";

fn entry(at: i64, outcome: Outcome) -> Entry {
    Entry { outcome, ..Entry::started(at, CA, &[("mail.example.org".into(), ChallengeKind::Http)]) }
}

fn issued() -> Outcome {
    Outcome::Issued { lifetime: Some(90 * 86_400) }
}

#[test]
fn a_written_ledger_is_read_with_an_interrupted_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path(), 0);
    let refused = vec![
        Refusal::new("autoconfig.example.org", ChallengeKind::Http, "404 there"),
        Refusal {
            records: Some("aa".into()),
            ..Refusal::new("x", ChallengeKind::Dns, Reason::new("no", "do"))
        },
    ];
    for outcome in [
        issued(),
        Outcome::Unusable { reason: "another key".into() },
        Outcome::Pending { tries: 2, next: 9, is_from_authority: true, reason: "it signs".into() },
        Outcome::Names { refused },
        Outcome::RateLimited { until: Some(7), reason: "too many".into() },
        Outcome::Unavailable { until: None, reason: Reason::new("down", "wait") },
        Outcome::Failed { reason: "odd".into() },
    ] {
        ledger.begin(entry(1, Outcome::Started)).unwrap();
        ledger.finish(outcome).unwrap();
    }
    ledger.begin(entry(2, Outcome::Started)).unwrap();
    let read = Ledger::open(folder.path(), 9);
    assert_eq!(read.entries, ledger.entries);
    assert_eq!(read.at(CA).len(), 8);
    assert_eq!(read.at("https://other.example/")[..], []);
}

#[test]
fn a_damaged_ledger_is_kept_and_counts_as_an_interrupted_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path(), 0);
    ledger.begin(entry(1, issued())).unwrap();
    let text = fs::read_to_string(&ledger.path).unwrap() + "{\"at\":\n";
    fs::write(&ledger.path, &text).unwrap();
    let read = Ledger::open(folder.path(), 50);
    assert_eq!(
        read.at(CA).last().map(|entry| (entry.at, entry.outcome.clone())),
        Some((50, Outcome::Started))
    );
    assert_eq!(read.at(CA).len(), 2);
    assert_eq!(fs::read_to_string(folder.path().join("ledger.damaged")).unwrap(), text);
}

#[test]
fn an_order_that_cannot_be_recorded_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("gone"), 0);
    assert!(ledger.begin(entry(1, Outcome::Started)).is_err());
    assert_eq!(ledger.entries, []);
}

#[test]
fn an_entry_from_a_fast_clock_is_set_to_now_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path(), 0);
    for at in [100, 900, 1_000_000] {
        ledger.begin(entry(at, Outcome::Started)).unwrap();
    }
    ledger.correct(1000);
    let times = |ledger: &Ledger| ledger.entries.iter().map(|entry| entry.at).collect::<Vec<_>>();
    assert_eq!(times(&ledger), [100, 900, 1000]);
    let mut read = Ledger::open(folder.path(), 0);
    read.correct(2000);
    assert_eq!(times(&read), [100, 900, 1000]);
}

#[test]
fn the_number_of_entries_is_limited() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path(), 0);
    ledger.entries = (0..2 * KEPT as i64).map(|at| entry(at, issued())).collect();
    ledger.begin(entry(9999, Outcome::Started)).unwrap();
    assert_eq!(Ledger::open(folder.path(), 0).entries.len(), KEPT);
}

#[test]
fn the_ledger_of_an_older_version_is_read() {
    let text = r#"{"at":1,"authority":"https://ca.example/directory","names":["a"],"outcome":"issued"}
{"at":2,"authority":"https://ca.example/directory","names":["a"],"outcome":"names","refused":[{"name":"a","way":"http-01","why":"404"}]}
{"at":3,"authority":"https://ca.example/directory","names":["a"],"outcome":"failed","why":"odd"}
{"at":4,"authority":"https://ca.example/directory","names":["a"],"outcome":"away","until":null,"why":"down"}
"#;
    let (entries, is_whole) = parse(text);
    assert!(is_whole);
    assert_eq!(entries[0].outcome, Outcome::Issued { lifetime: None });
    assert_eq!(
        entries[1].outcome,
        Outcome::Names { refused: vec![Refusal::new("a", ChallengeKind::Http, "404")] }
    );
    assert_eq!(entries[2].outcome, Outcome::Failed { reason: "odd".into() });
    assert!(entries.iter().all(|entry| !entry.is_open()));
}

#[test]
fn a_placed_order_is_open_until_it_has_ended_also_for_a_new_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(folder.path(), 0);
    ledger.begin(entry(1, Outcome::Started)).unwrap();
    assert_eq!(ledger.open_order(CA), None, "it may not exist");
    ledger.placed("https://ca.example/order/7").unwrap();
    let read = Ledger::open(folder.path(), 9);
    let open = read.open_order(CA).unwrap();
    assert_eq!(open.order.as_deref(), Some("https://ca.example/order/7"));
    assert_eq!(open.challenge_kinds(), [("mail.example.org".to_owned(), ChallengeKind::Http)]);
    assert_eq!(read.open_order("https://other.example/"), None);
    for (outcome, is_open) in [
        (Outcome::Pending { tries: 1, next: 9, is_from_authority: false, reason: "it signs".into() }, true),
        (Outcome::Failed { reason: "odd".into() }, false),
        (issued(), false),
    ] {
        ledger.finish(outcome).unwrap();
        assert_eq!(ledger.open_order(CA).is_some(), is_open);
    }
}

#[test]
fn a_read_error_does_not_count_as_damage() {
    let place = tempfile::tempdir().unwrap();
    let (folder, kept) = (place.path().join("acme"), place.path().join("kept"));
    fs::create_dir(&folder).unwrap();
    let mut ledger = Ledger::open(&folder, 0);
    ledger.begin(entry(1, issued())).unwrap();
    fs::rename(&folder, &kept).unwrap();
    // A file in place of the folder (ENOTDIR) is a read error, as EIO from a disk is.
    fs::write(&folder, "").unwrap();
    let mut read = Ledger::open(&folder, 50);
    assert!(read.read_if_needed(50).is_some());
    fs::remove_file(&folder).unwrap();
    fs::rename(&kept, &folder).unwrap();
    assert!(read.read_if_needed(50).is_none());
    assert_eq!(read.entries, ledger.entries);
    assert!(!folder.join("ledger.damaged").exists());
}
