//! Response codes: the machine-readable part of a status response.

use super::string::{formatted, spaced};
use crate::{Flag, SequenceSet, Uid, UidValidity};

/// A response code, in brackets before the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// The mailbox exists already (RFC 5530 §3).
    AlreadyExists,
    /// The UID of the message stored by APPEND (RFC 4315 §3).
    AppendUid(UidValidity, Uid),
    /// Wrong name or password (RFC 5530 §3).
    AuthenticationFailed,
    /// The charset of a search is not one of these (RFC 3501 §7.1).
    BadCharset(&'static [&'static str]),
    /// The operation can never succeed, for any user (RFC 5530 §3).
    Cannot,
    /// The capabilities of the server, sent unasked (RFC 3501 §7.1).
    Capability(Vec<&'static str>),
    /// The UIDs of the copied messages and of their copies, in the same order (RFC 4315 §3).
    CopyUid(UidValidity, SequenceSet, SequenceSet),
    /// Some of the messages are gone (RFC 5530 §3).
    ExpungeIssued,
    /// The mailbox cannot be removed before its children (RFC 5530 §3).
    HasChildren,
    /// A resource is in use; a later attempt may succeed (RFC 5530 §3).
    InUse,
    /// A limit of the server was reached (RFC 5530 §3).
    Limit,
    /// The mailbox does not exist (RFC 5530 §3).
    NonExistent,
    /// The quota is exceeded (RFC 5530 §3).
    OverQuota,
    /// Flags that can be changed permanently; `\*` means that new keywords can be created (RFC 3501 §7.1).
    PermanentFlags {
        /// The flags.
        flags: Vec<Flag>,
        /// The permission to create keywords.
        new_keywords: NewKeywords,
    },
    /// The connection must use TLS, but does not (RFC 5530 §3).
    PrivacyRequired,
    /// The mailbox is read-only (RFC 3501 §7.1).
    ReadOnly,
    /// The mailbox is read-write (RFC 3501 §7.1).
    ReadWrite,
    /// The server has an internal error (RFC 5530 §3).
    ServerBug,
    /// The message is too large (RFC 7889 §4).
    TooBig,
    /// The mailbox does not exist, but CREATE may help (RFC 3501 §7.1).
    TryCreate,
    /// The next UID (RFC 3501 §7.1).
    UidNext(Uid),
    /// The validity of the UIDs (RFC 3501 §7.1).
    UidValidity(UidValidity),
    /// A resource of the server is temporarily unavailable (RFC 5530 §3).
    Unavailable,
    /// The first unseen message (RFC 3501 §7.1).
    Unseen(crate::SequenceNumber),
    /// A mailbox cannot be created for this special use (RFC 6154 §3).
    UseAttr,
}

/// The permission of a client to create keywords in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewKeywords {
    /// Keywords can be created.
    Allowed,
    /// Keywords cannot be created.
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
            Code::AppendUid(validity, uid) => formatted(out, format_args!("APPENDUID {validity} {uid}")),
            Code::CopyUid(validity, from, to) => {
                formatted(out, format_args!("COPYUID {validity} {from} {to}"))
            }
            Code::UidNext(uid) => formatted(out, format_args!("UIDNEXT {uid}")),
            Code::UidValidity(validity) => formatted(out, format_args!("UIDVALIDITY {validity}")),
            Code::Unseen(number) => formatted(out, format_args!("UNSEEN {number}")),
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

    /// The name of a code, which is the whole code for those without arguments.
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
