//! CREATE: creates a mailbox (RFC 3501 §6.3.3), optionally with a special use (RFC 6154 §3).

use super::Request;
use crate::cursor::{Cursor, SyntaxError, is_atom_char};
use crate::{MailboxArgument, SpecialUse};

/// The mailbox to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Create {
    /// Its name.
    pub mailbox: MailboxArgument,
    /// Its special uses.
    pub uses: Vec<SpecialUse>,
}

/// ```abnf
/// create       = "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"]
/// create-param = "USE" SP "(" [use-attr *(SP use-attr)] ")"
/// ```
/// (RFC 3501 §9, RFC 4466 §6, RFC 6154 §6)
pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let mailbox = MailboxArgument::parse(cursor)?;
    let mut uses = Vec::new();
    if cursor.accept(b' ') {
        cursor.expect(b'(', "parameters in parentheses")?;
        if !cursor.accept_ignoring_case(b"USE (") {
            return Err(cursor.error("USE and its list"));
        }
        while !cursor.accept(b')') {
            if !uses.is_empty() {
                cursor.space()?;
            }
            uses.push(parse_use(cursor)?);
        }
        cursor.expect(b')', "the end of the parameters")?;
    }
    Ok(Request::Create(Create { mailbox, uses }))
}

/// `use-attr = "\All" / "\Archive" / "\Drafts" / ...` (RFC 6154 §6)
fn parse_use(cursor: &mut Cursor<'_>) -> Result<SpecialUse, SyntaxError> {
    let at = cursor.position();
    let name = cursor.take_while(|octet| octet == b'\\' || is_atom_char(octet));
    SpecialUse::named(name).ok_or(SyntaxError { at, expected: "a known special use" })
}
