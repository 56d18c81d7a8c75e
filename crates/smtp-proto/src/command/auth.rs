use super::CommandError;
use crate::sasl::Mechanism;

/// `AUTH mechanism [initial-response]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthCommand {
    /// How the client wants to log in.
    pub mechanism: Mechanism,
    /// What it says at once, in base64; `=` has been read as the empty response.
    pub initial: Option<String>,
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
    let initial = initial.map(|initial| if initial == "=" { "" } else { initial }.to_owned());
    Ok(AuthCommand { mechanism, initial })
}
