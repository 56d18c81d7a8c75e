use address::ForwardPath;

use super::{CommandError, dsn, parameter};

/// `RCPT TO:<path>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcptCommand {
    /// The recipient.
    pub recipient: ForwardPath,
    /// Is set when the path is not ASCII, which requires SMTPUTF8 in MAIL (RFC 6531 §3.4).
    pub(crate) has_utf8: bool,
    /// Is set when a parameter of RFC 3461 was present, which not every dialect offers.
    pub(crate) has_dsn: bool,
}

/// Parses `rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF`
/// (RFC 5321 §4.1.1.3). Its parameters are those of RFC 3461: they ask for reports, which the MTA composes, so they are
/// read and dropped.
pub(super) fn parse(arguments: &str) -> Result<RcptCommand, CommandError> {
    let (path, parameters) = parameter::split_path(arguments, "TO:").ok_or(CommandError::BadArguments)?;
    let recipient = ForwardPath::parse(&path).map_err(|_| CommandError::BadRecipient)?;
    let mut command = RcptCommand { recipient, has_utf8: !path.is_ascii(), has_dsn: false };
    for (keyword, value) in parameter::parse_parameters(parameters) {
        match keyword.as_str() {
            "NOTIFY" if value.is_some_and(dsn::is_notify) => command.has_dsn = true,
            "ORCPT" if value.is_some_and(dsn::is_original_recipient) => command.has_dsn = true,
            "NOTIFY" | "ORCPT" => return Err(CommandError::BadArguments),
            _ => return Err(CommandError::UnknownParameter),
        }
    }
    Ok(command)
}
