//! Commands as a server reads them (RFC 5321 §4.1).

mod auth;
mod bdat;
mod dsn;
mod hello;
mod mail;
mod parameter;
mod rcpt;

pub use auth::AuthCommand;
pub use bdat::BdatCommand;
pub use dsn::EnvelopeId;
pub use hello::{HelloName, HelloVerb};
pub use mail::{BodyKind, MailCommand};
pub use rcpt::RcptCommand;

/// A command line that could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `HELO`, `EHLO` or `LHLO`.
    Hello(HelloVerb, HelloName),
    /// `MAIL`
    Mail(MailCommand),
    /// `RCPT`
    Rcpt(RcptCommand),
    /// `DATA`
    Data,
    /// `BDAT` (RFC 3030)
    Bdat(BdatCommand),
    /// `RSET`
    Rset,
    /// `NOOP`, with any argument.
    Noop,
    /// `QUIT`
    Quit,
    /// `VRFY`, with any argument.
    Vrfy,
    /// `EXPN`, with any argument.
    Expn,
    /// `HELP`, with any argument.
    Help,
    /// `STARTTLS` (RFC 3207)
    StartTls,
    /// `AUTH` (RFC 4954)
    Auth(AuthCommand),
}

/// The reason why a command line could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// A NUL, or a CR or LF before the end.
    #[error("control octet in the command line")]
    MalformedLine,
    /// Unknown command.
    #[error("unknown command")]
    Unknown,
    /// The arguments are missing or malformed.
    #[error("missing or malformed arguments")]
    BadArguments,
    /// The command has arguments but allows none.
    #[error("the command allows no arguments")]
    NoArguments,
    /// The name after HELO, EHLO or LHLO is missing.
    #[error("missing host name in the hello")]
    BadHelloName,
    /// The reverse path cannot be read.
    #[error("malformed reverse path")]
    BadSender,
    /// The reverse path is not ASCII, and the parameter SMTPUTF8 is missing.
    #[error("non-ASCII reverse path without SMTPUTF8")]
    NonAsciiSender,
    /// The forward path cannot be read.
    #[error("malformed forward path")]
    BadRecipient,
    /// A parameter of MAIL or RCPT that belongs to no announced extension.
    #[error("unknown parameter")]
    UnknownParameter,
    /// The size of a chunk cannot be read, so its end is unknown.
    #[error("malformed chunk size")]
    BadChunkSize,
    /// An authentication mechanism that is not offered.
    #[error("unknown authentication mechanism")]
    UnknownMechanism,
}

impl Command {
    /// Parses a command line, given without its CRLF. Verbs have no case (RFC 5321 §2.4).
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        if memchr::memchr3(0, b'\r', b'\n', line).is_some() {
            return Err(CommandError::MalformedLine);
        }
        if let Some(hello) = hello::parse(line) {
            return hello;
        }
        // Octets beyond ASCII have a meaning in paths only, and only as UTF-8.
        let line = std::str::from_utf8(line).map_err(|_| CommandError::BadArguments)?;
        let (verb, arguments) = line.split_once(' ').unwrap_or((line, ""));
        let arguments = quirk_trailing_blanks(arguments);
        match verb.to_ascii_uppercase().as_str() {
            "MAIL" => mail::parse(arguments).map(Self::Mail),
            "RCPT" => rcpt::parse(arguments).map(Self::Rcpt),
            "AUTH" => auth::parse(arguments).map(Self::Auth),
            "BDAT" => bdat::parse(arguments).map(Self::Bdat),
            "DATA" => without_arguments(Self::Data, arguments),
            "RSET" => without_arguments(Self::Rset, arguments),
            "QUIT" => without_arguments(Self::Quit, arguments),
            "STARTTLS" => without_arguments(Self::StartTls, arguments),
            "NOOP" => Ok(Self::Noop),
            "HELP" => Ok(Self::Help),
            "VRFY" => with_string(Self::Vrfy, arguments),
            "EXPN" => with_string(Self::Expn, arguments),
            _ => Err(CommandError::Unknown),
        }
    }
}

/// A command without arguments.
fn without_arguments(command: Command, arguments: &str) -> Result<Command, CommandError> {
    if arguments.is_empty() { Ok(command) } else { Err(CommandError::NoArguments) }
}

/// `SP String`, where the string is ignored.
fn with_string(command: Command, arguments: &str) -> Result<Command, CommandError> {
    if arguments.is_empty() { Err(CommandError::BadArguments) } else { Ok(command) }
}

/// "SMTP servers SHOULD tolerate trailing white space before the terminating CRLF" (RFC 5321 §4.1.1).
fn quirk_trailing_blanks(arguments: &str) -> &str {
    arguments.trim_end_matches([' ', '\t'])
}

#[cfg(test)]
mod tests;
