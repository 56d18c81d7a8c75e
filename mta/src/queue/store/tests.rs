use std::os::unix::fs::PermissionsExt;

use address::{Address, ReversePath};

use super::super::{BodyKind, NewEntry, Origin};
use super::*;
use crate::local::TargetMailbox;
use crate::timestamp::Timestamp;

const MESSAGE: &[u8] = b"From: ann@example.org\r\n\r\nhello\r\n";

struct Disk {
    folder: tempfile::TempDir,
    store: Store,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("queue")).unwrap();
        Self { folder, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("queue").join(name)
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let mut names = names(&self.path(folder)).unwrap();
        names.sort();
        names
    }

    fn all(&self) -> [usize; 4] {
        ["tmp", "messages", "envelopes", "dead"].map(|folder| self.names(folder).len())
    }

    fn stored(&self) -> Envelope {
        let envelope = envelope();
        self.store.stage(envelope.id, &content()).unwrap().commit(&envelope).unwrap();
        envelope
    }

    /// The envelopes that the next process finds.
    fn restarted(&self) -> Vec<Envelope> {
        Store::open(&self.path("")).unwrap().scan().unwrap()
    }
}

fn content() -> Content {
    Content::from_octets(MESSAGE.to_vec())
}

fn envelope() -> Envelope {
    let entry = NewEntry {
        login: None,
        origin: Origin::default(),
        sender: ReversePath::Null,
        body: BodyKind::SevenBit,
        mailbox: TargetMailbox::Inbox,
        smtputf8: false,
        requires_tls: false,
        recipients: vec![Address::parse("bob@example.net").unwrap().into()],
    };
    Envelope::new(MailId::new(), entry, Timestamp::now())
}

#[test]
fn a_committed_message_is_there_after_a_restart() {
    let disk = Disk::new();
    let envelope = disk.stored();
    assert_eq!(disk.all(), [0, 1, 1, 0]);
    assert_eq!(disk.restarted(), std::slice::from_ref(&envelope));
    let mut octets = Vec::new();
    disk.store.read_message(envelope.id).unwrap().copy_to(&mut octets).unwrap();
    assert_eq!(octets, MESSAGE);
    let mode = fs::metadata(disk.path("messages").join(format!("{}.eml", envelope.id)))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_staged_message_that_is_not_committed_leaves_nothing() {
    let disk = Disk::new();
    drop(disk.store.stage(MailId::new(), &content()).unwrap());
    assert_eq!(disk.all(), [0; 4]);
}

#[test]
fn a_crash_before_the_envelope_leaves_nothing_after_the_restart() {
    let disk = Disk::new();
    std::mem::forget(disk.store.stage(MailId::new(), &content()).unwrap());
    fs::write(disk.path("tmp/half.eml"), "half a mess").unwrap();
    assert_eq!(disk.all(), [1, 1, 0, 0]);
    assert_eq!(disk.restarted(), []);
    assert_eq!(disk.all(), [0; 4]);
}

#[test]
fn a_crash_between_the_two_removals_leaves_nothing_after_the_restart() {
    let disk = Disk::new();
    let envelope = disk.stored();
    fs::remove_file(disk.path("envelopes").join(format!("{}.toml", envelope.id))).unwrap();
    assert_eq!(disk.restarted(), []);
    assert_eq!(disk.all(), [0; 4]);
}

#[test]
fn each_step_that_fails_leaves_nothing_behind() {
    // A folder in the file's place makes the step fail, also for root.
    for (obstacle, stages) in [("tmp/{id}.eml", false), ("messages/{id}.eml", false), ("tmp/{id}.toml", true)]
    {
        let disk = Disk::new();
        let envelope = envelope();
        let obstacle = obstacle.replace("{id}", envelope.id.as_str());
        fs::create_dir_all(disk.path(&obstacle).join("full")).unwrap();
        let staged = disk.store.stage(envelope.id, &content());
        assert_eq!(staged.is_ok(), stages, "{obstacle}");
        if let Ok(staged) = staged {
            assert!(staged.commit(&envelope).is_err(), "{obstacle}");
        }
        assert_eq!(disk.all(), [0; 4], "{obstacle}");
        assert_eq!(disk.restarted(), []);
    }
}

#[test]
fn the_message_is_removed_when_its_envelope_cannot_be_renamed() {
    let disk = Disk::new();
    let envelope = envelope();
    let staged = disk.store.stage(envelope.id, &content()).unwrap();
    fs::remove_dir(disk.path("envelopes")).unwrap();
    assert!(staged.commit(&envelope).is_err());
    fs::create_dir(disk.path("envelopes")).unwrap();
    assert_eq!(disk.all(), [0; 4]);
}

#[test]
fn a_damaged_envelope_is_set_aside_with_its_message() {
    let spoil: [fn(&Path); 3] = [
        |path| fs::write(path, "id = ").unwrap(),
        |path| fs::write(path, [0xff; 64]).unwrap(),
        |path| fs::write(path, fs::read_to_string(path).unwrap().replace("attempts", "tries")).unwrap(),
    ];
    for spoil in spoil {
        let disk = Disk::new();
        let good = disk.stored();
        let bad = disk.stored();
        spoil(&disk.path("envelopes").join(format!("{}.toml", bad.id)));
        assert_eq!(disk.restarted(), [good]);
        assert_eq!(disk.all(), [0, 1, 1, 2]);
    }
}

#[test]
fn an_envelope_without_its_message_is_set_aside() {
    let disk = Disk::new();
    let envelope = disk.stored();
    fs::remove_file(disk.path("messages").join(format!("{}.eml", envelope.id))).unwrap();
    assert_eq!(disk.restarted(), []);
    assert_eq!(disk.all(), [0, 0, 0, 1]);
}

#[test]
fn unknown_files_are_left_alone() {
    let disk = Disk::new();
    fs::write(disk.path("messages/README"), "about these files").unwrap();
    disk.restarted();
    assert_eq!(disk.names("messages"), ["README"]);
}

#[test]
fn a_message_that_is_removed_or_set_aside_is_not_loaded_again() {
    let disk = Disk::new();
    disk.store.remove(disk.stored().id).unwrap();
    assert_eq!(disk.all(), [0; 4]);
    disk.store.set_aside(disk.stored().id).unwrap();
    assert_eq!(disk.all(), [0, 0, 0, 2]);
    assert_eq!(disk.restarted(), []);
}

#[test]
fn an_unreadable_envelope_stops_the_start_and_is_kept() {
    let disk = Disk::new();
    let (envelope, other) = (disk.stored(), disk.stored());
    let path = disk.path("envelopes").join(format!("{}.toml", envelope.id));
    let text = fs::read(&path).unwrap();
    // A link to itself, which even root cannot read.
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&path, &path).unwrap();
    let error = Store::open(&disk.path("")).unwrap().scan().unwrap_err().to_string();
    assert!(error.contains(&*path.to_string_lossy()) && error.contains("left as it is"), "{error}");
    assert_eq!((disk.names("messages").len(), disk.names("dead").len()), (2, 0));
    fs::remove_file(&path).unwrap();
    fs::write(&path, text).unwrap();
    assert_eq!(disk.restarted(), [envelope, other]);
}
