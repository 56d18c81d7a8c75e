//! The source of a new password: a prompt, standard input, or a generated one.

use std::io::{self, IsTerminal as _, Read as _};

use accounts::declaration::{ChosenPassword, ChosenPasswordError, DeclaredSecret, DeclaredSecretError};
use accounts::{Secret, generate_password};
use zeroize::Zeroizing;

use super::terminal;
use crate::read_limited::quirk_byte_order_mark;

/// The options for a new password.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct NewPassword {
    /// Generate a password, and show it once. Without this, the command asks for it on a terminal, twice, or else reads
    /// it from standard input: one line, a password or a hash as in MAIL_USERS.
    #[arg(long)]
    generate: bool,
}

/// A new password.
pub(super) struct ObtainedPassword {
    /// The secret that it is verified against from now on.
    pub(super) secret: Secret,
    /// The password, if it was generated here: the operator must see it.
    pub(super) generated: Option<Zeroizing<String>>,
}

/// The reason why there is no usable password.
#[derive(Debug, thiserror::Error)]
pub(super) enum NewPasswordError {
    /// The two that were typed differ.
    #[error("the two passwords differ; nothing was changed")]
    Differ,
    /// It is too short to withstand guessing.
    #[error("{0}; a few words are easier to remember than a few signs")]
    TooShort(ChosenPasswordError),
    /// A password that cannot be set, or a hash that cannot be used.
    #[error(transparent)]
    Unusable(DeclaredSecretError),
    /// Standard input is empty, as when a container's standard input is not passed on.
    #[error(
        "standard input is empty: pass the password there, through `docker exec -i` or `docker compose exec -T`, or \
         use `docker exec -it` for a prompt"
    )]
    Empty,
    /// There was more than a password.
    #[error("standard input has more than one line; only the password is expected")]
    SeveralLines,
    /// It could not be read.
    #[error("the password could not be read: {0}")]
    Read(#[from] io::Error),
}

/// The limit of a password or a hash.
const MAX_INPUT: u64 = 16 * 1024;

impl From<DeclaredSecretError> for NewPasswordError {
    fn from(error: DeclaredSecretError) -> Self {
        match error {
            DeclaredSecretError::Password(short @ ChosenPasswordError::TooShort(_)) => Self::TooShort(short),
            other => Self::Unusable(other),
        }
    }
}

impl From<ChosenPasswordError> for NewPasswordError {
    fn from(error: ChosenPasswordError) -> Self {
        DeclaredSecretError::from(error).into()
    }
}

impl NewPassword {
    /// Obtains one for a user. Takes the time of one hash.
    pub(super) fn obtain(&self, whose: &str) -> Result<ObtainedPassword, NewPasswordError> {
        if self.generate {
            let made = generate_password();
            let password = ChosenPassword::new(made.as_bytes())?;
            return Ok(ObtainedPassword { secret: Secret::hash(password.password()), generated: Some(made) });
        }
        let secret = match read(whose)? {
            DeclaredSecret::Plain(password) => Secret::hash(password.password()),
            DeclaredSecret::Hash(hash) => hash,
        };
        Ok(ObtainedPassword { secret, generated: None })
    }
}

/// Reads a password to be hashed. The same rules apply to it as to one that is set here: the hash cannot show later
/// that they were broken.
pub(super) fn read_plain() -> Result<ChosenPassword, NewPasswordError> {
    let octets = if io::stdin().is_terminal() { twice("Password: ")? } else { some_line(&mut io::stdin())? };
    Ok(ChosenPassword::new(octets.as_slice())?)
}

fn read(whose: &str) -> Result<DeclaredSecret, NewPasswordError> {
    if io::stdin().is_terminal() {
        let octets = twice(&format!("New password for {whose}: "))?;
        return Ok(DeclaredSecret::Plain(ChosenPassword::new(octets.as_slice())?));
    }
    secret(&some_line(&mut io::stdin())?)
}

fn secret(line: &[u8]) -> Result<DeclaredSecret, NewPasswordError> {
    match str::from_utf8(line) {
        Ok(text) => Ok(DeclaredSecret::parse(text)?),
        Err(_) => Ok(DeclaredSecret::Plain(ChosenPassword::new(line)?)),
    }
}

fn twice(text: &str) -> Result<Zeroizing<Vec<u8>>, NewPasswordError> {
    let first = terminal::prompt_hidden(text)?;
    let second = terminal::prompt_hidden("Repeat the password: ")?;
    if first == second { Ok(first) } else { Err(NewPasswordError::Differ) }
}

fn some_line(input: &mut impl io::Read) -> Result<Zeroizing<Vec<u8>>, NewPasswordError> {
    let line = one_line(input)?;
    if line.is_empty() { Err(NewPasswordError::Empty) } else { Ok(line) }
}

fn one_line(input: &mut impl io::Read) -> Result<Zeroizing<Vec<u8>>, NewPasswordError> {
    let mut all = Zeroizing::new(Vec::new());
    input.take(MAX_INPUT).read_to_end(&mut all)?;
    let all = quirk_byte_order_mark(&all);
    let (line, rest) = match all.iter().position(|octet| *octet == b'\n') {
        Some(end) => (&all[..end], &all[end + 1..]),
        None => (all, &[][..]),
    };
    if !rest.trim_ascii().is_empty() {
        return Err(NewPasswordError::SeveralLines);
    }
    Ok(Zeroizing::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_one_line_with_or_without_its_end() {
        for (input, line) in [
            ("correct horse", "correct horse"),
            ("correct horse\n", "correct horse"),
            (" correct horse \r\n", " correct horse "),
            ("correct horse\n\n", "correct horse"),
            ("", ""),
        ] {
            assert_eq!(*one_line(&mut input.as_bytes()).unwrap(), line.as_bytes(), "{input:?}");
        }
        let error = one_line(&mut "one\ntwo\n".as_bytes()).unwrap_err();
        assert!(matches!(error, NewPasswordError::SeveralLines) && !error.to_string().contains("two"));
    }

    #[test]
    fn an_empty_input_is_refused_with_the_ways_to_pass_a_password() {
        for nothing in ["", "\n"] {
            let error = some_line(&mut nothing.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("docker exec -it"), "{error}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_a_carriage_return_are_dropped() {
        for input in ["\u{feff}correct horse\r\n", "\u{feff}correct horse", "correct horse\r"] {
            assert_eq!(*one_line(&mut input.as_bytes()).unwrap(), b"correct horse", "{input:?}");
        }
        let nothing = some_line(&mut "\u{feff}\r\n".as_bytes()).unwrap_err();
        assert!(matches!(nothing, NewPasswordError::Empty));
    }

    #[test]
    fn a_refusal_does_not_show_the_password() {
        for (line, expected) in [
            ("swordfi", "7 characters; at least 8"),
            ("swordfish\rswordfish", "control character"),
            ("sword\tfish", "control character"),
            ("$6", "only the beginning of a hash"),
            ("$2y$05$swordfish", "cut off or damaged"),
            ("{ARGON2ID}", "must begin with $argon2id$"),
            ("'$6$salt$swordfish'", "in quotation marks"),
        ] {
            let refused = secret(line.as_bytes()).unwrap_err().to_string();
            assert!(refused.contains(expected) && !refused.contains("swordfi"), "{line:?}: {refused}");
        }
        assert!(secret(&b"swordfish\xff"[..]).is_ok(), "a password need not be UTF-8");
    }

    #[test]
    fn a_generated_password_matches_its_hash() {
        let given = NewPassword { generate: true }.obtain("ann").unwrap();
        let made = given.generated.unwrap();
        assert!(given.secret.verifies(&accounts::Password::new(made.as_bytes()).unwrap()));
    }
}
