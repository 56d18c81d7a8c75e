use address::ForwardPath;

use super::{CommandError, parameter};

/// `RCPT TO:<path>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcptCommand {
    /// Whom the message is for.
    pub recipient: ForwardPath,
}

/// `rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF`
/// (RFC 5321 §4.1.1.3). No announced extension has a parameter for it.
pub(super) fn parse(arguments: &str) -> Result<RcptCommand, CommandError> {
    let (path, parameters) = parameter::split_path(arguments, "TO:").ok_or(CommandError::BadArguments)?;
    let recipient = ForwardPath::parse(&path).map_err(|_| CommandError::BadRecipient)?;
    if recipient.address().is_some_and(|address| !address.is_ascii()) {
        return Err(CommandError::NonAsciiRecipient);
    }
    match parameter::each(parameters).next() {
        None => Ok(RcptCommand { recipient }),
        Some(_) => Err(CommandError::UnknownParameter),
    }
}
