//! Every reply of Mailstead, by name.
//!
//! A peer's administrator reads these: each names the problem in words that help, and none reveals more about this
//! server than that. The codes follow RFC 5321 §4.2.3, the statuses RFC 3463 and RFC 4954 §6.

use address::{Address, Domain};

use crate::{Dialect, Reply, Status};

const fn reply(code: u16, status: Status, text: &'static str) -> Reply {
    Reply::fixed(code, status, text)
}

// Success.
pub(crate) const READY_FOR_TLS: Reply = reply(220, Status::OTHER, "Ready to start TLS");
pub(crate) const CLOSING: Reply = reply(221, Status::OTHER, "Bye");
pub(crate) const AUTHENTICATED: Reply = reply(235, Status::OTHER_SECURITY, "Authentication succeeded");
pub(crate) const OK: Reply = reply(250, Status::OTHER, "OK");
pub(crate) const SENDER_OK: Reply = reply(250, Status::VALID_SENDER, "Sender OK");
pub(crate) const RECIPIENT_OK: Reply = reply(250, Status::VALID_MAILBOX, "Recipient OK");
/// The server is responsible for the message from now on.
pub const MESSAGE_ACCEPTED: Reply = reply(250, Status::OTHER, "Message accepted");
/// LMTP: the message is in this recipient's mailbox.
pub const DELIVERED: Reply = reply(250, Status::VALID_MAILBOX, "Delivered");
pub(crate) const CANNOT_VERIFY: Reply =
    reply(252, Status::OTHER, "Cannot VRFY user, but will accept message and attempt delivery");
pub(crate) const HELP: Reply =
    reply(214, Status::OTHER, "See RFC 5321. For help with this server, write to its postmaster");
pub(crate) const START_MESSAGE: Reply = Reply::bare(354, "End data with <CR><LF>.<CR><LF>");

// Refusals by the session itself.
pub(crate) const UNKNOWN_COMMAND: Reply = reply(500, Status::INVALID_COMMAND, "Command not recognised");
pub(crate) const LINE_TOO_LONG: Reply = reply(500, Status::LINE_TOO_LONG, "Line too long");
pub(crate) const MALFORMED_LINE: Reply =
    reply(500, Status::SYNTAX_ERROR, "Malformed command line: contains NUL, bare CR or bare LF");
pub(crate) const BAD_ARGUMENTS: Reply = reply(501, Status::INVALID_ARGUMENTS, "Syntax error in arguments");
pub(crate) const NO_ARGUMENTS: Reply = reply(501, Status::INVALID_ARGUMENTS, "No arguments allowed");
pub(crate) const BAD_HELLO_NAME: Reply = reply(
    501,
    Status::INVALID_ARGUMENTS,
    "Invalid host name: use a domain name or an address literal such as [192.0.2.1]",
);
pub(crate) const BAD_SENDER: Reply = reply(501, Status::BAD_SENDER_SYNTAX, "Bad sender address syntax");
pub(crate) const BAD_RECIPIENT: Reply =
    reply(501, Status::BAD_MAILBOX_SYNTAX, "Bad recipient address syntax");
pub(crate) const NON_ASCII_SENDER: Reply = reply(
    550,
    Status::NON_ASCII_ADDRESS,
    "Sender address is not ASCII: declare SMTPUTF8 in the MAIL command",
);
pub(crate) const NON_ASCII_RECIPIENT: Reply = reply(
    553,
    Status::NON_ASCII_ADDRESS,
    "Recipient address is not ASCII: declare SMTPUTF8 in the MAIL command",
);
pub(crate) const NOT_IMPLEMENTED: Reply =
    reply(502, Status::INVALID_COMMAND, "Command not implemented on this port");
pub(crate) const AUTH_NOT_OFFERED: Reply = reply(
    502,
    Status::INVALID_COMMAND,
    "Authentication is not available on this port: send mail on port 465 or 587",
);
pub(crate) const HELLO_FIRST: Reply = reply(503, Status::INVALID_COMMAND, "Send EHLO or HELO first");
pub(crate) const LHLO_FIRST: Reply = reply(503, Status::INVALID_COMMAND, "Send LHLO first");
pub(crate) const NESTED_MAIL: Reply =
    reply(503, Status::INVALID_COMMAND, "Nested MAIL command: sender already specified");
pub(crate) const MAIL_FIRST: Reply = reply(503, Status::INVALID_COMMAND, "Need MAIL first");
pub(crate) const RCPT_FIRST: Reply = reply(503, Status::INVALID_COMMAND, "Need RCPT first");
pub(crate) const NO_VALID_RECIPIENTS: Reply = reply(554, Status::INVALID_COMMAND, "No valid recipients");
pub(crate) const TLS_ALREADY_ACTIVE: Reply = reply(503, Status::INVALID_COMMAND, "TLS is already active");
pub(crate) const NOT_IN_TRANSACTION: Reply =
    reply(503, Status::INVALID_COMMAND, "Command not permitted during a mail transaction");
pub(crate) const MESSAGE_HAS_BEGUN: Reply =
    reply(503, Status::INVALID_COMMAND, "The message has begun with BDAT: send BDAT or RSET");
pub(crate) const BINARY_NEEDS_BDAT: Reply =
    reply(503, Status::INVALID_COMMAND, "A message with BODY=BINARYMIME comes in chunks: send BDAT");
pub(crate) const BAD_CHUNK_SIZE: Reply = reply(
    501,
    Status::INVALID_ARGUMENTS,
    "Malformed chunk size: send BDAT with a number of octets and, for the last chunk, LAST, closing connection",
);
pub(crate) const UNKNOWN_PARAMETER: Reply =
    reply(555, Status::INVALID_ARGUMENTS, "Parameter not recognised or not implemented");
pub(crate) const TLS_FIRST: Reply = reply(530, Status::OTHER_SECURITY, "Must issue a STARTTLS command first");
pub(crate) const LOGIN_FIRST: Reply = reply(
    530,
    Status::OTHER_SECURITY,
    "Authentication required: set a user name and a password for outgoing mail",
);
pub(crate) const TLS_UNAVAILABLE: Reply =
    reply(454, Status::OTHER_SECURITY, "TLS not available due to a temporary reason");
pub(crate) const TOO_MANY_ERRORS: Reply = reply(421, Status::OTHER_SECURITY, "Too many errors");
/// No more recipients for one message (RFC 5321 §4.5.3.1.10).
pub const TOO_MANY_RECIPIENTS: Reply = reply(452, Status::TOO_MANY_RECIPIENTS, "Too many recipients");

// Login (RFC 4954 §4, §6).
pub(crate) const ALREADY_AUTHENTICATED: Reply = reply(503, Status::INVALID_COMMAND, "Already authenticated");
pub(crate) const ENCRYPTION_REQUIRED: Reply = reply(
    538,
    Status::ENCRYPTION_REQUIRED,
    "Encryption required for authentication: turn on TLS for outgoing mail",
);
pub(crate) const UNKNOWN_MECHANISM: Reply =
    reply(504, Status::INVALID_ARGUMENTS, "Authentication mechanism not supported");
pub(crate) const AUTH_CANCELLED: Reply = reply(501, Status::OTHER_SECURITY, "Authentication cancelled");
pub(crate) const BAD_AUTH_RESPONSE: Reply =
    reply(501, Status::SYNTAX_ERROR, "Cannot decode the authentication response");
pub(crate) const TOO_MANY_LOGINS: Reply =
    reply(421, Status::OTHER_SECURITY, "Too many failed authentications");
/// The name or the password is wrong.
pub const BAD_CREDENTIALS: Reply = reply(535, Status::BAD_CREDENTIALS, "Authentication credentials invalid");
/// The login cannot be checked at the moment.
pub const LOGIN_UNAVAILABLE: Reply = reply(454, Status::OTHER_SECURITY, "Temporary authentication failure");
/// The login is refused unchecked, after too many failures from there (RFC 4954 §6).
pub const LOGIN_THROTTLED: Reply =
    reply(454, Status::OTHER_SECURITY, "Too many failed logins, try again later");

// Refusals of a message at its end.
/// The message is larger than the limit (RFC 1870 §6).
pub const MESSAGE_TOO_BIG: Reply = reply(
    552,
    Status::MESSAGE_TOO_BIG,
    "Message size exceeds the limit of this server: send smaller attachments",
);
/// The header section is longer than any honest one.
pub const HEADER_TOO_BIG: Reply =
    reply(552, Status::MESSAGE_TOO_BIG, "Message header size exceeds the limit of this server");
pub(crate) const BODY_HAS_NUL: Reply = reply(554, Status::INVALID_OCTETS, "Message contains a NUL octet");
pub(crate) const BODY_HAS_BARE_CR: Reply = reply(
    554,
    Status::INVALID_OCTETS,
    "Message contains a bare CR: lines must end in CRLF, closing connection",
);
pub(crate) const BODY_HAS_BARE_LF: Reply = reply(
    554,
    Status::INVALID_OCTETS,
    "Message contains a bare LF: lines must end in CRLF, closing connection",
);

pub(crate) const CHUNK_HAS_BARE_CR: Reply =
    reply(554, Status::INVALID_OCTETS, "Message contains a bare CR: lines must end in CRLF");
pub(crate) const CHUNK_HAS_BARE_LF: Reply =
    reply(554, Status::INVALID_OCTETS, "Message contains a bare LF: lines must end in CRLF");

// Refusals by the directory and the policy.
/// Unknown mailbox.
pub const UNKNOWN_RECIPIENT: Reply =
    reply(550, Status::BAD_MAILBOX, "No such user here: check the recipient's address");
/// A remote recipient from a client that has not authenticated.
pub const RELAY_REFUSED: Reply = reply(
    550,
    Status::NOT_AUTHORIZED,
    "Relay access denied: log in on the submission port to send to other domains",
);
/// A remote recipient of a message that demands TLS (RFC 8689 §4.2.1), without a verified host to send it to.
pub const REQUIRETLS_REFUSED: Reply = reply(
    550,
    Status::REQUIRETLS_REQUIRED,
    "REQUIRETLS support required: the hosts of that domain cannot be verified from here, send without REQUIRETLS",
);
/// The sender address does not belong to the login.
pub const SENDER_NOT_OWNED: Reply = reply(
    553,
    Status::NOT_AUTHORIZED,
    "Sender address rejected: not owned by your login, send from an address of your own",
);
/// The message has passed through too many hosts (RFC 5321 §6.3).
pub const ROUTING_LOOP: Reply =
    reply(554, Status::ROUTING_LOOP, "Mail loop detected: too many Received fields");
/// The mailbox is full: a temporary refusal.
pub const MAILBOX_FULL: Reply = reply(452, Status::MAILBOX_FULL, "Mailbox full, try again later");
/// The mailbox is full: a permanent refusal.
pub const MAILBOX_FULL_PERMANENT: Reply = reply(552, Status::MAILBOX_FULL, "Mailbox full");
/// The mail store refuses the message, for a reason that the peer need not know.
pub const REFUSED_BY_STORE: Reply = reply(554, Status::OTHER, "Message refused");

// Temporary failures.
/// The disk is full.
pub const SYSTEM_FULL: Reply =
    reply(452, Status::SYSTEM_FULL, "Insufficient system storage, try again later");
/// Something failed on our side.
pub const LOCAL_ERROR: Reply = reply(451, Status::OTHER_SYSTEM, "Local error, try again later");
/// The mail store does not answer.
pub const STORE_UNAVAILABLE: Reply =
    reply(451, Status::OTHER_SYSTEM, "Mailbox temporarily unavailable, try again later");
/// The server is stopping.
pub const SHUTTING_DOWN: Reply =
    reply(421, Status::SYSTEM_NOT_ACCEPTING, "Service shutting down, try again in a moment");
/// The login was revoked during the session: the account or its password has changed or is gone (RFC 3463 §3.8).
pub const LOGIN_REVOKED: Reply = reply(421, Status::OTHER_SECURITY, "Login revoked, closing connection");
/// The peer was silent for too long (RFC 5321 §4.5.3.2.7).
pub const IDLE_TIMEOUT: Reply = reply(421, Status::BAD_CONNECTION, "Timeout, closing connection");
/// The peer sends or receives octets more slowly than the lowest rate.
pub const TOO_SLOW: Reply = reply(421, Status::BAD_CONNECTION, "Transfer too slow, closing connection");
/// A client has not logged in, or a host has sent no message, for too long.
pub const SESSION_TIMEOUT: Reply = reply(421, Status::BAD_CONNECTION, "Session timeout, closing connection");
/// All connections are in use, and this one is closed in favour of another client.
pub const EVICTED: Reply =
    reply(421, Status::OTHER_SECURITY, "Too many connections, closing the slowest, try again later");
/// Too many connections, from one address or in total. It is sent before there is a session, so it is already in wire
/// format.
pub const TOO_MANY_CONNECTIONS: &[u8] = b"421 4.7.0 Too many connections, try again later\r\n";

// Replies of an outcome when the peer itself sent none.
/// The connection broke before the peer answered.
pub const CONNECTION_LOST: Reply = reply(451, Status::BAD_CONNECTION, "Connection lost");
/// The peer did not answer in time.
pub const PEER_TIMED_OUT: Reply = reply(451, Status::BAD_CONNECTION, "Peer did not answer in time");
/// The peer sent a malformed reply.
pub const MALFORMED_REPLY: Reply = reply(451, Status::new(5, 0), "Malformed reply from the peer");
/// The peer has announced that it accepts no further message on this connection (RFC 9422).
pub const PEER_MAIL_LIMIT: Reply =
    reply(451, Status::TOO_MANY_RECIPIENTS, "Peer accepts no further message on this connection");
/// The peer lacks SMTPUTF8, and the message cannot be sent to this recipient without it (RFC 6531 §3.2).
pub const PEER_WITHOUT_SMTPUTF8: Reply = reply(
    553,
    Status::NON_ASCII_ADDRESS,
    "Not sent: the recipient's server does not accept addresses and header fields in UTF-8 (SMTPUTF8). \
     Send the message again with ASCII addresses of yours and of the recipient",
);
/// TLS was required and the peer does not offer it, or the handshake failed.
pub const PEER_WITHOUT_TLS: Reply = reply(451, Status::OTHER_SECURITY, "TLS required but not offered");
/// The login was required and the peer refuses or does not offer it.
pub const PEER_WITHOUT_AUTH: Reply =
    reply(451, Status::OTHER_SECURITY, "Authentication required but not offered");

/// An address in the form of a return path that this server has not made.
pub const RETURN_PATH_FORGED: Reply =
    reply(550, Status::BAD_MAILBOX, "This return path was altered, or was not made by this server");
/// A return path of forwarded mail whose time is over.
pub const RETURN_PATH_EXPIRED: Reply = reply(
    550,
    Status::BAD_MAILBOX,
    "This return path has expired: reports are accepted for 21 days after forwarding",
);
/// Mail with a sender to a return path of forwarded mail.
pub const RETURN_PATH_TAKES_REPORTS: Reply = reply(
    550,
    Status::NOT_AUTHORIZED,
    "This address accepts only delivery reports (MAIL FROM:<>): write to the author of the message instead",
);
/// A forwarded message whose author is in a domain of this server, without proof.
pub const FORWARD_REFUSED: Reply = reply(
    550,
    Status::NOT_AUTHORIZED,
    "Not forwarded: the From address belongs to this server, but DMARC did not pass. Log in to send from it",
);
/// The same while the proof cannot be checked.
pub const FORWARD_DEFERRED: Reply = reply(
    451,
    Status::NOT_AUTHORIZED,
    "Not forwarded: the From address belongs to this server, and DMARC cannot be checked at the moment, try again later",
);
/// Junk mail for a recipient whose mailbox is elsewhere.
pub const JUNK_NOT_FORWARDED: Reply = reply(
    550,
    Status::NOT_AUTHORIZED,
    "Not forwarded: the message looks like junk, and the recipient's mailbox is elsewhere. Send it from a host that the \
     domain of its author allows, or write to the recipient at another address",
);
/// The keys of return paths cannot be read for the moment.
pub const RETURN_PATHS_UNAVAILABLE: Reply = reply(
    451,
    Status::OTHER_SYSTEM,
    "Return paths of forwarded mail cannot be checked at the moment, try again later",
);

/// `220 host ESMTP …`: the greeting (RFC 5321 §4.2, §4.3.1).
pub(crate) fn greeting(dialect: Dialect, host: &Domain) -> Reply {
    Reply::bare(220, "").with_text(format!("{host} {} Mailstead", dialect.greeting_word()))
}

/// The reply to EHLO or LHLO: the host name, then one keyword per line (RFC 5321 §4.1.1.1).
pub(crate) fn capabilities(host: &Domain, keywords: &[String]) -> Reply {
    let mut text = host.to_string();
    for keyword in keywords {
        text.push('\n');
        text.push_str(keyword);
    }
    Reply::bare(250, "").with_text(text)
}

/// The reply to HELO.
pub(crate) fn hello(host: &Domain) -> Reply {
    Reply::bare(250, "").with_text(host.to_string())
}

/// A chunk of this many octets was received, and is not the last one (RFC 3030 §2).
pub(crate) fn chunk_received(octets: u64) -> Reply {
    OK.with_text(format!("{octets} octets received"))
}

/// `334` with a challenge in base64 (RFC 4954 §4).
pub(crate) fn challenge(base64: String) -> Reply {
    Reply::bare(334, "").with_text(base64)
}

/// A field that names the author or the sender of a message is missing, or has more than one meaning (RFC 5322 §3.6).
/// `fault` continues "The From field".
pub fn unreadable_author(field: &str, fault: impl std::fmt::Display) -> Reply {
    let text =
        format!("The {field} field {fault} (RFC 5322 section 3.6.2); write it as: Ann <ann@example.org>");
    reply(554, Status::OTHER_MEDIA, "").with_text(text)
}

/// A submitted message that other hosts would refuse, and that cannot be put right (RFC 6409 §8). `fault` is a sentence
/// without its full stop.
pub fn not_put_right(fault: impl std::fmt::Display) -> Reply {
    reply(554, Status::OTHER_MEDIA, "").with_text(fault.to_string())
}

/// An address in a field that names the author or the sender belongs to another user. The text is ASCII and fits a
/// reply line (RFC 5321 §4.5.3.1.5), so an address that does not fit is left out.
pub fn author_not_owned(field: &str, address: &Address) -> Reply {
    const MAX_LEN: usize = 254;
    let address = address.to_string();
    let shown =
        if address.is_ascii() && address.len() <= MAX_LEN { format!(" {address}") } else { String::new() };
    let text =
        format!("The address{shown} in the {field} field does not belong to your login: use one of your own");
    reply(554, Status::NOT_AUTHORIZED, "").with_text(text)
}

/// Mail that the policy refuses, for now or permanently. `text` says what is wrong and what to do; `contact` is the address
/// at which the peer may ask. Both are written in ASCII, and shortened so that the reply line is not too long
/// (RFC 5321 §4.5.3.1.5).
pub fn policy_refusal(is_lasting: bool, status: Status, text: &str, contact: &str) -> Reply {
    const MAX_LEN: usize = 400;
    let code = if is_lasting { 550 } else { 451 };
    let ask = format!(". Questions: write to {contact}");
    let room = MAX_LEN.saturating_sub(ask.len());
    let ascii = |c: char| if c.is_ascii() { c } else { '?' };
    let text: String = text.chars().map(ascii).take(room).chain(ask.chars().map(ascii)).collect();
    reply(code, status, "").with_text(text.replace('\n', " "))
}

/// The message is accepted, with its identifier on this server.
pub fn accepted_as(id: impl std::fmt::Display) -> Reply {
    MESSAGE_ACCEPTED.with_text(format!("Message accepted as {id}"))
}
