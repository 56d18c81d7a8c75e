//! Keywords: those of each message, and the index of a new one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::MailboxState;
use crate::mailbox::StoreError;
use crate::maildir::scan::ChangeStamp;
use crate::maildir::{ExtraKeywords, FileName, Flags, Keywords};

/// The content last read of the two files that name keywords.
#[derive(Debug, Default)]
pub(super) struct KeywordFiles {
    letters_stamp: Option<ChangeStamp>,
    extra_stamp: Option<ChangeStamp>,
    extra: ExtraKeywords,
    /// The keywords in [`ExtraKeywords`] of each message, as flags.
    flags: HashMap<Box<[u8]>, Flags>,
}

impl MailboxState {
    /// A message's flags: those in its file's name, and those beyond the letters.
    pub(super) fn flags_of(&self, file: &FileName) -> Flags {
        file.flags() | self.keywords.flags.get(file.base()).copied().unwrap_or_default()
    }

    /// Rereads the files if they have changed.
    pub(super) fn reread_keywords(&mut self) -> Result<(), StoreError> {
        let look = |file| ChangeStamp::of(&self.folder.join(file)).ok();
        let (letters, extra) = (look(Keywords::FILE), look(ExtraKeywords::FILE));
        if (letters, extra) == (self.keywords.letters_stamp, self.keywords.extra_stamp) {
            return Ok(());
        }
        let named = Keywords::read(&self.folder)?;
        if extra != self.keywords.extra_stamp {
            self.keywords.extra = ExtraKeywords::read(&self.folder)?;
        }
        (self.keywords.letters_stamp, self.keywords.extra_stamp) = (letters, extra);
        self.merge(named);
        Ok(())
    }

    /// Merges the letters' names and those beyond into one list, and gives the messages the flags of both.
    fn merge(&mut self, mut keywords: Keywords) {
        let used = self.keywords.flags.values().fold(Flags::NONE, |all, flags| all | *flags);
        keywords.keep_extra(self.snapshot.keywords(), used);
        let (mut flags, mut refused) = (HashMap::new(), HashSet::new());
        for (base, names) in self.keywords.extra.iter() {
            let mut all = Flags::NONE;
            for name in names {
                // A keyword that has got a letter meanwhile is the same keyword.
                match keywords.flag(name).or_else(|| keywords.add_extra(name, Flags::NONE)) {
                    Some(flag) => all |= flag,
                    None => drop(refused.insert(name)),
                }
            }
            flags.insert(base.into(), all);
        }
        if !refused.is_empty() {
            tracing::warn!(mailbox = %self.folder.display(), keywords = refused.len(), "too many keywords, some not shown");
        }
        self.keywords.flags = flags;
        self.set_keywords(keywords);
        let changed: Vec<_> = self
            .snapshot
            .entries()
            .filter(|entry| self.flags_of(&entry.file) != entry.flags)
            .map(|entry| (entry.uid, entry.file.clone()))
            .collect();
        if !changed.is_empty() {
            let mod_seq = self.snapshot.begin_change();
            for (uid, file) in changed {
                let flags = self.flags_of(&file);
                self.snapshot.set_file(uid, file, flags, mod_seq);
            }
        }
    }

    fn set_keywords(&mut self, keywords: Keywords) {
        if *self.snapshot.keywords() != keywords {
            self.snapshot.begin_change();
            self.snapshot.set_keywords(Arc::new(keywords));
        }
    }

    /// The flags of keywords, which the mailbox adds where it does not know them yet. A keyword that cannot be kept is
    /// left out: no message is refused for it (RFC 3501 §6.3.11, §6.4.6).
    pub(in crate::mailbox) fn keyword_flags(&mut self, names: &[String]) -> Result<Flags, StoreError> {
        let known = |state: &Self, name: &String| state.snapshot.keywords().flag(name);
        if names.iter().any(|name| known(self, name).is_none()) {
            self.add_keywords(names)?;
        }
        let kept: Vec<Flags> = names.iter().filter_map(|name| known(self, name)).collect();
        if kept.len() < names.len() {
            let refused = names.len() - kept.len();
            tracing::warn!(mailbox = %self.folder.display(), keywords = refused, "too many keywords, some not stored");
        }
        Ok(kept.into_iter().fold(Flags::NONE, |all, flag| all | flag))
    }

    /// Assigns letters, or further indexes, to names.
    fn add_keywords(&mut self, names: &[String]) -> Result<(), StoreError> {
        let lock = Keywords::lock(&self.folder, &self.host)?;
        self.reread_keywords()?;
        // The keywords of messages are read from the disk: other processes may have assigned letters since it was last
        // read.
        let mut used = self.used_letters()?;
        let mut keywords = self.snapshot.keywords().clone();
        for name in names {
            used |= keywords.flag(name).unwrap_or_default();
        }
        for name in names {
            used |= keywords.add(name, used).unwrap_or_default();
        }
        let lettered = self.snapshot.keywords().renamed_flags(&keywords) & Flags::LETTER_KEYWORDS;
        if !lettered.is_empty() {
            keywords.write(&self.folder, &lock)?;
            self.keywords.letters_stamp = ChangeStamp::of(&self.folder.join(Keywords::FILE)).ok();
        }
        self.set_keywords(keywords);
        Ok(())
    }

    /// The keywords in use by messages.
    fn used_letters(&self) -> Result<Flags, StoreError> {
        let known = self.snapshot.entries().map(|entry| entry.flags);
        let extra = self.keywords.flags.values().copied();
        let on_disk = self.files_on_disk()?;
        let on_disk = on_disk.iter().map(FileName::flags);
        Ok(known.chain(extra).chain(on_disk).fold(Flags::NONE, |all, flags| all | flags) & Flags::KEYWORDS)
    }

    /// Writes the current keywords of these messages beyond the letters. On disk when it returns.
    pub(super) fn write_extra_keywords(&mut self, messages: &[(&FileName, Flags)]) -> Result<(), StoreError> {
        let concerns = |(file, flags): &&(&FileName, Flags)| {
            !(*flags & Flags::EXTRA_KEYWORDS).is_empty() || self.keywords.extra.contains(file.base())
        };
        let concerned: Vec<_> = messages.iter().filter(concerns).collect();
        if concerned.is_empty() {
            return Ok(());
        }
        let lock = Keywords::lock(&self.folder, &self.host)?;
        let mut extra = ExtraKeywords::read(&self.folder)?;
        for (file, flags) in concerned {
            let indexes = (*flags & Flags::EXTRA_KEYWORDS).keyword_indexes();
            let names =
                indexes.filter_map(|index| self.snapshot.keywords().name(index)).map(Box::from).collect();
            extra.set(file.base(), names);
            self.keywords.flags.insert(file.base().into(), *flags & Flags::EXTRA_KEYWORDS);
        }
        let on_disk: HashSet<Box<[u8]>> = self.bases_on_disk()?;
        let named = |base: &[u8]| messages.iter().any(|(file, _)| file.base() == base);
        extra.retain(|base| on_disk.contains(base) || named(base));
        extra.write(&self.folder, &lock)?;
        self.keywords.flags.retain(|base, _| extra.contains(base));
        self.keywords.extra_stamp = ChangeStamp::of(&self.folder.join(ExtraKeywords::FILE)).ok();
        self.keywords.extra = extra;
        Ok(())
    }
}
