//! LIST and LSUB: the mailboxes, and the subscriptions (RFC 3501 §6.3.8 and §6.3.9). LIST with options: RFC 5258,
//! RFC 6154 and RFC 5819.

use super::Request;
use super::status::{self, StatusItem};
use crate::cursor::{Cursor, SyntaxError, is_atom_char};
use crate::mailbox::{MAX_WILDCARDS, Pattern};

/// The names that a client requests with LIST, and the data about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The form of the command. The empty pattern requests the separator in the basic form only, and a name without a
    /// mailbox is `\NonExistent` in the extended form only (RFC 5258 §3).
    pub form: Form,
    /// The options that a listed name must meet, each once.
    pub select: Vec<Select>,
    /// The reference that precedes each pattern.
    pub reference: Pattern,
    /// The patterns, at least one.
    pub patterns: Vec<Pattern>,
    /// The options that request more data about each name, each once.
    pub returns: Vec<Return>,
}

/// The two forms of LIST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The form of RFC 3501.
    Basic,
    /// The form of RFC 5258.
    Extended,
}

/// A selection option (RFC 5258 §3.1, RFC 6154 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// `SUBSCRIBED`: names that are subscribed, mailboxes or not.
    Subscribed,
    /// `REMOTE`: also names on other servers.
    Remote,
    /// `RECURSIVEMATCH`: also the parents of names that match.
    RecursiveMatch,
    /// `SPECIAL-USE`: mailboxes that have a special use.
    SpecialUse,
}

/// A return option (RFC 5258 §3.2, RFC 6154 §5.2, RFC 5819 §2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Return {
    /// `SUBSCRIBED`: the subscription of each name.
    Subscribed,
    /// `CHILDREN`: the existence of mailboxes below each name.
    Children,
    /// `SPECIAL-USE`: the special use of a mailbox.
    SpecialUse,
    /// `STATUS`: figures of each mailbox.
    Status(Vec<StatusItem>),
}

/// The names that a client requests with LSUB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lsub {
    /// The reference that precedes the pattern.
    pub reference: Pattern,
    /// The pattern.
    pub pattern: Pattern,
}

/// Maximum number of patterns in one LIST.
const MAX_PATTERNS: usize = 100;

/// ```abnf
/// list        = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]
/// mbox-or-pat = list-mailbox / patterns
/// patterns    = "(" list-mailbox *(SP list-mailbox) ")"
/// ```
/// (RFC 5258 §6)
pub(super) fn parse_list(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let mut form = Form::Basic;
    let mut select = Vec::new();
    if cursor.peek() == Some(b'(') {
        form = Form::Extended;
        select = parse_select(cursor)?;
        cursor.space()?;
    }
    let reference = parse_reference(cursor)?;
    cursor.space()?;
    let patterns = if cursor.peek() == Some(b'(') {
        form = Form::Extended;
        parse_patterns(cursor)?
    } else {
        vec![parse_pattern(cursor)?]
    };
    let mut returns = Vec::new();
    if cursor.accept(b' ') {
        form = Form::Extended;
        returns = parse_returns(cursor)?;
    }
    Ok(Request::List(List { form, select, reference, patterns, returns }))
}

/// `lsub = "LSUB" SP mailbox SP list-mailbox` (RFC 3501 §9)
pub(super) fn parse_lsub(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let reference = parse_reference(cursor)?;
    cursor.space()?;
    Ok(Request::Lsub(Lsub { reference, pattern: parse_pattern(cursor)? }))
}

const PATTERN: &str = "a shorter pattern with fewer wildcards";

fn parse_reference(cursor: &mut Cursor<'_>) -> Result<Pattern, SyntaxError> {
    let wrong = cursor.error(PATTERN);
    Pattern::decode(&cursor.mailbox()?).ok_or(wrong)
}

fn parse_pattern(cursor: &mut Cursor<'_>) -> Result<Pattern, SyntaxError> {
    let wrong = cursor.error(PATTERN);
    Pattern::decode(&cursor.list_mailbox()?).ok_or(wrong)
}

/// Parses a list of patterns. Their wildcards are bounded together, as each costs a walk over every name.
fn parse_patterns(cursor: &mut Cursor<'_>) -> Result<Vec<Pattern>, SyntaxError> {
    cursor.expect(b'(', "a list of patterns")?;
    let (mut patterns, mut wildcards) = (Vec::new(), 0);
    loop {
        let wrong = cursor.error("fewer patterns with fewer wildcards");
        let pattern = parse_pattern(cursor)?;
        wildcards += pattern.wildcards();
        patterns.push(pattern);
        if patterns.len() > MAX_PATTERNS || wildcards > MAX_WILDCARDS {
            return Err(wrong);
        }
        if cursor.accept(b')') {
            return Ok(patterns);
        }
        cursor.space()?;
    }
}

/// ```abnf
/// list-select-opts = "(" [(*(list-select-opt SP) list-select-base-opt *(SP list-select-opt)) /
///                    (list-select-independent-opt *(SP list-select-independent-opt))] ")"
/// ```
/// (RFC 5258 §6.) RECURSIVEMATCH needs an option that it can widen (§3.1), which REMOTE is not. An unknown option is
/// answered with BAD.
fn parse_select(cursor: &mut Cursor<'_>) -> Result<Vec<Select>, SyntaxError> {
    let start = cursor.position();
    let select = parse_options(cursor, |name, at, _| match name {
        b"SUBSCRIBED" => Ok(Select::Subscribed),
        b"REMOTE" => Ok(Select::Remote),
        b"RECURSIVEMATCH" => Ok(Select::RecursiveMatch),
        b"SPECIAL-USE" => Ok(Select::SpecialUse),
        _ => Err(SyntaxError { at, expected: "a selection option" }),
    })?;
    let is_base = |option: &Select| matches!(option, Select::Subscribed | Select::SpecialUse);
    if select.contains(&Select::RecursiveMatch) && !select.iter().any(is_base) {
        return Err(SyntaxError { at: start, expected: "SUBSCRIBED or SPECIAL-USE with RECURSIVEMATCH" });
    }
    Ok(select)
}

/// ```abnf
/// list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
/// return-option    =  "SUBSCRIBED" / "CHILDREN" / status-option / option-extension
/// status-option    = "STATUS" SP "(" status-att *(SP status-att) ")"
/// ```
/// (RFC 5258 §6, RFC 5819 §4)
fn parse_returns(cursor: &mut Cursor<'_>) -> Result<Vec<Return>, SyntaxError> {
    if !cursor.accept_ignoring_case(b"RETURN ") {
        return Err(cursor.error("RETURN and its options"));
    }
    parse_options(cursor, |name, at, cursor| match name {
        b"SUBSCRIBED" => Ok(Return::Subscribed),
        b"CHILDREN" => Ok(Return::Children),
        b"SPECIAL-USE" => Ok(Return::SpecialUse),
        b"STATUS" => {
            cursor.space()?;
            Ok(Return::Status(status::parse_items(cursor)?))
        }
        _ => Err(SyntaxError { at, expected: "a return option" }),
    })
}

/// `"(" [option *(SP option)] ")"`. An option that is given twice counts once (RFC 5258 §3).
fn parse_options<T: PartialEq>(
    cursor: &mut Cursor<'_>,
    option: impl Fn(&[u8], usize, &mut Cursor<'_>) -> Result<T, SyntaxError>,
) -> Result<Vec<T>, SyntaxError> {
    cursor.expect(b'(', "a list of options")?;
    let mut options = Vec::new();
    if cursor.accept(b')') {
        return Ok(options);
    }
    loop {
        let at = cursor.position();
        let name = cursor.take_while(is_atom_char).to_ascii_uppercase();
        let read = option(&name, at, cursor)?;
        if !options.contains(&read) {
            options.push(read);
        }
        if cursor.accept(b')') {
            return Ok(options);
        }
        cursor.space()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<List, SyntaxError> {
        match parse_list(&mut Cursor::new(text.as_bytes()))? {
            Request::List(list) => Ok(list),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_come_before_and_after_the_names() {
        let read =
            list(" (recursivematch SUBSCRIBED) \"\" (INBOX \"Work%\") return (STATUS (MESSAGES) children)")
                .unwrap();
        assert_eq!(read.form, Form::Extended);
        assert_eq!(read.select, [Select::RecursiveMatch, Select::Subscribed]);
        assert_eq!(read.patterns.iter().map(Pattern::as_str).collect::<Vec<_>>(), ["INBOX", "Work%"]);
        assert_eq!(read.returns, [Return::Status(vec![StatusItem::Messages]), Return::Children]);
    }

    /// RFC 5258 §3: each of the three makes the command an extended one, even without options in it.
    #[test]
    fn the_form_is_basic_without_options_and_with_one_pattern() {
        assert_eq!(list(" \"\" %").unwrap().form, Form::Basic);
        for extended in [" () \"\" %", " \"\" (%)", " \"\" % RETURN ()"] {
            assert_eq!(list(extended).unwrap().form, Form::Extended, "{extended}");
        }
    }

    #[test]
    fn an_option_counts_once() {
        assert_eq!(list(" (remote REMOTE) \"\" %").unwrap().select, [Select::Remote]);
    }

    #[test]
    fn unknown_options_are_refused_at_their_position() {
        for (text, at) in [
            (" (odd) \"\" %", 2),
            (" (recursivematch) \"\" %", 1),
            (" (recursivematch remote) \"\" %", 1),
            (" \"\" % RETURN (odd)", 14),
            (" \"\" % odd", 6),
            (" \"\" % RETURN (STATUS ())", 22),
            (" \"\" ()", 5),
            (" (subscribed", 12),
        ] {
            assert_eq!(list(text).unwrap_err().at, at, "{text}");
        }
    }

    #[test]
    fn the_wildcards_of_all_patterns_are_bounded_together() {
        assert!(list(&format!(" \"\" ({}%)", "% ".repeat(MAX_WILDCARDS - 1))).is_ok());
        assert!(list(&format!(" \"\" ({}%)", "% ".repeat(MAX_WILDCARDS))).is_err());
        assert!(list(&format!(" \"\" ({}a)", "a ".repeat(MAX_PATTERNS))).is_err());
    }
}
