use std::fmt;

use super::modified_utf7;

/// A mailbox's name: UTF-8, its levels divided by [`MailboxName::SEPARATOR`]; `INBOX` in capitals.
///
/// It is by construction a name that a Maildir++ folder can have, so it can be made a path without a further look.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxName(Box<str>);

/// Why a text is not a mailbox's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or a level without a name: `a..b`, `.a`, `a.`.
    #[error("a level of the mailbox's name is empty")]
    EmptyLevel,
    /// More than a file's name can have.
    #[error("the mailbox's name is too long")]
    TooLong,
    /// A character that no folder's name can have, or that no client should show.
    #[error("the mailbox's name has the character {0:?}, which is not allowed")]
    BadCharacter(char),
    /// A folder of this name means something else on disk.
    #[error("the mailbox's name is reserved")]
    Reserved,
    /// A folder on disk, or a name from a client, that is not modified UTF-7.
    #[error("the mailbox's name is not modified UTF-7 (RFC 3501 §5.1.3)")]
    BadEncoding,
}

impl MailboxName {
    /// What divides the levels of a name, in IMAP as on disk (Maildir++).
    pub const SEPARATOR: char = '.';
    /// Octets of a folder's name, the leading dot included: as many as Linux allows.
    const LONGEST_ON_DISK: usize = 255;

    /// The mailbox that everyone has.
    pub fn inbox() -> Self {
        Self("INBOX".into())
    }

    /// Reads a name in UTF-8. `INBOX` may be in any case (RFC 3501 §5.1).
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.eq_ignore_ascii_case("INBOX") {
            return Ok(Self::inbox());
        }
        if text.len() > Self::LONGEST_ON_DISK {
            return Err(NameError::TooLong);
        }
        if text.split(Self::SEPARATOR).any(str::is_empty) {
            return Err(NameError::EmptyLevel);
        }
        // `/` and NUL no file's name can have; the rest no client could show or type.
        if let Some(bad) = text.chars().find(|c| c.is_control() || matches!(c, '/' | '\u{2028}' | '\u{2029}'))
        {
            return Err(NameError::BadCharacter(bad));
        }
        let name = Self(text.into());
        if name.folder().len() > Self::LONGEST_ON_DISK {
            return Err(NameError::TooLong);
        }
        Ok(name)
    }

    /// Reads a name in modified UTF-7, as IMAP4rev1 sends it.
    pub fn parse_modified_utf7(encoded: &str) -> Result<Self, NameError> {
        Self::parse(&modified_utf7::decode(encoded).ok_or(NameError::BadEncoding)?)
    }

    /// The name in UTF-8.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in modified UTF-7, as IMAP4rev1 wants it.
    pub fn to_modified_utf7(&self) -> String {
        modified_utf7::encode(&self.0)
    }

    /// Whether it is the mailbox that everyone has.
    pub fn is_inbox(&self) -> bool {
        &*self.0 == "INBOX"
    }

    /// The name one level up; `INBOX` and what stands at the top have none.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once(Self::SEPARATOR).map(|(above, _)| match above {
            above if above.eq_ignore_ascii_case("INBOX") => Self::inbox(),
            above => Self(above.into()),
        })
    }

    /// Whether this name lies below `other`, at any depth.
    pub fn is_below(&self, other: &Self) -> bool {
        self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.starts_with(Self::SEPARATOR))
    }

    /// This name, moved from below `old` to below `new`; `old` itself becomes `new`.
    pub fn moved(&self, old: &Self, new: &Self) -> Result<Self, NameError> {
        let rest = self.0.strip_prefix(&*old.0).ok_or(NameError::Reserved)?;
        Self::parse(&format!("{}{rest}", new.0))
    }

    /// The folder's name below the Maildir; empty for the INBOX, which is the Maildir itself.
    pub(crate) fn folder(&self) -> String {
        if self.is_inbox() {
            return String::new();
        }
        format!(".{}", self.to_modified_utf7())
    }

    /// The mailbox that a folder below the Maildir is. A folder whose name is not modified UTF-7, or that
    /// would be a second INBOX, is none.
    pub(crate) fn of_folder(folder: &str) -> Result<Self, NameError> {
        let name = Self::parse_modified_utf7(folder.strip_prefix('.').ok_or(NameError::Reserved)?)?;
        if name.is_inbox() { Err(NameError::Reserved) } else { Ok(name) }
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
    fn the_inbox_has_no_case_and_no_folder() {
        assert_eq!(name("iNbOx"), MailboxName::inbox());
        assert_eq!(MailboxName::inbox().folder(), "");
        assert_eq!(MailboxName::of_folder(".InBox"), Err(NameError::Reserved));
    }

    #[test]
    fn a_folder_is_named_in_modified_utf7_behind_a_dot() {
        assert_eq!(name("Archiv.Büro").folder(), ".Archiv.B&APw-ro");
        assert_eq!(MailboxName::of_folder(".Archiv.B&APw-ro"), Ok(name("Archiv.Büro")));
    }

    #[test]
    fn what_no_folder_can_be_named_is_refused() {
        let long = "a".repeat(255);
        let wide = "ü".repeat(127);
        for bad in ["", ".", "a.", ".a", "a..b", "..", "a/b", "../a", "a\0", "a\r\n", "a\u{7f}", &long, &wide]
        {
            assert!(MailboxName::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn names_have_parents_and_move_with_them() {
        assert_eq!(name("a.b.c").parent(), Some(name("a.b")));
        assert_eq!(name("a").parent(), None);
        assert!(name("a.b.c").is_below(&name("a")));
        assert!(!name("ab").is_below(&name("a")));
        assert_eq!(name("a.b").moved(&name("a"), &name("x.y")), Ok(name("x.y.b")));
        assert_eq!(name("a").moved(&name("a"), &name("x")), Ok(name("x")));
    }

    proptest::proptest! {
        #[test]
        fn every_name_is_one_folder_and_that_folder_is_that_name(text in ".{0,30}") {
            if let Ok(name) = MailboxName::parse(&text) && !name.is_inbox() {
                let folder = name.folder();
                proptest::prop_assert!(folder.starts_with('.') && !folder.contains('/') && folder != "." && folder != "..");
                proptest::prop_assert_eq!(MailboxName::of_folder(&folder), Ok(name));
            }
        }
    }
}
