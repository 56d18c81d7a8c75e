//! The commands, one file for each, and the table of their parsers.
//!
//! All of RFC 3501; IDLE (RFC 2177), NAMESPACE (RFC 2342), ID (RFC 2971), UNSELECT (RFC 3691), UIDPLUS (RFC 4315),
//! SASL-IR (RFC 4959), ENABLE (RFC 5161), LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), SPECIAL-USE and
//! CREATE-SPECIAL-USE (RFC 6154), MOVE (RFC 6851), LITERAL+ (RFC 7888), QUOTA (RFC 9208).
//!
//! [`parse`] accepts a whole command with its literals. Only APPEND is seen earlier: its message is announced to the
//! server before it is read (see [`append`]).

pub mod append;
pub mod authenticate;
mod copy;
pub mod create;
mod delete;
mod enable;
pub mod fetch;
mod getquota;
mod getquotaroot;
pub(crate) mod id;
pub mod list;
pub mod login;
mod r#move;
mod rename;
pub mod search;
mod select;
pub mod status;
pub mod store;
mod subscribe;
mod uid;

use crate::cursor::{Cursor, SyntaxError};
use crate::sequence::SequenceSet;
use crate::{MailboxArgument, Tag};

pub use crate::cursor::LiteralHeader;
pub use append::Append;
pub use authenticate::Authenticate;
pub use create::Create;
pub use fetch::{Fetch, FetchItem};
pub use list::{List, Lsub};
pub use login::Login;
pub use search::Search;
pub use status::Status;
pub use store::Store;

/// A whole command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The client's tag.
    pub tag: Tag,
    /// The request.
    pub request: Request,
}

/// The request of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// CAPABILITY (RFC 3501 §6.1.1)
    Capability,
    /// NOOP (RFC 3501 §6.1.2)
    Noop,
    /// LOGOUT (RFC 3501 §6.1.3)
    Logout,
    /// STARTTLS (RFC 3501 §6.2.1)
    StartTls,
    /// AUTHENTICATE (RFC 3501 §6.2.2)
    Authenticate(Authenticate),
    /// LOGIN (RFC 3501 §6.2.3)
    Login(Login),
    /// ENABLE, with the names in upper case (RFC 5161 §3.1)
    Enable(Vec<String>),
    /// ID; the client's parameters are parsed and dropped (RFC 2971 §3.1)
    Id,
    /// NAMESPACE (RFC 2342 §5)
    Namespace,
    /// SELECT (RFC 3501 §6.3.1)
    Select(MailboxArgument),
    /// EXAMINE (RFC 3501 §6.3.2)
    Examine(MailboxArgument),
    /// CREATE (RFC 3501 §6.3.3)
    Create(Create),
    /// DELETE (RFC 3501 §6.3.4)
    Delete(MailboxArgument),
    /// RENAME (RFC 3501 §6.3.5)
    Rename {
        /// The current name of the mailbox.
        from: MailboxArgument,
        /// The new name.
        to: MailboxArgument,
    },
    /// SUBSCRIBE (RFC 3501 §6.3.6)
    Subscribe(MailboxArgument),
    /// UNSUBSCRIBE (RFC 3501 §6.3.7)
    Unsubscribe(MailboxArgument),
    /// LIST (RFC 3501 §6.3.8, RFC 5258 §3)
    List(List),
    /// LSUB (RFC 3501 §6.3.9)
    Lsub(Lsub),
    /// STATUS (RFC 3501 §6.3.10)
    Status(Status),
    /// GETQUOTA, with the root's name (RFC 9208 §4.1.1)
    GetQuota(Vec<u8>),
    /// GETQUOTAROOT (RFC 9208 §4.1.2)
    GetQuotaRoot(MailboxArgument),
    /// IDLE (RFC 2177 §3)
    Idle,
    /// CHECK (RFC 3501 §6.4.1)
    Check,
    /// CLOSE (RFC 3501 §6.4.2)
    Close,
    /// UNSELECT (RFC 3691 §2)
    Unselect,
    /// EXPUNGE (RFC 3501 §6.4.3)
    Expunge,
    /// UID EXPUNGE (RFC 4315 §2.1)
    UidExpunge(SequenceSet),
    /// SEARCH and UID SEARCH (RFC 3501 §6.4.4)
    Search(Search),
    /// FETCH and UID FETCH (RFC 3501 §6.4.5)
    Fetch(Fetch),
    /// STORE and UID STORE (RFC 3501 §6.4.6)
    Store(Store),
    /// COPY and UID COPY (RFC 3501 §6.4.7)
    Copy(Transfer),
    /// MOVE and UID MOVE (RFC 6851 §3.1)
    Move(Transfer),
}

/// The kind of numbers by which a command and its responses name messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By sequence number.
    Number,
    /// By UID: the command was prefixed with UID (RFC 3501 §6.4.8).
    Uid,
}

/// The messages that a command names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// The kind of numbers in the set.
    pub naming: Naming,
    /// The numbers.
    pub set: SequenceSet,
}

impl Messages {
    /// `sequence-set`
    fn parse(cursor: &mut Cursor<'_>, naming: Naming) -> Result<Messages, SyntaxError> {
        Ok(Messages { naming, set: SequenceSet::parse(cursor)? })
    }
}

/// Messages to be copied or moved to another mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The messages.
    pub messages: Messages,
    /// The target mailbox.
    pub mailbox: MailboxArgument,
}

impl Transfer {
    /// `SP sequence-set SP mailbox`, the arguments of COPY and MOVE.
    fn parse(cursor: &mut Cursor<'_>, naming: Naming) -> Result<Transfer, SyntaxError> {
        cursor.space()?;
        let messages = Messages::parse(cursor, naming)?;
        cursor.space()?;
        Ok(Transfer { messages, mailbox: MailboxArgument::parse(cursor)? })
    }
}

/// A malformed command, with its tag if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The tag for the BAD response; without one, the BAD is untagged.
    pub tag: Option<Tag>,
    /// The fault.
    pub error: CommandError,
}

/// The reason why a command could not be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The command breaks the grammar.
    #[error("{0}")]
    Syntax(#[from] SyntaxError),
    /// The command is longer than any command needs to be.
    #[error("at most {limit} octets are accepted")]
    TooLong {
        /// The limit that was exceeded.
        limit: usize,
    },
}

/// The expected syntax in the error of an unknown command. The server recognises the error by it.
pub const KNOWN_COMMAND: &str = "a known command";

/// Parses a whole command, without the end of its last line.
///
/// `command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF` (RFC 3501 §9)
pub fn parse(octets: &[u8]) -> Result<Command, Malformed> {
    let mut cursor = Cursor::new(octets);
    let tag = Tag::parse(&mut cursor).map_err(|error| Malformed { tag: None, error: error.into() })?;
    match tagged(&mut cursor) {
        Ok(request) => Ok(Command { tag, request }),
        Err(error) => Err(Malformed { tag: Some(tag), error: error.into() }),
    }
}

/// The tag of a command that is incomplete or malformed.
pub(crate) fn tag_of(octets: &[u8]) -> Option<Tag> {
    let mut cursor = Cursor::new(octets);
    Tag::parse(&mut cursor).ok().filter(|_| cursor.peek() == Some(b' '))
}

fn tagged(cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    cursor.space()?;
    let start = cursor.position();
    let verb = cursor.word("a command")?;
    let request = arguments(&verb, start, cursor)?;
    cursor.end()?;
    Ok(request)
}

/// The table from command names to their parsers.
fn arguments(verb: &[u8], start: usize, cursor: &mut Cursor<'_>) -> Result<Request, SyntaxError> {
    Ok(match verb {
        b"CAPABILITY" => Request::Capability,
        b"NOOP" => Request::Noop,
        b"LOGOUT" => Request::Logout,
        b"STARTTLS" => Request::StartTls,
        b"NAMESPACE" => Request::Namespace,
        b"IDLE" => Request::Idle,
        b"CHECK" => Request::Check,
        b"CLOSE" => Request::Close,
        b"UNSELECT" => Request::Unselect,
        b"EXPUNGE" => Request::Expunge,
        b"AUTHENTICATE" => authenticate::parse(cursor)?,
        b"LOGIN" => login::parse(cursor)?,
        b"ENABLE" => enable::parse(cursor)?,
        b"ID" => id::parse(cursor)?,
        b"SELECT" => select::parse_select(cursor)?,
        b"EXAMINE" => select::parse_examine(cursor)?,
        b"CREATE" => create::parse(cursor)?,
        b"DELETE" => delete::parse(cursor)?,
        b"RENAME" => rename::parse(cursor)?,
        b"SUBSCRIBE" => subscribe::parse_subscribe(cursor)?,
        b"UNSUBSCRIBE" => subscribe::parse_unsubscribe(cursor)?,
        b"LIST" => list::parse_list(cursor)?,
        b"LSUB" => list::parse_lsub(cursor)?,
        b"STATUS" => status::parse(cursor)?,
        b"GETQUOTA" => getquota::parse(cursor)?,
        b"GETQUOTAROOT" => getquotaroot::parse(cursor)?,
        b"SEARCH" => search::parse(cursor, Naming::Number)?,
        b"FETCH" => fetch::parse(cursor, Naming::Number)?,
        b"STORE" => store::parse(cursor, Naming::Number)?,
        b"COPY" => copy::parse(cursor, Naming::Number)?,
        b"MOVE" => r#move::parse(cursor, Naming::Number)?,
        b"UID" => uid::parse(cursor)?,
        // The reader hands a whole APPEND over at its message's announcement, so it never arrives here.
        b"APPEND" => return Err(append::without_message(cursor)),
        _ => return Err(SyntaxError { at: start, expected: KNOWN_COMMAND }),
    })
}

#[cfg(test)]
mod tests;
