//! `mailstead hash-password`: a hash for MAIL_USERS, or for any other server that supports Argon2id.

use std::io::{self, IsTerminal as _, Write as _};

use accounts::Secret;

use super::failure::OperatorError;
use super::password;

/// The arguments of `hash-password`.
#[derive(Debug, clap::Args)]
pub struct HashPassword {}

impl HashPassword {
    pub(super) fn run(&self) -> Result<(), OperatorError> {
        let hash = Secret::hash(password::read_plain()?.password());
        // The reader may be gone already.
        let _ = writeln!(io::stdout(), "{{ARGON2ID}}{}", hash.as_str());
        if io::stdout().is_terminal() {
            eprintln!(
                "In a compose file or an .env file, put it between single quotes or write every $ as $$; in \
                 MAIL_USERS_FILE, use it unchanged."
            );
        }
        Ok(())
    }
}
