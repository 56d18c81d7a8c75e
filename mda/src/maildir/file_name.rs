use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Flags;

/// The two folders that a message is delivered to and kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Folder {
    /// `new`: no session has seen it.
    New,
    /// `cur`: seen by a session, with its flags in its name.
    Cur,
}

impl Folder {
    /// The folder's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Cur => "cur",
        }
    }
}

/// The name of a message's file: `<unique>[,S=<size>][,W=<virtual size>][,D=<date>][:2,<flags>]`.
///
/// What stands before the colon, the *base*, is the message's for life; the rest changes with its flags.
/// Cloning it is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct FileName {
    text: Arc<str>,
    /// Where the base ends.
    base: u16,
    /// The folder that it stands in.
    folder: Folder,
}

impl FileName {
    /// Linux allows 255; what is longer cannot have been read from a folder.
    const LONGEST: usize = 255;

    /// Takes a name as it stands in a folder. Names that begin with a dot are no messages.
    pub fn parse(folder: Folder, text: &str) -> Option<Self> {
        if text.is_empty()
            || text.len() > Self::LONGEST
            || text.starts_with('.')
            || text.contains(['/', '\n'])
        {
            return None;
        }
        // The base may be cut from the rest by any colon: `:1,` was meant for experiments, but is seen.
        let base = text.find(':').unwrap_or(text.len());
        (base > 0).then(|| Self { text: text.into(), base: base as u16, folder })
    }

    /// A base that no other message has, now or ever, on any host: time, process, count and host are in it.
    /// `size` is the file's, `virtual_size` that of the message with CRLF at the end of each line, where it is known.
    pub fn unique_base(host: &str, size: u64, virtual_size: Option<u64>) -> String {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let virtual_size = virtual_size.map(|size| format!(",W={size}")).unwrap_or_default();
        format!(
            "{}.M{}P{}Q{count}.{},S={size}{virtual_size}",
            now.as_secs(),
            now.subsec_micros(),
            std::process::id(),
            host.replace(['/', ':', ','], "_"),
        )
    }

    /// The same message with these flags. Flags make it a name of `cur`; without any it may stay in `new`.
    pub fn with_flags(&self, flags: Flags) -> Self {
        Self::of_base(self.base(), flags)
    }

    /// The base of a message whose INTERNALDATE the time of its file cannot hold: with the date's seconds since 1970.
    pub fn dated_base(base: &str, received: SystemTime) -> String {
        format!("{base},D={}", seconds(received))
    }

    /// The name in `new` of a message with this base.
    pub fn in_new(base: &str) -> Self {
        Self { text: base.into(), base: base.len() as u16, folder: Folder::New }
    }

    /// The name in `cur` of a message with this base and these flags.
    pub fn of_base(base: &str, flags: Flags) -> Self {
        let mut text = String::with_capacity(base.len() + 8);
        text.push_str(base);
        text.push_str(":2,");
        text.extend(flags.letters());
        Self { text: text.into(), base: base.len() as u16, folder: Folder::Cur }
    }

    /// The whole name, without the folder.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the colon.
    pub fn base(&self) -> &str {
        &self.text[..usize::from(self.base)]
    }

    /// The folder that it stands in.
    pub fn folder(&self) -> Folder {
        self.folder
    }

    /// The path below the mailbox's folder: `cur/…` or `new/…`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.folder.as_str(), self.text)
    }

    /// The flags that the name tells.
    pub fn flags(&self) -> Flags {
        let rest = &self.text[usize::from(self.base)..];
        rest.strip_prefix(":2,").map_or(Flags::NONE, Flags::from_letters)
    }

    /// The file's size, where the name tells it (`,S=`).
    pub fn size(&self) -> Option<u64> {
        self.field("S=")
    }

    /// The message's size with CRLF at the end of each line, where the name tells it (`,W=`).
    pub fn virtual_size(&self) -> Option<u64> {
        self.field("W=")
    }

    /// INTERNALDATE, where the time of the file cannot hold it (`,D=`).
    pub fn received(&self) -> Option<SystemTime> {
        let seconds: i64 = self.field("D=")?;
        let distance = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }

    fn field<T: FromStr>(&self, key: &str) -> Option<T> {
        self.base().split(',').skip(1).find_map(|field| field.strip_prefix(key)?.parse().ok())
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// Whole seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> i64 {
    let whole = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => -whole(before.duration()),
    }
}

/// Orders bases by the time that they begin with, as messages arrived: seconds, then `M` microseconds, then the text.
pub(crate) fn arrival(base: &str) -> (u64, u64, &str) {
    let (seconds, rest) = base.split_once('.').unwrap_or((base, ""));
    let micros = rest.strip_prefix('M').map_or("", |rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        &rest[..end]
    });
    (seconds.parse().unwrap_or(u64::MAX), micros.parse().unwrap_or(0), base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> FileName {
        FileName::parse(Folder::Cur, text).unwrap()
    }

    #[test]
    fn a_name_that_dovecot_wrote_is_understood() {
        let file = file("1276528487.M364837P9451.kurkku,S=1355,W=1394:2,RSa");
        assert_eq!(file.base(), "1276528487.M364837P9451.kurkku,S=1355,W=1394");
        assert_eq!((file.size(), file.virtual_size()), (Some(1355), Some(1394)));
        assert_eq!(file.flags(), Flags::from_letters("RSa"));
        assert_eq!(
            file.with_flags(Flags::SEEN).path(),
            "cur/1276528487.M364837P9451.kurkku,S=1355,W=1394:2,S"
        );
    }

    #[test]
    fn a_date_that_no_file_can_hold_stands_in_the_name() {
        for date in [-62_135_596_800_i64, -1, 4_294_967_296, 253_402_300_799] {
            let distance = Duration::from_secs(date.unsigned_abs());
            let moment = if date < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
            let file = FileName::of_base(&FileName::dated_base("1.a,S=4,W=5", moment), Flags::SEEN);
            assert_eq!(file.received(), Some(moment), "{date}");
            assert_eq!((file.size(), file.virtual_size(), file.flags()), (Some(4), Some(5), Flags::SEEN));
        }
        for none in ["1.a,S=4", "1.a,D=", "1.a,D=x", "1.a,D=99999999999999999999", "1.a:2,D=5"] {
            assert_eq!(file(none).received(), None, "{none}");
        }
    }

    #[test]
    fn a_name_that_tells_nothing_is_still_a_message() {
        let file = file("123.abc");
        assert_eq!((file.size(), file.virtual_size(), file.flags()), (None, None, Flags::NONE));
        assert_eq!(file.base(), "123.abc");
    }

    #[test]
    fn what_is_no_message_is_passed_over() {
        for bad in ["", ".hidden", ":2,S", "a/b", "a\nb", &"x".repeat(256)] {
            assert!(FileName::parse(Folder::New, bad).is_none(), "{bad:?} was taken for a message");
        }
    }

    #[test]
    fn no_two_bases_are_the_same_and_they_are_ordered_by_time() {
        let bases: Vec<_> = (0..1000).map(|_| FileName::unique_base("a:b/c,d", 1, Some(2))).collect();
        let distinct: std::collections::BTreeSet<_> = bases.iter().collect();
        assert_eq!(distinct.len(), bases.len());
        let file = FileName::parse(Folder::New, &bases[0]).unwrap();
        assert!(file.base().ends_with(".a_b_c_d,S=1,W=2"));
        assert!(arrival("9.M5P1.h") < arrival("10.M4P1.h"));
        assert!(arrival("10.M4P1.h") < arrival("10.M40P1.h"));
    }
}
