//! STORE: changes flags of messages (RFC 3501 §6.4.6).

use super::{Messages, Naming, Request};
use crate::Flag;
use crate::cursor::{Cursor, SyntaxError};
use crate::flag::RecentPolicy;

/// A change of flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The messages.
    pub messages: Messages,
    /// The operation on the flags.
    pub action: StoreAction,
    /// The kind of response that the client wants.
    pub response: StoreResponse,
    /// The flags.
    pub flags: Vec<Flag>,
}

/// The operation of STORE on the flags it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAction {
    /// `FLAGS`: replaces all flags of a message by these.
    Replace,
    /// `+FLAGS`
    Add,
    /// `-FLAGS`
    Remove,
}

/// The untagged response to STORE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreResponse {
    /// FETCH responses with the new flags.
    Flags,
    /// `.SILENT`: FETCH responses only where the flags differ from what the client expects.
    Silent,
}

/// ```abnf
/// store           = "STORE" SP sequence-set SP store-att-flags
/// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
/// ```
/// (RFC 3501 §9)
pub(super) fn parse(cursor: &mut Cursor<'_>, naming: Naming) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let messages = Messages::parse(cursor, naming)?;
    cursor.space()?;
    let action = if cursor.accept(b'+') {
        StoreAction::Add
    } else if cursor.accept(b'-') {
        StoreAction::Remove
    } else {
        StoreAction::Replace
    };
    if !cursor.accept_ignoring_case(b"FLAGS") {
        return Err(cursor.error("FLAGS"));
    }
    let silent = cursor.accept_ignoring_case(b".SILENT");
    let response = if silent { StoreResponse::Silent } else { StoreResponse::Flags };
    cursor.space()?;
    let flags = if cursor.peek() == Some(b'(') {
        Flag::parse_list(cursor, RecentPolicy::Refused)?
    } else {
        Flag::parse_sequence(cursor, RecentPolicy::Refused)?
    };
    Ok(Request::Store(Store { messages, action, response, flags }))
}
