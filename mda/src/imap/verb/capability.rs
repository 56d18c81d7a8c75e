//! CAPABILITY: what the server can do (RFC 3501 §6.1.1), which depends on how far the client has come.

use crate::imap::wire::Privacy;

/// Whether somebody has logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imap) enum Standing {
    /// Not yet.
    Guest,
    /// Yes.
    Member,
}

/// What counts from the first command on.
const ALWAYS: [&str; 4] = ["IMAP4rev1", "LITERAL+", "ID", "ENABLE"];
/// What a login opens.
const MEMBERS: [&str; 9] = [
    "IDLE",
    "NAMESPACE",
    "CHILDREN",
    "UNSELECT",
    "UIDPLUS",
    "MOVE",
    "SPECIAL-USE",
    "QUOTA",
    "QUOTA=RES-STORAGE",
];

/// The names, as CAPABILITY and the code of the same name tell them.
///
/// Without TLS there is no way to log in, so none is offered (RFC 3501 §6.2.3, RFC 8314 §3).
pub(in crate::imap) fn names(privacy: Privacy, standing: Standing) -> Vec<&'static str> {
    let more: &[&str] = match (standing, privacy) {
        (Standing::Member, _) => &MEMBERS,
        (Standing::Guest, Privacy::Encrypted) => &["SASL-IR", "AUTH=PLAIN"],
        (Standing::Guest, Privacy::Clear) => &["STARTTLS", "LOGINDISABLED"],
    };
    ALWAYS.iter().chain(more).copied().collect()
}
