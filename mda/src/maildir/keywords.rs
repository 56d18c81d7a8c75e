use std::io;
use std::path::Path;

use super::lock::DotLock;
use super::{Flags, MaildirError};

/// The names of a mailbox's keywords (`dovecot-keywords`): the first is the letter `a` in the files' names.
///
/// The file's lines are `<place> <name>`. A name keeps its place for the mailbox's life.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keywords {
    /// `None` for a place that the file does not name.
    names: Vec<Option<Box<str>>>,
}

impl Keywords {
    /// The file beside the messages' folders.
    pub(crate) const FILE: &'static str = "dovecot-keywords";
    const LOCK: &'static str = "dovecot-keywords.lock";
    const MODE: u32 = 0o600;
    /// No client's keyword is longer; a file with longer ones was not written by a mail server.
    const LONGEST: usize = 255;

    /// The name of the keyword with that place.
    pub fn name(&self, place: usize) -> Option<&str> {
        self.names.get(place)?.as_deref()
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().flatten().map(|name| &**name)
    }

    /// The flag of a keyword, by its name; case does not matter (RFC 3501 §9, `flag-keyword` as an atom, as Dovecot
    /// compares them).
    pub fn flag(&self, name: &str) -> Option<Flags> {
        let place = self
            .names
            .iter()
            .position(|known| known.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(name)))?;
        Flags::keyword(place)
    }

    /// Whether another name can still be taken in.
    pub fn has_room(&self) -> bool {
        self.names.len() < Flags::MOST_KEYWORDS || self.names.contains(&None)
    }

    /// Takes a name in and gives its flag; `None` when all places are taken or the name cannot be written.
    fn add(&mut self, name: &str) -> Option<Flags> {
        if let Some(known) = self.flag(name) {
            return Some(known);
        }
        if name.is_empty()
            || name.len() > Self::LONGEST
            || name.contains(|c: char| c.is_control() || c == ' ')
        {
            return None;
        }
        let place = match self.names.iter().position(Option::is_none) {
            Some(free) => free,
            None => self.names.len(),
        };
        let flag = Flags::keyword(place)?;
        if place == self.names.len() {
            self.names.push(None);
        }
        self.names[place] = Some(name.into());
        Some(flag)
    }

    /// Reads the file of the mailbox in `folder`; without one there are no keywords.
    pub(crate) fn read(folder: &Path) -> Result<Self, MaildirError> {
        let path = folder.join(Self::FILE);
        match std::fs::read(&path) {
            Ok(octets) => Ok(Self::parse(&String::from_utf8_lossy(&octets))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(MaildirError::disk("read", &path)(error)),
        }
    }

    /// Takes names into the file of the mailbox in `folder`, under its lock, and gives what it then holds. Names for which
    /// there is no room are left out. On disk when it returns.
    pub(crate) fn add_to_file(folder: &Path, host: &str, names: &[&str]) -> Result<Self, MaildirError> {
        let lock = folder.join(Self::LOCK);
        let _lock = DotLock::acquire(lock.clone(), host).map_err(MaildirError::lock(&lock))?;
        let there = Self::read(folder)?;
        let mut keywords = there.clone();
        for name in names {
            keywords.add(name);
        }
        if keywords != there {
            durable::write_whole(&folder.join(Self::FILE), keywords.to_text().as_bytes(), Self::MODE)?;
        }
        Ok(keywords)
    }

    /// Reads the file's lines; what is none is passed over, as are places that no letter stands for.
    fn parse(text: &str) -> Self {
        let mut keywords = Self::default();
        for line in text.lines() {
            let Some((place, name)) = line.split_once(' ') else { continue };
            let Ok(place) = place.parse::<usize>() else { continue };
            if place >= Flags::MOST_KEYWORDS || name.is_empty() || name.len() > Self::LONGEST {
                continue;
            }
            if keywords.names.len() <= place {
                keywords.names.resize(place + 1, None);
            }
            keywords.names[place] = Some(name.into());
        }
        keywords
    }

    /// The file's content.
    fn to_text(&self) -> String {
        let named = self.names.iter().enumerate().filter_map(|(place, name)| Some((place, name.as_ref()?)));
        named.map(|(place, name)| format!("{place} {name}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_dovecot_wrote_is_read_and_written_as_it_was() {
        let text = "0 $Forwarded\n1 NonJunk\n3 work\n";
        let keywords = Keywords::parse(text);
        assert_eq!(keywords.name(1), Some("NonJunk"));
        assert_eq!(keywords.name(2), None);
        assert_eq!(keywords.flag("nonjunk"), Flags::keyword(1));
        assert_eq!(keywords.to_text(), text);
    }

    #[test]
    fn a_new_name_takes_the_first_free_place_until_the_letters_are_used_up() {
        let mut keywords = Keywords::parse("0 a\n2 c\n");
        assert_eq!(keywords.add("b"), Flags::keyword(1));
        assert_eq!(keywords.add("B"), Flags::keyword(1));
        for n in 3..26 {
            assert!(keywords.has_room());
            assert_eq!(keywords.add(&format!("k{n}")), Flags::keyword(n));
        }
        assert!(!keywords.has_room());
        assert_eq!(keywords.add("one-more"), None);
    }

    #[test]
    fn lines_that_mean_nothing_are_passed_over() {
        assert_eq!(Keywords::parse("x\n99 far\n-1 y\n5\n\n0 \n"), Keywords::default());
    }

    #[test]
    fn names_that_others_took_in_keep_their_places() {
        let folder = tempfile::tempdir().unwrap();
        Keywords::add_to_file(folder.path(), "host", &["a"]).unwrap();
        let keywords = Keywords::add_to_file(folder.path(), "host", &["b", "a b", ""]).unwrap();
        assert_eq!(keywords.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(Keywords::read(folder.path()).unwrap(), keywords);
    }
}
