//! What is costly to find out about messages, remembered in one SQLite file a user.
//!
//! A cache only: deleting it while running changes no answer, and a file that is damaged is made anew.

/// What never changes about a message and takes reading it to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The size with CRLF at the end of each line (RFC822.SIZE).
    pub size: u64,
    /// INTERNALDATE, in seconds since 1970.
    pub received: i64,
    /// Structure and envelope, in the form in which whoever remembers them writes them.
    pub structure: Vec<u8>,
}
