//! Flags: the five system flags that a client may set, and keywords.
//!
//! `\Recent` is not a [`Flag`]: a client cannot set it, and it belongs to a session, not to a message.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::cursor::{Cursor, SyntaxError, is_atom_char};

/// The longest accepted keyword. The list of a mailbox's keywords is a file, which one client must not bloat.
const MAX_KEYWORD: usize = 128;

/// A flag that is stored with a message (RFC 3501 §2.3.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flag {
    /// `\Answered`
    Answered,
    /// `\Flagged`
    Flagged,
    /// `\Deleted`
    Deleted,
    /// `\Seen`
    Seen,
    /// `\Draft`
    Draft,
    /// A keyword chosen by the client, such as `$Forwarded`.
    Keyword(Keyword),
}

impl Flag {
    /// The system flags, in the order in which they are listed.
    pub const SYSTEM: [Flag; 5] = [Flag::Answered, Flag::Flagged, Flag::Deleted, Flag::Seen, Flag::Draft];

    /// The flag in its protocol form.
    pub fn as_str(&self) -> &str {
        match self {
            Flag::Answered => "\\Answered",
            Flag::Flagged => "\\Flagged",
            Flag::Deleted => "\\Deleted",
            Flag::Seen => "\\Seen",
            Flag::Draft => "\\Draft",
            Flag::Keyword(keyword) => keyword.as_str(),
        }
    }

    /// ```abnf
    /// flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
    /// flag-keyword = atom
    /// ```
    /// `None` for `\Recent`. A `flag-extension` is refused, since we define none (RFC 3501 §9).
    fn parse(cursor: &mut Cursor<'_>) -> Result<Option<Flag>, SyntaxError> {
        let start = cursor.position();
        if cursor.accept(b'\\') {
            let name = cursor.take_while(is_atom_char);
            return Flag::system(name).ok_or(SyntaxError { at: start, expected: "a known system flag" });
        }
        let atom = cursor.atom()?;
        let keyword = Keyword::new(atom).ok_or(SyntaxError { at: start, expected: "a shorter keyword" })?;
        Ok(Some(Flag::Keyword(keyword)))
    }

    fn system(name: &[u8]) -> Option<Option<Flag>> {
        if quirk_recent(name) {
            return Some(None);
        }
        let known = |flag: &Flag| flag.as_str().as_bytes()[1..].eq_ignore_ascii_case(name);
        Flag::SYSTEM.iter().find(|flag| known(flag)).cloned().map(Some)
    }

    /// `flag-list = "(" [flag *(SP flag)] ")"` (RFC 3501 §9)
    pub(crate) fn parse_list(
        cursor: &mut Cursor<'_>,
        recent: RecentPolicy,
    ) -> Result<Vec<Flag>, SyntaxError> {
        cursor.expect(b'(', "a list of flags")?;
        if cursor.accept(b')') {
            return Ok(Vec::new());
        }
        let flags = Flag::parse_sequence(cursor, recent)?;
        cursor.expect(b')', "the end of a list of flags")?;
        Ok(flags)
    }

    /// `flag *(SP flag)`, each flag kept once.
    pub(crate) fn parse_sequence(
        cursor: &mut Cursor<'_>,
        recent: RecentPolicy,
    ) -> Result<Vec<Flag>, SyntaxError> {
        let mut flags = Vec::new();
        loop {
            let wrong = cursor.error("a flag that a client may set");
            match Flag::parse(cursor)? {
                None if recent == RecentPolicy::Refused => return Err(wrong),
                Some(flag) if !flags.contains(&flag) => {
                    if flags.len() == MAX_FLAGS {
                        return Err(cursor.error("fewer flags"));
                    }
                    flags.push(flag);
                }
                _ => {}
            }
            if !cursor.accept(b' ') {
                return Ok(flags);
            }
        }
    }
}

/// Maximum number of flags in one command. Each is compared with those before it, so the number is bounded.
const MAX_FLAGS: usize = 128;

/// The treatment of `\Recent` among the flags of a command (RFC 3501 §2.3.2: a client cannot alter it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecentPolicy {
    /// In STORE: answered with BAD, as by Dovecot.
    Refused,
    /// In APPEND: ignored ([`quirk_recent`]).
    Ignored,
}

/// Returns true for `\Recent`. Clients that copy a message by FETCH and APPEND send it back as they got it (seen with
/// imapsync and old Outlook). The flag is left out instead of refusing the message.
fn quirk_recent(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"Recent")
}

impl fmt::Display for Flag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A keyword: an atom. It keeps its spelling, and compares equal in any case.
#[derive(Debug, Clone)]
pub struct Keyword(String);

impl Keyword {
    /// The octets as a keyword, if they are an atom of a reasonable length.
    pub fn new(octets: &[u8]) -> Option<Keyword> {
        let fits = !octets.is_empty() && octets.len() <= MAX_KEYWORD;
        (fits && octets.iter().all(|octet| is_atom_char(*octet)))
            .then(|| Keyword(String::from_utf8_lossy(octets).into_owned()))
    }

    /// The keyword in its original spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.bytes().map(|octet| octet.to_ascii_lowercase())
    }
}

impl PartialEq for Keyword {
    fn eq(&self, other: &Keyword) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Keyword {}

impl PartialOrd for Keyword {
    fn partial_cmp(&self, other: &Keyword) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Keyword {
    fn cmp(&self, other: &Keyword) -> std::cmp::Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for Keyword {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<Flag>, SyntaxError> {
        Flag::parse_list(&mut Cursor::new(text.as_bytes()), RecentPolicy::Ignored)
    }

    #[test]
    fn a_flag_is_case_insensitive_and_kept_once() {
        let keyword = Flag::Keyword(Keyword::new(b"$Work").unwrap());
        assert_eq!(list("(\\seen \\SEEN $Work $work)").unwrap(), vec![Flag::Seen, keyword]);
        assert_eq!(list("()").unwrap(), vec![]);
    }

    #[test]
    fn recent_is_left_out_or_refused_and_an_unknown_system_flag_is_refused() {
        assert_eq!(list("(\\Recent \\Draft)").unwrap(), vec![Flag::Draft]);
        let stored = Flag::parse_list(&mut Cursor::new(b"(\\Draft \\recent)"), RecentPolicy::Refused);
        assert_eq!(stored.unwrap_err().at, 8);
        assert_eq!(list("(\\Odd)").unwrap_err().at, 1);
        assert!(list("(\\*)").is_err());
    }

    #[test]
    fn an_overlong_or_invalid_keyword_is_refused() {
        assert!(Keyword::new(&[b'a'; MAX_KEYWORD + 1]).is_none());
        assert!(Keyword::new(b"two words").is_none());
        assert!(Keyword::new(b"").is_none());
    }
}
