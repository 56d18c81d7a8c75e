use std::fmt;

use super::folder_name;

/// A mailbox's name: UTF-8, with its levels divided by [`MailboxName::SEPARATOR`]; `INBOX`, alone or as the first
/// level, in capitals.
///
/// By construction, each name has exactly one folder name in a Maildir++ ([`MailboxName::folder`]), and no two names
/// share a folder name. So the folder name can be used as a path without a further check.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(Box<str>);

/// The reason why a text is not a mailbox's name, worded for the person who typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or a level without a name: `a//b`, `/a`, `a/`.
    #[error("Folder names cannot be empty, begin with \"/\", or contain \"//\".")]
    EmptyLevel,
    /// The name is longer than allowed, or its folder's name is longer than a file's name can be.
    #[error("This folder name is too long.")]
    TooLong,
    /// A line break or another control character.
    #[error("Folder names cannot contain line breaks or other control characters.")]
    BadCharacter(char),
}

impl MailboxName {
    /// The character between the levels of a name. On disk it is [`folder_name::SEPARATOR`].
    pub const SEPARATOR: char = '/';
    /// Maximum length of a name in octets. It exceeds the limit of a folder's name on disk, since some folders are
    /// shown under a longer name.
    const MAX_LEN: usize = 1000;
    const INBOX: &str = "INBOX";

    /// The mailbox that every user has.
    pub fn inbox() -> Self {
        Self(Self::INBOX.into())
    }

    /// Parses a name in UTF-8. `INBOX` may be in any case (RFC 3501 §5.1).
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.len() > Self::MAX_LEN {
            return Err(NameError::TooLong);
        }
        if text.split(Self::SEPARATOR).any(str::is_empty) {
            return Err(NameError::EmptyLevel);
        }
        if let Some(bad) = text.chars().find(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(NameError::BadCharacter(bad));
        }
        let (first, below) = text.split_at(text.find(Self::SEPARATOR).unwrap_or(text.len()));
        if first.eq_ignore_ascii_case(Self::INBOX) {
            return Ok(Self(format!("{}{below}", Self::INBOX).into()));
        }
        Ok(Self(text.into()))
    }

    /// Refuses a name whose folder's name would exceed the limit of Linux for a file's name.
    pub fn check_length(&self) -> Result<(), NameError> {
        const MAX_ON_DISK: usize = 255;
        if self.folder().len() > MAX_ON_DISK { Err(NameError::TooLong) } else { Ok(()) }
    }

    /// The name in UTF-8.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true for the mailbox that every user has.
    pub fn is_inbox(&self) -> bool {
        &*self.0 == Self::INBOX
    }

    /// The name one level up; `None` for `INBOX` and other names at the top.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once(Self::SEPARATOR).map(|(above, _)| Self(above.into()))
    }

    /// Returns true if this name is below `other`, at any depth.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.starts_with(Self::SEPARATOR))
    }

    /// The name of this mailbox after `old` is renamed to `new`. `None` if this name is neither `old` nor below it.
    pub fn moved(&self, old: &Self, new: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&*old.0)?;
        (rest.is_empty() || rest.starts_with(Self::SEPARATOR))
            .then(|| Self(format!("{}{rest}", new.0).into()))
    }

    /// The name of its folder in the Maildir; empty for INBOX, which is the Maildir itself.
    pub(crate) fn folder(&self) -> String {
        if self.is_inbox() { String::new() } else { format!(".{}", folder_name::encode(self)) }
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> MailboxName {
        MailboxName::parse(text).unwrap()
    }

    #[test]
    fn inbox_is_case_insensitive_and_is_the_maildir_itself() {
        assert_eq!(name("iNbOx"), MailboxName::inbox());
        assert_eq!(MailboxName::inbox().folder(), "");
        assert_eq!(name("inbox/Kid"), name("INBOX/Kid"));
        assert_eq!(name("inbox/Kid").parent(), Some(MailboxName::inbox()));
        assert_ne!(name("inboxes"), name("INBOXES"));
    }

    #[test]
    fn control_characters_and_empty_levels_are_refused() {
        for bad in ["", "/", "a/", "/a", "a//b", "a\0", "a\r\n", "a\u{7f}", "a\u{2028}", &"a".repeat(1001)] {
            assert!(MailboxName::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn a_name_too_long_on_disk_is_refused_in_advance() {
        assert_eq!(name(&"a".repeat(254)).check_length(), Ok(()));
        for long in ["a".repeat(255), "\u{fc}".repeat(127), ".".repeat(85)] {
            assert_eq!(name(&long).check_length(), Err(NameError::TooLong), "{long}");
        }
    }

    #[test]
    fn a_name_has_a_parent_and_follows_a_rename_of_it() {
        assert_eq!(name("a/b.x/c").parent(), Some(name("a/b.x")));
        assert_eq!(name("a").parent(), None);
        assert!(name("a/b/c").is_below(&name("a")));
        assert!(!name("ab").is_below(&name("a")));
        assert_eq!(name("a/b").moved(&name("a"), &name("x/y")), Some(name("x/y/b")));
        assert_eq!(name("a").moved(&name("a"), &name("x")), Some(name("x")));
        assert_eq!(name("ab").moved(&name("a"), &name("x")), None);
    }
}
