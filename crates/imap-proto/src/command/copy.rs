//! COPY: copies messages to another mailbox (RFC 3501 §6.4.7).

use super::{Naming, Request, Transfer};
use crate::cursor::{Cursor, SyntaxError};

/// `copy = "COPY" SP sequence-set SP mailbox` (RFC 3501 §9)
pub(super) fn parse(cursor: &mut Cursor<'_>, naming: Naming) -> Result<Request, SyntaxError> {
    Transfer::parse(cursor, naming).map(Request::Copy)
}
