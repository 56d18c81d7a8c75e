//! A text that no log may show: a password or a key in a configuration file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret that is kept in clear because its peer asks for it in clear. It is written to a daemon's own configuration
/// and read from it, and shown nowhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confidential(String);

impl Confidential {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. The caller must pass it only to the peer that it is meant for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Confidential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(confidential)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidential_text_is_shown_only_by_reveal() {
        let secret = Confidential::new("swordfish");
        assert_eq!(format!("{secret:?}"), "(confidential)");
        assert_eq!(secret.reveal(), "swordfish");
    }
}
