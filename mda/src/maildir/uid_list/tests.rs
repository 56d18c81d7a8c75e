use std::collections::BTreeSet;
use std::fs;

use super::*;

const WRITTEN_BY_DOVECOT: &str = "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n\
    25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,\n\
    25017 W2481 :1276533073.M242911P3632.kurkku:2,F\n\
    25019 P12 W3121 S3050 :1276536912.M1234P3632.kurkku,S=3050,W=3121\n";

fn validity() -> Result<UidValidity, MaildirError> {
    Ok(UidValidity::new(7).unwrap())
}

fn open(folder: &Path) -> (UidList, Vec<UidEntry>) {
    UidList::open(folder, &"host".into(), &validity).unwrap()
}

fn known(uid: u32, base: &str) -> UidEntry {
    UidEntry { uid: Uid::new(uid).unwrap(), base: base.as_bytes().into() }
}

fn text(folder: &Path) -> String {
    fs::read_to_string(folder.join(UidList::FILE)).unwrap()
}

#[test]
fn a_list_of_dovecot_is_read_and_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(UidList::FILE), WRITTEN_BY_DOVECOT).unwrap();
    let (mut list, records) = open(folder.path());
    assert_eq!(list.uid_validity().value(), 1_275_660_208);
    assert_eq!(list.guid(), Some("3085f01b7f11094c501100008c4a11c1"));
    assert_eq!(records[0], known(25006, "1276528487.M364837P9451.kurkku,S=1355,W=1394"));
    assert_eq!(records[1].base.as_ref(), b"1276533073.M242911P3632.kurkku");
    assert_eq!(list.next(), Uid::new(25022), "the header's number is above the last record's");
    let lock = list.lock().unwrap();
    assert_eq!(list.read_all_changes(&lock).unwrap(), UidListChange::Appended(vec![]));
    assert_eq!(
        list.append(&lock, &[b"a", b"b"]).unwrap(),
        [Uid::new(25022).unwrap(), Uid::new(25023).unwrap()]
    );
    drop(lock);
    list.sync().sync().unwrap();
    assert_eq!(text(folder.path()), format!("{WRITTEN_BY_DOVECOT}25022 :a\n25023 :b\n"));
}

#[test]
fn a_list_of_the_first_version_keeps_its_uids_and_is_written_in_the_third() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(UidList::FILE), "1 1275660208 9\n3 a:2,S\n8 b\n").unwrap();
    let (mut list, records) = open(folder.path());
    assert_eq!(records, [known(3, "a"), known(8, "b")]);
    let lock = list.lock().unwrap();
    assert!(list.is_damaged());
    list.rewrite(&lock, &|_| true, None).unwrap();
    drop(lock);
    let guid = list.guid().unwrap().to_owned();
    assert_eq!(text(folder.path()), format!("3 V1275660208 N9 G{guid}\n3 :a\n8 :b\n"));
}

#[test]
fn a_rewrite_keeps_extensions_and_the_next_uid() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(UidList::FILE), WRITTEN_BY_DOVECOT.replace("G3085", "Xfoo G3085")).unwrap();
    let (mut list, _) = open(folder.path());
    let lock = list.lock().unwrap();
    list.rewrite(&lock, &|record| record.uid.value() == 25019, None).unwrap();
    assert_eq!(
        text(folder.path()),
        "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1 Xfoo\n\
         25019 P12 W3121 S3050 :1276536912.M1234P3632.kurkku,S=3050,W=3121\n"
    );
    assert_eq!(list.append(&lock, &[b"new"]).unwrap(), [Uid::new(25022).unwrap()]);
    assert!(!folder.path().join(UidList::TEMPORARY).exists());
}

#[test]
fn opening_a_mailbox_without_a_list_creates_one() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = open(folder.path());
    let (second, records) = open(folder.path());
    assert_eq!(first.guid(), second.guid());
    assert_eq!((second.uid_validity().value(), second.next()), (7, Some(Uid::FIRST)));
    assert!(records.is_empty());
}

#[test]
fn a_torn_record_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(UidList::FILE), "3 V5 N2\n1 :a\n2 :hal").unwrap();
    let (mut list, records) = open(folder.path());
    assert_eq!(records, [known(1, "a")]);
    let lock = list.lock().unwrap();
    list.read_all_changes(&lock).unwrap();
    assert_eq!(list.append(&lock, &[b"b"]).unwrap(), [Uid::new(2).unwrap()]);
    assert_eq!(text(folder.path()), "3 V5 N2\n1 :a\n2 :b\n");
}

#[test]
fn a_half_written_new_list_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(UidList::FILE), "3 V5 N2\n1 :a\n").unwrap();
    fs::write(folder.path().join(UidList::TEMPORARY), "3 V5 ").unwrap();
    let (mut list, records) = open(folder.path());
    assert_eq!(records, [known(1, "a")]);
    let lock = list.lock().unwrap();
    list.rewrite(&lock, &|_| true, None).unwrap();
    assert_eq!(open(folder.path()).1, [known(1, "a")]);
}

#[test]
fn malformed_lines_are_skipped_and_mark_the_list_as_damaged() {
    let list = "x\n0 :zero\n1 :a\n\0\0\n1 :again\n3 :\n3 :../b\n5 W1 :b\n4294967296 :c\n";
    let parsed = parse_records(list.as_bytes(), None);
    assert!(parsed.needs_rewrite);
    assert_eq!(parsed.records.iter().map(|record| record.base).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(parsed.length, list.len());
}

#[test]
fn a_list_without_a_valid_header_is_replaced() {
    for bad in ["", "3 V5", "2 V5 N1\n", "3 V0 N1\n", "3 N1\n", "3 V5 N0\n", "1 5\n", "\0\0\0\n"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(UidList::FILE), bad).unwrap();
        let (list, records) = open(folder.path());
        assert_eq!((list.uid_validity().value(), records.len()), (7, 0), "{bad:?}");
    }
}

/// Dovecot reads it in the same way.
#[test]
fn a_list_with_crlf_lines_keeps_its_uids_and_is_written_with_lf() {
    let folder = tempfile::tempdir().unwrap();
    let guid = "3085f01b7f11094c501100008c4a11c1";
    let text_in_crlf = format!("3 V5 N7 G{guid}\r\n5 :a\r\n6 W1 :b\r\n");
    fs::write(folder.path().join(UidList::FILE), text_in_crlf).unwrap();
    let (mut list, records) = open(folder.path());
    assert_eq!(records, [known(5, "a"), known(6, "b")]);
    assert!(list.is_damaged());
    let lock = list.lock().unwrap();
    list.rewrite(&lock, &|_| true, None).unwrap();
    assert_eq!(text(folder.path()), format!("3 V5 N7 G{guid}\n5 :a\n6 W1 :b\n"));
}

#[test]
fn a_list_at_the_end_of_the_uid_space_gets_a_greater_validity() {
    for full in ["3 V50 N4294967295\n", "3 V50 N1\n4294967294 :a\n", "3 V50 N1\n3 :b\n4294967295 :a\n"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(UidList::FILE), full).unwrap();
        let (list, records) = open(folder.path());
        assert_eq!((list.uid_validity().value(), list.next(), records.len()), (51, Some(Uid::FIRST), 0));
    }
}

#[test]
fn a_list_that_lost_assigned_uids_is_reset_once() {
    for rest in ["", "3 V5", "3 V5 N1\n", "3 V5 N1\n1 :a\n"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(UidList::FILE);
        fs::write(&path, "3 V5 N1\n1 :a\n2 :b\n").unwrap();
        let (mut list, _) = open(folder.path());
        // In place: the same file, as a full disk or a careless copy leaves it.
        fs::write(&path, rest).unwrap();
        assert_eq!(list.read_changes().unwrap(), UidListChange::Lost, "{rest:?}");
        list.reset(ResetReason::Lost, &validity).unwrap();
        list.reset(ResetReason::Lost, &|| panic!("the list was reset already")).unwrap();
        assert_eq!(list.read_changes().unwrap(), UidListChange::Rewritten(Vec::new()));
        assert_eq!(list.uid_validity().value(), 7);
    }
}

#[test]
fn bases_in_any_charset_are_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let (mut list, _) = open(folder.path());
    let lock = list.lock().unwrap();
    list.append(&lock, &[b"1.b\xfcro"]).unwrap();
    let (_, records) = open(folder.path());
    assert_eq!(records[0].base.as_ref(), b"1.b\xfcro");
}

#[test]
fn a_list_that_is_not_a_regular_file_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(UidList::FILE);
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::create_dir(folder.path().join(UidList::TEMPORARY)).unwrap();
    fs::create_dir(folder.path().join(UidList::LOCK)).unwrap();
    let (list, _) = open(folder.path());
    assert_eq!(list.uid_validity().value(), 7);
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
}

#[test]
fn appends_and_rewrites_by_other_processes_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (mut mine, _) = open(folder.path());
    let (mut theirs, _) = open(folder.path());
    let lock = theirs.lock().unwrap();
    theirs.append(&lock, &[b"a"]).unwrap();
    assert_eq!(mine.read_changes().unwrap(), UidListChange::Appended(vec![known(1, "a")]));
    assert_eq!(mine.read_changes().unwrap(), UidListChange::Appended(vec![]));
    theirs.append(&lock, &[b"b", b"c"]).unwrap();
    theirs.rewrite(&lock, &|record| record.base != b"a", None).unwrap();
    assert_eq!(mine.read_changes().unwrap(), UidListChange::Rewritten(vec![known(2, "b"), known(3, "c")]));
    assert_eq!(mine.next(), Uid::new(4));
}

#[test]
fn concurrent_processes_never_assign_one_uid_twice() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let given: Vec<Uid> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let folder = folder.path();
                scope.spawn(move || {
                    let (mut list, _) = open(folder);
                    let mut given = Vec::new();
                    for n in 0..25 {
                        let lock = list.lock().unwrap();
                        list.read_all_changes(&lock).unwrap();
                        given.extend(list.append(&lock, &[format!("{worker}.{n}").as_bytes()]).unwrap());
                        if n % 10 == worker {
                            list.rewrite(&lock, &|_| true, None).unwrap();
                        }
                    }
                    given
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), 100);
    let (_, records) = open(folder.path());
    assert_eq!(records.len(), 100);
}

#[test]
fn the_last_uid_is_assigned_and_then_none() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(UidList::FILE), "3 V5 N4294967294\n").unwrap();
    let (mut list, _) = open(folder.path());
    let lock = list.lock().unwrap();
    assert_eq!(list.append(&lock, &[b"a"]).unwrap(), [Uid::LAST]);
    assert!(matches!(list.append(&lock, &[b"b"]), Err(MaildirError::NoUidsLeft(_))));
    list.rewrite(&lock, &|_| true, None).unwrap();
    assert_eq!(list.next(), None);
}

proptest::proptest! {
    #[test]
    fn any_octets_are_parsed_and_records_ascend(octets: Vec<u8>) {
        let _ = parse_header(&octets);
        let parsed = parse_records(&octets, None);
        proptest::prop_assert!(parsed.length <= octets.len());
        proptest::prop_assert!(parsed.records.is_sorted_by(|a, b| a.uid < b.uid));
    }

    #[test]
    fn written_records_read_back_unchanged(
        lines in proptest::collection::vec((1u32..100, "[WSP][0-9]{1,4}( [A-Z][a-z]{0,3})?|", "[0-9]{1,5}[.]M[0-9]{1,4},S=[0-9]{1,3}"), 0..20)
    ) {
        let mut text = Vec::new();
        let mut uid = 0;
        let mut written = Vec::new();
        for (step, extensions, base) in &lines {
            uid += step;
            let record = Record { uid: Uid::new(uid).unwrap(), extensions: extensions.as_bytes(), base: base.as_bytes() };
            parse::write_record(&mut text, &record);
            written.push(record);
        }
        let parsed = parse_records(&text, None);
        proptest::prop_assert!(!parsed.needs_rewrite);
        proptest::prop_assert_eq!(parsed.records, written);
    }
}
