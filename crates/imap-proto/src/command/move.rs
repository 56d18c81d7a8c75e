//! MOVE: moves messages to another mailbox (RFC 6851).

use super::{Naming, Request, Transfer};
use crate::cursor::{Cursor, SyntaxError};

/// `move = "MOVE" SP sequence-set SP mailbox` (RFC 6851 §5)
pub(super) fn parse(cursor: &mut Cursor<'_>, naming: Naming) -> Result<Request, SyntaxError> {
    Transfer::parse(cursor, naming).map(Request::Move)
}
