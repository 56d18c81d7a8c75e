//! The last use of each app password, so that its owner sees which device is out of use.
//!
//! Each daemon keeps a file of its own, which outlives a restart; the operator's command reads them all. Uses are kept
//! by day, so that a file is written once a day and device and not at each login.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::small_file::{self, Saved};
use crate::{AppName, User};

/// The name of the file in a daemon's folder.
const FILE: &str = "app_password_uses";

/// The most app passwords whose use is kept. When full, the one unused for longest is evicted.
const MAX_ENTRIES: usize = 4_096;

const HEADING: &str =
    "# The last use of each app password: day, protocol, user, device. Written by the server.\n";

/// The last use of an app password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LastUse {
    /// The day in UTC, as `2026-11-30`.
    pub day: String,
    /// The protocol: `imap` or `smtp`.
    pub protocol: String,
}

/// The last use of each app password, by user and device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastUses(BTreeMap<(String, String), LastUse>);

/// The uses that a daemon has recorded, and the file in which they are kept.
#[derive(Default)]
pub(crate) struct RecordedUses(Saved<Uses>);

#[derive(Default)]
struct Uses {
    last: LastUses,
    /// The daemon's protocol, set once the uses are kept in a file.
    protocol: Option<&'static str>,
}

impl LastUses {
    /// Reads the files in these folders. A missing or unreadable file counts as empty.
    pub fn read(folders: &[&Path]) -> Self {
        let mut all = Self::default();
        for folder in folders {
            let text = small_file::read(&folder.join(FILE)).unwrap_or_default();
            for (key, last) in Self::parse(&text).0 {
                all.record(key, last);
            }
        }
        all
    }

    /// The last use of an app password that was created at `created` (RFC 3339). An earlier use belongs to another
    /// password that had the same name.
    pub fn of(&self, user: &User, device: &AppName, created: &str) -> Option<&LastUse> {
        let last = self.0.get(&(user.to_string(), device.to_string()))?;
        let created_day = created.get(..10).unwrap_or_default();
        (last.day.as_str() >= created_day).then_some(last)
    }

    /// Records a use; returns true if it is later than the known one.
    fn record(&mut self, key: (String, String), last: LastUse) -> bool {
        if self.0.get(&key).is_some_and(|known| known.day >= last.day) {
            return false;
        }
        if !self.0.contains_key(&key)
            && self.0.len() >= MAX_ENTRIES
            && let Some(oldest) = self.0.iter().min_by(|one, other| one.1.cmp(other.1))
        {
            let oldest = oldest.0.clone();
            self.0.remove(&oldest);
        }
        self.0.insert(key, last);
        true
    }

    fn to_text(&self) -> String {
        let mut text = HEADING.to_owned();
        for ((user, device), LastUse { day, protocol }) in &self.0 {
            let _ = writeln!(text, "{day} {protocol} {user} {device}");
        }
        text
    }

    fn parse(text: &str) -> Self {
        let mut uses = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.splitn(4, ' ').map(str::to_owned);
            let words = (words.next(), words.next(), words.next(), words.next());
            if let (Some(day), Some(protocol), Some(user), Some(device)) = words {
                uses.record((user, device), LastUse { day, protocol });
            }
        }
        uses
    }
}

impl RecordedUses {
    /// Keeps the uses over this protocol in a file of this folder from now on, and loads the file.
    pub(crate) fn persist_in(&self, folder: &Path, protocol: &'static str) {
        self.0.persist_in(&folder.join(FILE), |uses, text| {
            *uses = Uses { last: LastUses::parse(text), protocol: Some(protocol) };
        });
    }

    /// Records a login at `now`, in seconds since 1970.
    pub(crate) fn record(&self, user: &User, device: &AppName, now: i64) {
        let mut state = self.0.lock();
        let Some(protocol) = state.value.protocol else { return };
        let day = calendar::rfc3339(now).chars().take(10).collect();
        let last = LastUse { day, protocol: protocol.to_owned() };
        state.is_changed |= state.value.last.record((user.to_string(), device.to_string()), last);
    }

    /// Writes the file if there are changes. Blocks.
    pub(crate) fn save(&self) {
        self.0.save(|uses| uses.last.to_text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn user(name: &str) -> User {
        User::new(&format!("{name}@example.org").parse().unwrap()).unwrap()
    }

    fn device(name: &str) -> AppName {
        AppName::parse(name).unwrap()
    }

    #[test]
    fn the_latest_use_of_all_daemons_survives_a_restart() {
        let (imap, smtp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let now = 1_796_000_000;
        for (folder, protocol, at) in
            [(&imap, "imap", now), (&smtp, "smtp", now - DAY), (&imap, "imap", now - 9 * DAY)]
        {
            let recorded = RecordedUses::default();
            recorded.persist_in(folder.path(), protocol);
            recorded.record(&user("ann"), &device("Ann's new laptop"), at);
            recorded.save();
        }
        let uses = LastUses::read(&[imap.path(), smtp.path(), Path::new("/nowhere")]);
        let last = uses.of(&user("ann"), &device("Ann's new laptop"), "2026-01-01T00:00:00Z").unwrap();
        assert_eq!((last.day.as_str(), last.protocol.as_str()), ("2026-11-30", "imap"));
        assert_eq!(uses.of(&user("bob"), &device("Ann's new laptop"), "2026-01-01T00:00:00Z"), None);
        // Another password of that name, created later, was never used.
        assert_eq!(uses.of(&user("ann"), &device("Ann's new laptop"), "2026-12-01T00:00:00Z"), None);
    }

    #[test]
    fn a_file_is_bounded_and_a_damaged_line_is_skipped() {
        let mut text = "2026-11-30 imap ann@example.org tablet\n2026 x\n\u{fffd}\n".to_owned();
        for number in 0..=MAX_ENTRIES {
            let _ = writeln!(text, "2026-11-{:02} smtp u{number}@example.org phone", 1 + number % 28);
        }
        let uses = LastUses::parse(&text);
        assert_eq!(uses.0.len(), MAX_ENTRIES);
        assert!(uses.of(&user("ann"), &device("tablet"), "").is_some());
        assert_eq!(LastUses::parse(&uses.to_text()), uses);
    }
}
