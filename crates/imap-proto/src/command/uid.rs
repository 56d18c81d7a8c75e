//! UID: the prefix of commands that name messages by UID (RFC 3501 §6.4.8).

use super::{Naming, Request, copy, fetch, r#move, search, store};
use crate::SequenceSet;
use crate::cursor::{Cursor, SyntaxError};

/// ```abnf
/// uid         = "UID" SP (copy / fetch / search / store / move / uid-expunge)
/// uid-expunge = "EXPUNGE" SP sequence-set
/// ```
/// (RFC 3501 §9, RFC 4315 §4, RFC 6851 §5)
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let wrong = cursor.error("a command that may follow UID");
    match cursor.word(wrong.expected)?.as_slice() {
        b"COPY" => copy::parse(cursor, Naming::Uid),
        b"FETCH" => fetch::parse(cursor, Naming::Uid),
        b"SEARCH" => search::parse(cursor, Naming::Uid),
        b"STORE" => store::parse(cursor, Naming::Uid),
        b"MOVE" => r#move::parse(cursor, Naming::Uid),
        b"EXPUNGE" => {
            cursor.space()?;
            SequenceSet::parse(cursor).map(Request::UidExpunge)
        }
        _ => Err(wrong),
    }
}
