use std::fmt;

use sasl::Mechanism;

use super::CommandError;

/// `AUTH mechanism [initial-response]`.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthCommand {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The initial response, as it was sent: base64, `=` for an empty response.
    pub initial: Option<String>,
}

impl fmt::Debug for AuthCommand {
    /// Formats without the response: with PLAIN it is the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthCommand").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

/// `auth-command = "AUTH" SP sasl-mech [SP initial-response] *(CRLF [base64]) [CRLF cancel-response] CRLF`,
/// `initial-response = base64 / "="` (RFC 4954 §8).
pub(super) fn parse(arguments: &str) -> Result<AuthCommand, CommandError> {
    let (name, initial) = match arguments.split_once(' ') {
        Some((name, initial)) => (name, Some(initial)),
        None => (arguments, None),
    };
    if name.is_empty() || initial.is_some_and(|initial| initial.is_empty() || initial.contains(' ')) {
        return Err(CommandError::BadArguments);
    }
    let mechanism = Mechanism::parse(name).ok_or(CommandError::UnknownMechanism)?;
    Ok(AuthCommand { mechanism, initial: initial.map(str::to_owned) })
}
