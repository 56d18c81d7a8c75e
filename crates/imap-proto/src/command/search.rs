//! SEARCH: which messages fit (RFC 3501 §6.4.4).

use super::{Naming, Request};
use crate::cursor::{Cursor, SyntaxError, is_astring_char};
use crate::date::Date;
use crate::{Flag, Keyword, SequenceSet};

/// A search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// How the messages found are named in the answer.
    pub naming: Naming,
    /// In which charset the strings are, as the client named it; US-ASCII if it did not.
    pub charset: Option<Vec<u8>>,
    /// What a message must be.
    pub key: SearchKey,
}

/// A condition on a message. Strings are octets in the search's charset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchKey {
    /// `ALL`
    All,
    /// All of these: keys side by side, or in parentheses.
    And(Vec<SearchKey>),
    /// `OR`
    Or(Box<SearchKey>, Box<SearchKey>),
    /// `NOT`
    Not(Box<SearchKey>),
    /// A set of sequence numbers.
    Numbers(SequenceSet),
    /// `UID` and a set.
    Uids(SequenceSet),
    /// `ANSWERED`, `DELETED`, `DRAFT`, `FLAGGED`, `SEEN`, `KEYWORD`: the flag is there.
    With(Flag),
    /// `UNANSWERED`, `UNDELETED`, `UNDRAFT`, `UNFLAGGED`, `UNSEEN`, `UNKEYWORD`: the flag is not there.
    Without(Flag),
    /// `RECENT`
    Recent,
    /// `OLD`: not recent.
    Old,
    /// `NEW`: recent and not seen.
    New,
    /// `BCC`, `CC`, `FROM`, `SUBJECT`, `TO`, and `HEADER` with its field's name: the field holds the string.
    Header {
        /// The field's name.
        field: Vec<u8>,
        /// What it must hold; empty, the field must only be there.
        text: Vec<u8>,
    },
    /// `BODY`: the body holds the string.
    Body(Vec<u8>),
    /// `TEXT`: header or body holds the string.
    Text(Vec<u8>),
    /// `BEFORE`: the internal date lies before the day.
    Before(Date),
    /// `ON`: the internal date lies in the day.
    On(Date),
    /// `SINCE`: the internal date lies in the day or after it.
    Since(Date),
    /// `SENTBEFORE`: the Date field's day lies before the day.
    SentBefore(Date),
    /// `SENTON`: the Date field's day is the day.
    SentOn(Date),
    /// `SENTSINCE`: the Date field's day is the day or lies after it.
    SentSince(Date),
    /// `LARGER`: the message has more octets.
    Larger(u32),
    /// `SMALLER`: the message has fewer octets.
    Smaller(u32),
}

/// How deep keys may nest: a parser and an evaluation that call themselves must not be led to the end of the stack.
const MAX_DEPTH: usize = 32;

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
    let key = parse_keys(cursor, 0)?;
    Ok(Request::Search(Search { naming, charset, key }))
}

/// `search-key *(SP search-key)`: all of them.
fn parse_keys(cursor: &mut Cursor<'_>, depth: usize) -> Result<SearchKey, SyntaxError> {
    let first = parse_key(cursor, depth)?;
    if cursor.peek() != Some(b' ') {
        return Ok(first);
    }
    let mut keys = vec![first];
    while cursor.accept(b' ') {
        keys.push(parse_key(cursor, depth)?);
    }
    Ok(SearchKey::And(keys))
}

/// ```abnf
/// search-key = sequence-set / "(" search-key *(SP search-key) ")" / "ALL" / ...
/// ```
/// (RFC 3501 §9)
fn parse_key(cursor: &mut Cursor<'_>, depth: usize) -> Result<SearchKey, SyntaxError> {
    if depth > MAX_DEPTH {
        return Err(cursor.error("keys nested less deep"));
    }
    match cursor.peek() {
        Some(b'(') => {
            cursor.expect(b'(', "a list of keys")?;
            let keys = parse_keys(cursor, depth + 1)?;
            cursor.expect(b')', "the end of a list of keys")?;
            Ok(keys)
        }
        Some(b'*' | b'0'..=b'9') => SequenceSet::parse(cursor).map(SearchKey::Numbers),
        _ => parse_named(cursor, depth),
    }
}

fn parse_named(cursor: &mut Cursor<'_>, depth: usize) -> Result<SearchKey, SyntaxError> {
    let wrong = cursor.error("a search key");
    let name = cursor.word(wrong.expected)?;
    if let Some(key) = key_without_argument(&name) {
        return Ok(key);
    }
    let mut argument = Argument { cursor, depth };
    Ok(match name.as_slice() {
        b"NOT" => SearchKey::Not(argument.key()?),
        b"OR" => SearchKey::Or(argument.key()?, argument.key()?),
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

/// What follows a key's name, each after a space.
struct Argument<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    depth: usize,
}

impl Argument<'_, '_> {
    fn key(&mut self) -> Result<Box<SearchKey>, SyntaxError> {
        self.cursor.space()?;
        parse_key(self.cursor, self.depth + 1).map(Box::new)
    }

    fn set(&mut self) -> Result<SequenceSet, SyntaxError> {
        self.cursor.space()?;
        SequenceSet::parse(self.cursor)
    }

    /// `flag-keyword = atom`. A backslash cannot stand in one: the system flags have keys of their own.
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

/// A word with octets above 127 that is neither quoted nor a literal, as curl users and small clients send
/// (`SEARCH CHARSET UTF-8 SUBJECT Grüße`). What is meant is plain, so it is searched for.
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
