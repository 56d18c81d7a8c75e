use address::ReversePath;

use super::{CommandError, EnvelopeId, dsn, parameter};

/// `MAIL FROM:<path>` with its declarations about the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailCommand {
    /// The sender.
    pub sender: ReversePath,
    /// The declared size of the message (RFC 1870).
    pub size: Option<u64>,
    /// The declared kind of octets (RFC 6152).
    pub body: BodyKind,
    /// The client's identifier of the message (RFC 3461 §4.4).
    pub envelope_id: Option<EnvelopeId>,
    /// True if the message belongs in the Junk mailbox: `XVERDICT=JUNK`, which the MTA sends to the MDA only.
    pub is_junk: bool,
    /// The client's declaration that addresses and header fields may be in UTF-8 (RFC 6531 §3.4).
    pub smtputf8: bool,
    /// The demand that the message travels under TLS to verified hosts only (RFC 8689 §2).
    pub requires_tls: bool,
    /// Is set when the parameter of RFC 4954 was present, which not every dialect offers.
    pub(crate) has_auth: bool,
    /// Is set when a parameter of RFC 3461 was present, which not every dialect offers.
    pub(crate) has_dsn: bool,
}

/// The parameter BODY of MAIL (RFC 6152 §3, RFC 3030 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyKind {
    /// Also the default.
    #[default]
    SevenBit,
    /// Octets beyond ASCII occur.
    EightBitMime,
    /// Any octets occur, and lines of any length.
    BinaryMime,
}

/// `mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF` (RFC 5321 §4.1.1.2).
pub(super) fn parse(arguments: &str) -> Result<MailCommand, CommandError> {
    let (path, parameters) = parameter::split_path(arguments, "FROM:").ok_or(CommandError::BadArguments)?;
    let sender = ReversePath::parse(&path).map_err(|_| CommandError::BadSender)?;
    let mut command = MailCommand {
        sender,
        size: None,
        body: BodyKind::default(),
        envelope_id: None,
        is_junk: false,
        smtputf8: false,
        requires_tls: false,
        has_auth: false,
        has_dsn: false,
    };
    for (keyword, value) in parameter::parse_parameters(parameters) {
        match keyword.as_str() {
            "SIZE" if command.size.is_none() => {
                command.size = Some(value.and_then(size).ok_or(CommandError::BadArguments)?);
            }
            "BODY" => command.body = value.and_then(body).ok_or(CommandError::BadArguments)?,
            // The original submitter (RFC 4954 §5). No peer is trusted about that, so it is read and dropped.
            "AUTH" if value.and_then(dsn::from_xtext).is_some_and(|octets| !octets.is_empty()) => {
                command.has_auth = true;
            }
            "ENVID" if command.envelope_id.is_none() => {
                command.envelope_id =
                    Some(value.and_then(EnvelopeId::read).ok_or(CommandError::BadArguments)?);
                command.has_dsn = true;
            }
            // The MTA composes all reports, with the header section only, so it is read and dropped.
            "RET" if value.is_some_and(dsn::is_ret) => command.has_dsn = true,
            "XVERDICT" if value.is_some_and(|value| value.eq_ignore_ascii_case("JUNK")) => {
                command.is_junk = true
            }
            "SMTPUTF8" if value.is_none() && !command.smtputf8 => command.smtputf8 = true,
            "REQUIRETLS" if value.is_none() && !command.requires_tls => command.requires_tls = true,
            "AUTH" | "SIZE" | "ENVID" | "RET" | "SMTPUTF8" | "REQUIRETLS" | "XVERDICT" => {
                return Err(CommandError::BadArguments);
            }
            _ => return Err(CommandError::UnknownParameter),
        }
    }
    if !path.is_ascii() && !command.smtputf8 {
        return Err(CommandError::NonAsciiSender);
    }
    Ok(command)
}

/// Parses `size-value ::= 1*20DIGIT` (RFC 1870 §3). A number too large to hold is larger than any limit.
fn size(value: &str) -> Option<u64> {
    let digits = (1..=20).contains(&value.len()) && value.bytes().all(|octet| octet.is_ascii_digit());
    digits.then(|| value.parse().unwrap_or(u64::MAX))
}

/// `body-value ::= "7BIT" / "8BITMIME" / "BINARYMIME"` (RFC 6152 §3, RFC 3030 §3).
fn body(value: &str) -> Option<BodyKind> {
    if value.eq_ignore_ascii_case("7BIT") {
        Some(BodyKind::SevenBit)
    } else if value.eq_ignore_ascii_case("8BITMIME") {
        Some(BodyKind::EightBitMime)
    } else if value.eq_ignore_ascii_case("BINARYMIME") {
        Some(BodyKind::BinaryMime)
    } else {
        None
    }
}
