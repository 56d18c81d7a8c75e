use std::path::Path;

use super::lock::DotLock;
use super::{Flags, MaildirError, regular};

/// The names of a mailbox's keywords, by index.
///
/// The first 26 are the letters `a` to `z` in the files' names, and `dovecot-keywords` names them in lines
/// `<index> <name>`. The indexes after them are keywords beyond the letters, which [`super::ExtraKeywords`] keeps; those
/// indexes are valid within this process only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keywords {
    /// `None` for an index without a name.
    names: Vec<Option<Box<str>>>,
}

/// The lock of `dovecot-keywords`, and of the file beside it, held until dropped.
pub(crate) struct KeywordsLock {
    _lock: DotLock,
}

impl Keywords {
    /// The file beside the messages' folders.
    pub(crate) const FILE: &'static str = "dovecot-keywords";
    const LOCK: &'static str = "dovecot-keywords.lock";
    const MODE: u32 = 0o600;
    /// No client's keyword is longer; a file with longer ones was not written by a mail server.
    const MAX_LEN: usize = 255;
    /// Twice what 26 names of that length need.
    const MAX_FILE_SIZE: u64 = 16 << 10;

    /// The name of the keyword at this index.
    pub fn name(&self, index: usize) -> Option<&str> {
        self.names.get(index)?.as_deref()
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flatten().map(|name| &**name)
    }

    /// The flag of the keyword with this name, regardless of case (RFC 3501 §9, `flag-keyword` as an atom, as Dovecot
    /// compares them). A letter precedes an index beyond the letters.
    pub fn flag(&self, name: &str) -> Option<Flags> {
        let index = self
            .names
            .iter()
            .position(|known| known.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(name)))?;
        Flags::keyword(index)
    }

    /// Returns true if another name can be added, while messages use the keywords `used`.
    pub fn has_room(&self, used: Flags) -> bool {
        (0..Flags::MAX_KEYWORDS).filter_map(Flags::keyword).any(|flag| !used.contains(flag))
    }

    /// The keywords whose names differ in `other`, as flags.
    pub fn renamed_flags(&self, other: &Self) -> Flags {
        let indexes = 0..self.names.len().max(other.names.len());
        let differing = indexes.filter(|index| self.name(*index) != other.name(*index));
        differing.filter_map(Flags::keyword).fold(Flags::NONE, |all, flag| all | flag)
    }

    /// Returns true if a name can be written into a file.
    pub(crate) fn is_writable(name: &str) -> bool {
        let is_odd = |c: char| c.is_control() || c == ' ';
        !name.is_empty() && name.len() <= Self::MAX_LEN && !name.contains(is_odd)
    }

    /// Adds a name and returns its flag, while messages use the keywords `used`: at the first free letter; else at the
    /// first letter that no message has, whose name is dropped; else beyond the letters. `None` if all indexes are used
    /// or the name cannot be written.
    ///
    /// A letter that a message has is never free, with or without a name: `dovecot-keywords` may be lost.
    pub(crate) fn add(&mut self, name: &str, used: Flags) -> Option<Flags> {
        if let Some(known) = self.flag(name) {
            return Some(known);
        }
        if !Self::is_writable(name) {
            return None;
        }
        let free = |index: &usize| Flags::keyword(*index).is_some_and(|flag| !used.contains(flag));
        let unnamed = |index: &usize| self.name(*index).is_none();
        let letters = (0..Flags::MAX_LETTERS).filter(free);
        let extra = (Flags::MAX_LETTERS..Flags::MAX_KEYWORDS).filter(free);
        let indexes = [letters.clone().find(unnamed), letters.clone().next(), extra.clone().find(unnamed)];
        let index = indexes.into_iter().flatten().next().or_else(|| extra.clone().next())?;
        self.set(index, name);
        Flags::keyword(index)
    }

    /// Adds a name beyond the letters, even if it has a letter.
    pub(crate) fn add_extra(&mut self, name: &str, used: Flags) -> Option<Flags> {
        let indexes = Flags::MAX_LETTERS..Flags::MAX_KEYWORDS;
        let known = indexes
            .clone()
            .find(|index| self.name(*index).is_some_and(|known| known.eq_ignore_ascii_case(name)));
        let free = |index: &usize| {
            self.name(*index).is_none() && Flags::keyword(*index).is_some_and(|flag| !used.contains(flag))
        };
        let index = known.or_else(|| indexes.clone().find(free))?;
        self.set(index, name);
        Flags::keyword(index)
    }

    fn set(&mut self, index: usize, name: &str) {
        if self.names.len() <= index {
            self.names.resize(index + 1, None);
        }
        self.names[index] = Some(name.into());
    }

    /// Keeps the names beyond the letters of `other`, as far as messages have them.
    pub(crate) fn keep_extra(&mut self, other: &Self, used: Flags) {
        for index in Flags::MAX_LETTERS..other.names.len() {
            if let Some(name) = other.name(index)
                && Flags::keyword(index).is_some_and(|flag| used.contains(flag))
            {
                self.set(index, name);
            }
        }
    }

    /// Acquires the lock of the mailbox in `folder`.
    pub(crate) fn lock(folder: &Path, host: &str) -> Result<KeywordsLock, MaildirError> {
        let path = folder.join(Self::LOCK);
        let lock = DotLock::acquire(path.clone(), host).map_err(MaildirError::lock(&path))?;
        Ok(KeywordsLock { _lock: lock })
    }

    /// Reads the file of the mailbox in `folder`. Without a file there are no keywords.
    pub(crate) fn read(folder: &Path) -> Result<Self, MaildirError> {
        let path = folder.join(Self::FILE);
        let octets = regular::read(&path, Self::MAX_FILE_SIZE).map_err(MaildirError::disk("read", &path))?;
        Ok(Self::parse(&String::from_utf8_lossy(&octets)))
    }

    /// Writes the names of the letters. On disk when it returns.
    pub(crate) fn write(&self, folder: &Path, _: &KeywordsLock) -> Result<(), MaildirError> {
        let path = folder.join(Self::FILE);
        regular::move_aside(&path).map_err(MaildirError::disk("move aside", &path))?;
        Ok(durable::write_whole(&path, self.to_text().as_bytes(), Self::MODE)?)
    }

    /// Parses the file's lines; malformed lines and indexes without a letter are skipped.
    fn parse(text: &str) -> Self {
        let mut keywords = Self::default();
        for line in text.lines() {
            let Some((index, name)) = line.split_once(' ') else { continue };
            let Ok(index) = index.parse::<usize>() else { continue };
            if index < Flags::MAX_LETTERS && !name.is_empty() && name.len() <= Self::MAX_LEN {
                keywords.set(index, name);
            }
        }
        keywords
    }

    /// The file's content.
    fn to_text(&self) -> String {
        let letters = self.names.iter().take(Flags::MAX_LETTERS).enumerate();
        let named = letters.filter_map(|(index, name)| Some((index, name.as_ref()?)));
        named.map(|(index, name)| format!("{index} {name}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(index: usize) -> Flags {
        Flags::keyword(index).unwrap()
    }

    #[test]
    fn a_file_of_dovecot_is_read_and_written_unchanged() {
        let text = "0 $Forwarded\n1 NonJunk\n3 work\n";
        let keywords = Keywords::parse(text);
        assert_eq!(keywords.name(1), Some("NonJunk"));
        assert_eq!(keywords.name(2), None);
        assert_eq!(keywords.flag("nonjunk"), Flags::keyword(1));
        assert_eq!(keywords.to_text(), text);
        assert_eq!(Keywords::parse(&text.replace('\n', "\r\n")), keywords);
    }

    #[test]
    fn a_new_name_gets_the_first_letter_free_in_list_and_messages() {
        let mut keywords = Keywords::parse("0 a\n2 c\n");
        assert_eq!(keywords.add("b", flag(3)), Some(flag(1)));
        assert_eq!(keywords.add("B", Flags::NONE), Some(flag(1)));
        assert_eq!(
            keywords.add("d", flag(3)),
            Some(flag(4)),
            "a message has the letter `d`, of an unknown name"
        );
    }

    #[test]
    fn an_unused_letter_is_reassigned_only_when_none_is_free() {
        let names: String = (0..26).map(|n| format!("{n} k{n}\n")).collect();
        let mut keywords = Keywords::parse(&names);
        assert_eq!(keywords.add("new", Flags::LETTER_KEYWORDS.without(flag(7))), Some(flag(7)));
        assert_eq!((keywords.flag("k7"), keywords.flag("new")), (None, Some(flag(7))));
    }

    #[test]
    fn keywords_beyond_the_letters_are_not_in_the_file() {
        let names: String = (0..26).map(|n| format!("{n} k{n}\n")).collect();
        let mut keywords = Keywords::parse(&names);
        let mut used = Flags::LETTER_KEYWORDS;
        for index in 26..Flags::MAX_KEYWORDS {
            assert!(keywords.has_room(used));
            assert_eq!(keywords.add(&format!("k{index}"), used), Some(flag(index)));
            used |= flag(index);
        }
        assert!(!keywords.has_room(used));
        assert_eq!(keywords.add("one-more", used), None);
        assert_eq!(keywords.add("one-more", used.without(flag(50))), Some(flag(50)));
        assert_eq!(keywords.to_text(), names);
    }

    #[test]
    fn malformed_lines_are_skipped() {
        assert_eq!(Keywords::parse("x\n99 far\n-1 y\n5\n\n0 \n"), Keywords::default());
    }

    #[test]
    fn a_fifo_or_a_folder_with_the_files_name_blocks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(Keywords::FILE);
        let put: [&dyn Fn(); 2] =
            [&|| nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap(), &|| {
                std::fs::create_dir_all(path.join("kept")).unwrap()
            }];
        for put in put {
            put();
            assert_eq!(Keywords::read(folder.path()).unwrap(), Keywords::default());
            let lock = Keywords::lock(folder.path(), "host").unwrap();
            let keywords = Keywords::parse("0 a\n");
            keywords.write(folder.path(), &lock).unwrap();
            assert_eq!(Keywords::read(folder.path()).unwrap(), keywords);
            std::fs::remove_file(&path).unwrap();
        }
    }
}
