use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Flags;

/// The two folders in which a message is delivered and kept.
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
/// The part before the colon, the *base*, never changes; the rest changes with the message's flags. A name is octets:
/// Linux asks for no charset, and a restore may bring names in any. Cloning it is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct FileName {
    text: Arc<[u8]>,
    /// End of the base.
    base: u16,
    /// The folder that the file is in.
    folder: Folder,
}

impl FileName {
    /// The limit of Linux; a longer name cannot have been read from a folder.
    pub(crate) const MAX_LEN: usize = 255;

    /// Parses a name from a folder. Names that begin with a dot are not messages.
    pub fn parse(folder: Folder, text: impl AsRef<[u8]>) -> Option<Self> {
        let text = text.as_ref();
        if text.len() > Self::MAX_LEN
            || matches!(text.first(), None | Some(b'.'))
            || memchr::memchr3(b'/', b'\n', 0, text).is_some()
        {
            return None;
        }
        // Any colon ends the base: `:1,` was meant for experiments, but occurs.
        let base = memchr::memchr(b':', text).unwrap_or(text.len());
        (base > 0).then(|| Self { text: text.into(), base: base as u16, folder })
    }

    /// A base that no other message has, now or ever, on any host: it contains time, process, count and host. `size` is
    /// the file's, `virtual_size` that of the message with CRLF at the end of each line, where it is known.
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

    /// The same message with these flags. The name is one of `cur`. Letters without a meaning here belong to other
    /// programs (`Z`: compressed by Dovecot) and stay, as does everything after a comma.
    pub fn with_flags(&self, flags: Flags) -> Self {
        self.with_base_and_flags(self.base(), flags)
    }

    /// The base of a message whose INTERNALDATE does not fit the file's time, with the date's seconds since 1970.
    pub fn dated_base(base: &str, received: SystemTime) -> String {
        format!("{base},D={}", seconds(received))
    }

    /// The name in `new` of a message with this base.
    pub fn in_new(base: &str) -> Self {
        Self { text: base.as_bytes().into(), base: base.len() as u16, folder: Folder::New }
    }

    /// The name in `cur` of a message with this base and these flags.
    pub fn in_cur(base: impl AsRef<[u8]>, flags: Flags) -> Self {
        let letters: Vec<u8> = flags.letters().map(|letter| letter as u8).collect();
        Self::joined(base.as_ref(), &letters, b"")
    }

    /// A copy of the message with this base and these flags; letters of other programs stay.
    pub fn with_base_and_flags(&self, base: impl AsRef<[u8]>, flags: Flags) -> Self {
        let (letters, behind) = self.flags_and_rest();
        let foreign = letters.iter().filter(|letter| Flags::is_foreign(**letter)).copied();
        let mut letters: Vec<u8> = flags.letters().map(|letter| letter as u8).chain(foreign).collect();
        letters.sort_unstable();
        letters.dedup();
        Self::joined(base.as_ref(), &letters, behind)
    }

    /// Returns true if Dovecot marked the file as compressed.
    pub(crate) fn is_marked_as_compressed(&self) -> bool {
        self.flags_and_rest().0.contains(&b'Z')
    }

    fn joined(base: &[u8], letters: &[u8], behind: &[u8]) -> Self {
        let text = [base, b":2,", letters, behind].concat();
        Self { text: text.into(), base: base.len() as u16, folder: Folder::Cur }
    }

    /// The part before the colon.
    pub fn base(&self) -> &[u8] {
        &self.text[..usize::from(self.base)]
    }

    /// The folder that the file is in.
    pub fn folder(&self) -> Folder {
        self.folder
    }

    /// The path below the mailbox's folder: `cur/…` or `new/…`.
    pub fn path(&self) -> PathBuf {
        Path::new(self.folder.as_str()).join(OsStr::from_bytes(&self.text))
    }

    /// Returns true if the file system can hold the name.
    pub(crate) fn fits(&self) -> bool {
        self.text.len() <= Self::MAX_LEN
    }

    /// The letters after `:2,`, and the rest from a comma on.
    fn flags_and_rest(&self) -> (&[u8], &[u8]) {
        let rest = &self.text[usize::from(self.base)..];
        let rest = rest.strip_prefix(b":2,").unwrap_or_default();
        rest.split_at(memchr::memchr(b',', rest).unwrap_or(rest.len()))
    }

    /// The flags in the name.
    pub fn flags(&self) -> Flags {
        Flags::from_letters(self.flags_and_rest().0)
    }

    /// The file's size, where the name has it (`,S=`). Any program may have written it: compare it with the file.
    pub fn size(&self) -> Option<u64> {
        self.field(b"S=")
    }

    /// The message's size with CRLF at the end of each line, where the name has it (`,W=`), this program wrote the
    /// name, and the file has the size in it.
    ///
    /// A size that another program wrote may be wrong, and only reading the message shows it. Our names have the fields
    /// `M`, `P` and `Q` after the time; no other known program writes these together with `W=`.
    pub fn virtual_size(&self, stored: u64) -> Option<u64> {
        let size = self.claimed_virtual_size().filter(|_| self.size() == Some(stored));
        size.filter(|size| (stored..=stored.saturating_mul(2)).contains(size))
    }

    /// INTERNALDATE, where it does not fit the file's time (`,D=`).
    pub fn received(&self) -> Option<SystemTime> {
        let seconds: i64 = self.field(b"D=")?;
        let distance = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }

    /// Another base of this message, with the date of this one.
    pub fn with_date_of_this(&self, base: String) -> String {
        self.received().map_or(base.clone(), |received| Self::dated_base(&base, received))
    }

    /// Like [`FileName::virtual_size`], for a file whose size is not known yet.
    pub fn claimed_virtual_size(&self) -> Option<u64> {
        self.field(b"W=").filter(|_| self.is_ours() && !self.is_marked_as_compressed())
    }

    /// Returns true if the name has the form of [`FileName::unique_base`]: `<time>.M<n>P<n>Q<n>.<host>,…`.
    fn is_ours(&self) -> bool {
        let mut parts = self.base().splitn(3, |octet| *octet == b'.');
        let (Some(time), Some(rest), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let digits = |mut rest| {
            for key in *b"MPQ" {
                let behind = <[u8]>::strip_prefix(rest, &[key])?;
                let end = behind.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(behind.len());
                if end == 0 {
                    return None;
                }
                rest = &behind[end..];
            }
            Some(rest)
        };
        time.iter().all(u8::is_ascii_digit) && digits(rest).is_some_and(<[u8]>::is_empty)
    }

    fn field<T: FromStr>(&self, key: &[u8]) -> Option<T> {
        let fields = self.base().split(|octet| *octet == b',').skip(1);
        let value = fields.filter_map(|field| field.strip_prefix(key)).next()?;
        std::str::from_utf8(value).ok()?.parse().ok()
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path().to_string_lossy())
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

/// Sort key for bases in the order of arrival: seconds, then `M` microseconds, then the text.
pub(crate) fn arrival_key(base: &[u8]) -> (u64, u64, &[u8]) {
    let end = memchr::memchr(b'.', base).unwrap_or(base.len());
    let (seconds, rest) = base.split_at(end);
    let micros = rest.strip_prefix(b".M").unwrap_or_default();
    let end = micros.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(micros.len());
    let number = |digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok();
    (number(seconds).unwrap_or(u64::MAX), number(&micros[..end]).unwrap_or(0), base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> FileName {
        FileName::parse(Folder::Cur, text).unwrap()
    }

    #[test]
    fn a_name_of_dovecot_is_parsed() {
        let file = file("1276528487.M364837P9451.kurkku,S=1355,W=1394:2,RSa");
        assert_eq!(file.base(), b"1276528487.M364837P9451.kurkku,S=1355,W=1394");
        assert_eq!(file.size(), Some(1355));
        assert_eq!(file.flags(), Flags::from_letters(b"RSa"));
        let seen = file.with_flags(Flags::SEEN).path();
        assert_eq!(seen, Path::new("cur/1276528487.M364837P9451.kurkku,S=1355,W=1394:2,S"));
    }

    #[test]
    fn a_date_that_no_file_time_can_hold_is_in_the_name() {
        for date in [-62_135_596_800_i64, -1, 4_294_967_296, 253_402_300_799] {
            let distance = Duration::from_secs(date.unsigned_abs());
            let moment = if date < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
            let file = FileName::in_cur(FileName::dated_base("1.M2P3Q4.a,S=4,W=5", moment), Flags::SEEN);
            assert_eq!(file.received(), Some(moment), "{date}");
            assert_eq!((file.size(), file.virtual_size(4), file.flags()), (Some(4), Some(5), Flags::SEEN));
            assert_eq!(file.with_date_of_this("2.b".to_owned()), format!("2.b,D={date}"));
        }
        for none in ["1.a,S=4", "1.a,D=", "1.a,D=x", "1.a,D=99999999999999999999", "1.a:2,D=5"] {
            assert_eq!(file(none).received(), None, "{none}");
        }
    }

    #[test]
    fn letters_of_other_programs_stay_when_flags_change() {
        for (name, changed) in [
            ("1.h:2,SZ", "cur/1.h:2,FZ"),
            ("1.h:2,ZXa,more", "cur/1.h:2,FXZ,more"),
            ("1.h:1,x", "cur/1.h:2,F"),
            ("1.h", "cur/1.h:2,F"),
        ] {
            assert_eq!(file(name).with_flags(Flags::FLAGGED).path(), Path::new(changed), "{name}");
        }
    }

    #[test]
    fn a_virtual_size_is_trusted_only_in_our_own_names_and_for_that_file_size() {
        for (base, stored, size) in [
            ("1.M2P3Q4.host,S=39,W=43", 39, Some(43)),
            ("1.M2P3Q4.host,S=39,W=43", 40, None),
            ("1.M2P3Q4.host,S=39,W=5", 39, None),
            ("1.M2P3Q4.host,S=39,W=79", 39, None),
            ("1.M2P3Q4.host,S=39", 39, None),
            ("1.M2P3.host,S=39,W=43", 39, None),
            ("1.M1P1.host,S=39,W=39", 39, None),
            ("1.MP3Q4.host,S=39,W=43", 39, None),
            ("1.M2P3Q4,S=39,W=43", 39, None),
        ] {
            assert_eq!(file(base).virtual_size(stored), size, "{base}");
        }
    }

    #[test]
    fn a_name_without_fields_is_still_a_message_in_any_charset() {
        for name in [&b"123.abc"[..], b"123.b\xfcro", b"\xff"] {
            let file = FileName::parse(Folder::Cur, name).unwrap();
            assert_eq!((file.size(), file.virtual_size(0), file.flags()), (None, None, Flags::NONE));
            assert_eq!(file.base(), name);
            assert_eq!(
                file.with_flags(Flags::SEEN).path().as_os_str().as_bytes(),
                [b"cur/", name, b":2,S"].concat()
            );
        }
    }

    #[test]
    fn a_name_that_no_message_can_have_is_refused() {
        for bad in ["", ".hidden", ":2,S", "a/b", "a\nb", &"x".repeat(256)] {
            assert!(FileName::parse(Folder::New, bad).is_none(), "{bad:?} was parsed as a message");
        }
    }

    #[test]
    fn no_two_bases_are_the_same_and_they_are_ordered_by_time() {
        let bases: Vec<_> = (0..1000).map(|_| FileName::unique_base("a:b/c,d", 1, Some(2))).collect();
        let distinct: std::collections::BTreeSet<_> = bases.iter().collect();
        assert_eq!(distinct.len(), bases.len());
        let file = FileName::parse(Folder::New, &bases[0]).unwrap();
        assert!(file.base().ends_with(b".a_b_c_d,S=1,W=2"));
        assert_eq!(file.virtual_size(1), Some(2), "it has the form of our names");
        assert!(arrival_key(b"9.M5P1.h") < arrival_key(b"10.M4P1.h"));
        assert!(arrival_key(b"10.M4P1.h") < arrival_key(b"10.M40P1.h"));
    }
}
