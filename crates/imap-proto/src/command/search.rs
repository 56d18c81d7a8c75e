//! SEARCH: finds messages (RFC 3501 §6.4.4).

use super::{Naming, Request};
use crate::cursor::{Cursor, SyntaxError, is_astring_char};
use crate::date::Date;
use crate::{Flag, Keyword, SequenceSet};

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// The kind of numbers that name the messages in the response.
    pub naming: Naming,
    /// The charset of the strings, as the client named it; US-ASCII if it did not.
    pub charset: Option<Vec<u8>>,
    /// The conditions on a message, in postfix order: every operator comes after its operands. So keys that nest
    /// thousands deep are parsed, evaluated and dropped without recursion.
    pub keys: Vec<SearchKey>,
}

/// A condition on a message. Strings are octets in the search's charset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchKey {
    /// `ALL`
    All,
    /// The conjunction of the last keys, two or more of them: keys side by side, or in parentheses.
    And(usize),
    /// `OR` of the last two keys.
    Or,
    /// `NOT` of the last key.
    Not,
    /// A set of sequence numbers.
    Numbers(SequenceSet),
    /// `UID` and a set.
    Uids(SequenceSet),
    /// `ANSWERED`, `DELETED`, `DRAFT`, `FLAGGED`, `SEEN`, `KEYWORD`: the flag is set.
    With(Flag),
    /// `UNANSWERED`, `UNDELETED`, `UNDRAFT`, `UNFLAGGED`, `UNSEEN`, `UNKEYWORD`: the flag is not set.
    Without(Flag),
    /// `RECENT`
    Recent,
    /// `OLD`: not recent.
    Old,
    /// `NEW`: recent and not seen.
    New,
    /// `BCC`, `CC`, `FROM`, `SUBJECT`, `TO`, and `HEADER` with its field's name: the field contains the string.
    Header {
        /// The field's name.
        field: Vec<u8>,
        /// The string that it must contain; if empty, the field must only exist.
        text: Vec<u8>,
    },
    /// `BODY`: the body contains the string.
    Body(Vec<u8>),
    /// `TEXT`: header or body contains the string.
    Text(Vec<u8>),
    /// `BEFORE`: the internal date is before the day.
    Before(Date),
    /// `ON`: the internal date is on the day.
    On(Date),
    /// `SINCE`: the internal date is on the day or after it.
    Since(Date),
    /// `SENTBEFORE`: the Date field's day is before the day.
    SentBefore(Date),
    /// `SENTON`: the Date field's day is the day.
    SentOn(Date),
    /// `SENTSINCE`: the Date field's day is the day or after it.
    SentSince(Date),
    /// `LARGER`: the message has more octets.
    Larger(u32),
    /// `SMALLER`: the message has fewer octets.
    Smaller(u32),
}

/// Maximum number of keys of a search, operators and parentheses included. A command of 64 KB holds that many senders.
const MAX_KEYS: usize = 4_000;

/// ```abnf
/// search = "SEARCH" [SP "CHARSET" SP astring] 1*(SP search-key)
/// ```
/// (RFC 3501 §9)
pub(super) fn parse(cursor: &mut Cursor<'_>, naming: Naming) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let mut charset = None;
    if cursor.accept_ignoring_case(b"CHARSET ") {
        charset = Some(cursor.astring()?);
        cursor.space()?;
    }
    let keys = Keys { cursor, open: vec![Open::Sequence(0)], keys: Vec::new(), left: MAX_KEYS }.parse()?;
    Ok(Request::Search(Search { naming, charset, keys }))
}

/// An operator whose operands have not all been parsed.
#[derive(Debug, Clone, Copy)]
enum Open {
    /// Keys side by side, not in parentheses, with the number parsed so far.
    Sequence(usize),
    /// Keys in parentheses.
    List(usize),
    Or {
        has_first: bool,
    },
    Not,
}

/// Parses keys one after the other; the operators that wait for operands are on an explicit stack.
struct Keys<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    open: Vec<Open>,
    keys: Vec<SearchKey>,
    left: usize,
}

impl Keys<'_, '_> {
    /// ```abnf
    /// search-key = sequence-set / "(" search-key *(SP search-key) ")" / "ALL" / ...
    /// ```
    /// (RFC 3501 §9)
    fn parse(mut self) -> Result<Vec<SearchKey>, SyntaxError> {
        loop {
            self.left = self.left.checked_sub(1).ok_or(self.cursor.error("fewer search keys"))?;
            match self.cursor.peek() {
                Some(b'(') => {
                    self.cursor.expect(b'(', "a list of keys")?;
                    self.open.push(Open::List(0));
                    continue;
                }
                Some(b'*' | b'0'..=b'9') => {
                    self.keys.push(SearchKey::Numbers(SequenceSet::parse(self.cursor)?));
                }
                _ => {
                    if let Some(operator) = self.named()? {
                        self.cursor.space()?;
                        self.open.push(operator);
                        continue;
                    }
                }
            }
            if self.is_complete()? {
                return Ok(self.keys);
            }
        }
    }

    /// Completes the operators whose last operand has ended. Returns true once the whole search is complete.
    fn is_complete(&mut self) -> Result<bool, SyntaxError> {
        while let Some(open) = self.open.pop() {
            match open {
                Open::Not => self.keys.push(SearchKey::Not),
                Open::Or { has_first: true } => self.keys.push(SearchKey::Or),
                Open::Or { has_first: false } => {
                    self.cursor.space()?;
                    self.open.push(Open::Or { has_first: true });
                    return Ok(false);
                }
                Open::Sequence(before) | Open::List(before) => {
                    let count = before + 1;
                    let is_list = matches!(open, Open::List(_));
                    if self.cursor.accept(b' ') {
                        self.open.push(if is_list { Open::List(count) } else { Open::Sequence(count) });
                        return Ok(false);
                    }
                    if is_list {
                        self.cursor.expect(b')', "the end of a list of keys")?;
                    }
                    if count > 1 {
                        self.keys.push(SearchKey::And(count));
                    }
                }
            }
        }
        Ok(true)
    }

    /// Parses a key that begins with a word; returns the operator, if it is one.
    fn named(&mut self) -> Result<Option<Open>, SyntaxError> {
        let wrong = self.cursor.error("a search key");
        let name = self.cursor.word(wrong.expected)?;
        let key = match name.as_slice() {
            b"NOT" => return Ok(Some(Open::Not)),
            b"OR" => return Ok(Some(Open::Or { has_first: false })),
            word => match key_without_argument(word) {
                Some(key) => key,
                None => key_with_argument(self.cursor, name, wrong)?,
            },
        };
        self.keys.push(key);
        Ok(None)
    }
}

fn key_with_argument(
    cursor: &mut Cursor<'_>,
    name: Vec<u8>,
    wrong: SyntaxError,
) -> Result<SearchKey, SyntaxError> {
    let mut argument = Argument { cursor };
    Ok(match name.as_slice() {
        b"UID" => SearchKey::Uids(argument.set()?),
        b"KEYWORD" => SearchKey::With(argument.keyword()?),
        b"UNKEYWORD" => SearchKey::Without(argument.keyword()?),
        b"BCC" | b"CC" | b"FROM" | b"SUBJECT" | b"TO" => {
            SearchKey::Header { field: name, text: argument.string()? }
        }
        b"HEADER" => SearchKey::Header { field: argument.string()?, text: argument.string()? },
        b"BODY" => SearchKey::Body(argument.string()?),
        b"TEXT" => SearchKey::Text(argument.string()?),
        b"BEFORE" => SearchKey::Before(argument.date()?),
        b"ON" => SearchKey::On(argument.date()?),
        b"SINCE" => SearchKey::Since(argument.date()?),
        b"SENTBEFORE" => SearchKey::SentBefore(argument.date()?),
        b"SENTON" => SearchKey::SentOn(argument.date()?),
        b"SENTSINCE" => SearchKey::SentSince(argument.date()?),
        b"LARGER" => SearchKey::Larger(argument.number()?),
        b"SMALLER" => SearchKey::Smaller(argument.number()?),
        _ => return Err(wrong),
    })
}

fn key_without_argument(name: &[u8]) -> Option<SearchKey> {
    Some(match name {
        b"ALL" => SearchKey::All,
        b"ANSWERED" => SearchKey::With(Flag::Answered),
        b"DELETED" => SearchKey::With(Flag::Deleted),
        b"DRAFT" => SearchKey::With(Flag::Draft),
        b"FLAGGED" => SearchKey::With(Flag::Flagged),
        b"SEEN" => SearchKey::With(Flag::Seen),
        b"UNANSWERED" => SearchKey::Without(Flag::Answered),
        b"UNDELETED" => SearchKey::Without(Flag::Deleted),
        b"UNDRAFT" => SearchKey::Without(Flag::Draft),
        b"UNFLAGGED" => SearchKey::Without(Flag::Flagged),
        b"UNSEEN" => SearchKey::Without(Flag::Seen),
        b"NEW" => SearchKey::New,
        b"OLD" => SearchKey::Old,
        b"RECENT" => SearchKey::Recent,
        _ => return None,
    })
}

/// The arguments after a key's name, each after a space.
struct Argument<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
}

impl Argument<'_, '_> {
    fn set(&mut self) -> Result<SequenceSet, SyntaxError> {
        self.cursor.space()?;
        SequenceSet::parse(self.cursor)
    }

    /// `flag-keyword = atom`. An atom has no backslash: the system flags have keys of their own.
    fn keyword(&mut self) -> Result<Flag, SyntaxError> {
        self.cursor.space()?;
        let wrong = self.cursor.error("a keyword");
        let atom = self.cursor.atom()?;
        Keyword::new(atom).map(Flag::Keyword).ok_or(wrong)
    }

    fn string(&mut self) -> Result<Vec<u8>, SyntaxError> {
        self.cursor.space()?;
        match quirk_raw_octets(self.cursor) {
            Some(octets) => Ok(octets),
            None => self.cursor.astring(),
        }
    }

    fn date(&mut self) -> Result<Date, SyntaxError> {
        self.cursor.space()?;
        Date::parse(self.cursor)
    }

    fn number(&mut self) -> Result<u32, SyntaxError> {
        self.cursor.space()?;
        self.cursor.number()
    }
}

/// A word with octets above 127 that is neither quoted nor a literal, as curl users and small clients send it
/// (`SEARCH CHARSET UTF-8 SUBJECT Grüße`). The meaning is clear, so it is accepted.
fn quirk_raw_octets(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let mut ahead = cursor.clone();
    let word = ahead.take_while(|octet| octet > 0x7f || is_astring_char(octet));
    let raw = word.iter().any(|octet| *octet > 0x7f);
    if raw {
        *cursor = ahead;
    }
    raw.then(|| word.to_vec())
}

#[cfg(test)]
mod tests;
