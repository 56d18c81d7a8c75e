//! Response codes: what a client's program reads where a person reads the text.

use super::string::{spaced, text};
use crate::{Flag, SequenceSet, Uid, UidValidity};

/// A response code, in brackets before the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// There is such a mailbox already (RFC 5530 §3).
    AlreadyExists,
    /// Where APPEND put its message (RFC 4315 §3).
    AppendUid(UidValidity, Uid),
    /// Name or password is wrong (RFC 5530 §3).
    AuthenticationFailed,
    /// The charset of a search is none of these (RFC 3501 §7.1).
    BadCharset(&'static [&'static str]),
    /// It can never be done, whoever asks (RFC 5530 §3).
    Cannot,
    /// What the server can do, given without being asked (RFC 3501 §7.1).
    Capability(Vec<&'static str>),
    /// Which message became which, one by one (RFC 4315 §3).
    CopyUid(UidValidity, SequenceSet, SequenceSet),
    /// Some of the messages are gone (RFC 5530 §3).
    ExpungeIssued,
    /// The mailbox cannot be removed before those below it (RFC 5530 §3).
    HasChildren,
    /// Something is in use, and a later try may do (RFC 5530 §3).
    InUse,
    /// A limit of the server was met (RFC 5530 §3).
    Limit,
    /// There is no such mailbox (RFC 5530 §3).
    NonExistent,
    /// There is no room (RFC 5530 §3).
    OverQuota,
    /// Flags that may be changed for good; `\*` says that new keywords may be made (RFC 3501 §7.1).
    PermanentFlags {
        /// The flags.
        flags: Vec<Flag>,
        /// Whether new keywords may be made.
        new_keywords: NewKeywords,
    },
    /// The connection has no TLS and must have (RFC 5530 §3).
    PrivacyRequired,
    /// The mailbox can only be looked at (RFC 3501 §7.1).
    ReadOnly,
    /// The mailbox can be changed (RFC 3501 §7.1).
    ReadWrite,
    /// The server has failed in itself (RFC 5530 §3).
    ServerBug,
    /// The message is too large (RFC 7889 §4).
    TooBig,
    /// There is no such mailbox, and CREATE would help (RFC 3501 §7.1).
    TryCreate,
    /// The UID that comes next (RFC 3501 §7.1).
    UidNext(Uid),
    /// Under which the UIDs are good (RFC 3501 §7.1).
    UidValidity(UidValidity),
    /// Something the server needs does not work now (RFC 5530 §3).
    Unavailable,
    /// The first message not seen (RFC 3501 §7.1).
    Unseen(crate::SequenceNumber),
    /// A mailbox cannot be made for that use (RFC 6154 §3).
    UseAttr,
}

/// Whether a client may make keywords in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewKeywords {
    /// It may.
    Allowed,
    /// It may not.
    Refused,
}

impl Code {
    /// `"[" resp-text-code "]" SP` (RFC 3501 §9)
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        self.write_content(out);
        out.extend_from_slice(b"] ");
    }

    fn write_content(&self, out: &mut Vec<u8>) {
        match self {
            Code::AppendUid(validity, uid) => text(out, format_args!("APPENDUID {validity} {uid}")),
            Code::CopyUid(validity, from, to) => text(out, format_args!("COPYUID {validity} {from} {to}")),
            Code::UidNext(uid) => text(out, format_args!("UIDNEXT {uid}")),
            Code::UidValidity(validity) => text(out, format_args!("UIDVALIDITY {validity}")),
            Code::Unseen(number) => text(out, format_args!("UNSEEN {number}")),
            Code::BadCharset(known) => {
                out.extend_from_slice(b"BADCHARSET (");
                spaced(out, *known, |out, name| out.extend_from_slice(name.as_bytes()));
                out.push(b')');
            }
            Code::Capability(names) => {
                out.extend_from_slice(b"CAPABILITY ");
                spaced(out, names, |out, name| out.extend_from_slice(name.as_bytes()));
            }
            Code::PermanentFlags { flags, new_keywords } => {
                out.extend_from_slice(b"PERMANENTFLAGS (");
                let any = (*new_keywords == NewKeywords::Allowed).then_some("\\*");
                let names = flags.iter().map(Flag::as_str).chain(any);
                spaced(out, names, |out, name| out.extend_from_slice(name.as_bytes()));
                out.push(b')');
            }
            plain => out.extend_from_slice(plain.name().as_bytes()),
        }
    }

    /// The name of a code, which is all of it for those without arguments.
    fn name(&self) -> &'static str {
        match self {
            Code::AlreadyExists => "ALREADYEXISTS",
            Code::AppendUid(..) => "APPENDUID",
            Code::AuthenticationFailed => "AUTHENTICATIONFAILED",
            Code::BadCharset(_) => "BADCHARSET",
            Code::Cannot => "CANNOT",
            Code::Capability(_) => "CAPABILITY",
            Code::CopyUid(..) => "COPYUID",
            Code::ExpungeIssued => "EXPUNGEISSUED",
            Code::HasChildren => "HASCHILDREN",
            Code::InUse => "INUSE",
            Code::Limit => "LIMIT",
            Code::NonExistent => "NONEXISTENT",
            Code::OverQuota => "OVERQUOTA",
            Code::PermanentFlags { .. } => "PERMANENTFLAGS",
            Code::PrivacyRequired => "PRIVACYREQUIRED",
            Code::ReadOnly => "READ-ONLY",
            Code::ReadWrite => "READ-WRITE",
            Code::ServerBug => "SERVERBUG",
            Code::TooBig => "TOOBIG",
            Code::TryCreate => "TRYCREATE",
            Code::UidNext(_) => "UIDNEXT",
            Code::UidValidity(_) => "UIDVALIDITY",
            Code::Unavailable => "UNAVAILABLE",
            Code::Unseen(_) => "UNSEEN",
            Code::UseAttr => "USEATTR",
        }
    }
}
