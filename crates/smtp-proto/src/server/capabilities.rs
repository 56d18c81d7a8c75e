//! The announced capabilities.

use sasl::Mechanism;

use super::state::Authentication;
use super::{Security, Session};
use crate::command::HelloVerb;
use crate::{Dialect, Reply, replies};

/// The reply to a hello: a name after HELO, the keywords too after EHLO and LHLO.
pub(super) fn hello_reply(session: &Session, verb: HelloVerb, client: Authentication) -> Reply {
    match verb {
        HelloVerb::Helo => replies::hello(&session.settings.hostname),
        HelloVerb::Ehlo | HelloVerb::Lhlo => {
            replies::capabilities(&session.settings.hostname, &keywords(session, client))
        }
    }
}

/// True if STARTTLS is possible on this connection.
pub(super) fn offers_starttls(session: &Session) -> bool {
    session.settings.starttls
        && session.security == Security::Clear
        && session.settings.dialect != Dialect::Lmtp
}

/// True if MAIL may have the parameter of RFC 4954 §5: on the submission ports. It belongs to an extension that is
/// offered nowhere else, and a client must not use it there (RFC 5321 §4.1.1.11).
pub(super) fn offers_auth(session: &Session) -> bool {
    session.settings.dialect == Dialect::Submission
}

/// True if a message may come in chunks (RFC 3030). Over LMTP the MTA sends it with DATA.
pub(super) fn offers_chunking(session: &Session) -> bool {
    session.settings.dialect != Dialect::Lmtp
}

/// True if MAIL may demand TLS for the message (RFC 8689 §2): under TLS only, so that the demand itself is
/// protected. Over LMTP the message has arrived.
pub(super) fn offers_requiretls(session: &Session) -> bool {
    session.security == Security::Tls && session.settings.dialect != Dialect::Lmtp
}

/// True if the parameters of RFC 3461 may be used: over LMTP, where the MTA sends its identifier of a message. Other
/// clients would be promised reports that are never composed.
pub(super) fn offers_dsn(session: &Session) -> bool {
    session.settings.dialect == Dialect::Lmtp
}

/// True if MAIL may say that a message belongs in the Junk mailbox: over LMTP, from the MTA. Our own extension.
pub(super) fn offers_verdict(session: &Session) -> bool {
    session.settings.dialect == Dialect::Lmtp
}

/// The keywords of EHLO (RFC 5321 §4.1.1.1). Those of LMTP are required by RFC 2033 §5.
fn keywords(session: &Session, client: Authentication) -> Vec<String> {
    let mut keywords = vec![
        "PIPELINING".to_owned(),
        format!("SIZE {}", session.settings.message_size),
        "8BITMIME".to_owned(),
        "ENHANCEDSTATUSCODES".to_owned(),
        "SMTPUTF8".to_owned(),
    ];
    if offers_chunking(session) {
        keywords.push("CHUNKING".to_owned());
        keywords.push("BINARYMIME".to_owned());
    }
    if session.settings.dialect != Dialect::Lmtp {
        // MAILMAX and RCPTDOMAINMAX are left out: there is no such limit (RFC 9422 §3).
        keywords.push(format!("LIMITS RCPTMAX={}", session.settings.recipients));
    }
    if offers_starttls(session) {
        keywords.push("STARTTLS".to_owned());
    }
    if offers_requiretls(session) {
        keywords.push("REQUIRETLS".to_owned());
    }
    if offers_dsn(session) {
        keywords.push("DSN".to_owned());
    }
    if offers_verdict(session) {
        keywords.push("XVERDICT".to_owned());
    }
    // A password must not be requested where it can be intercepted, nor requested twice (RFC 4954 §4).
    let may_log_in = offers_auth(session)
        && session.security == Security::Tls
        && client == Authentication::NotAuthenticated;
    if may_log_in {
        keywords.push(format!("AUTH {}", Mechanism::ALL.map(Mechanism::name).join(" ")));
    }
    keywords
}
