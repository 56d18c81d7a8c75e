use super::{Command, CommandError};

/// The three hello commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelloVerb {
    /// RFC 5321 §4.1.1.1, without extensions.
    Helo,
    /// RFC 5321 §4.1.1.1.
    Ehlo,
    /// RFC 2033 §4.1.
    Lhlo,
}

/// The name that a client gives in its hello. It proves nothing, and is written to the Received field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelloName {
    text: Box<str>,
    is_exact: bool,
}

impl HelloName {
    /// In octets, as long as a domain may be (RFC 5321 §4.5.3.1.2).
    const MAX_LEN: usize = 255;

    /// Replaces an octet or a character that cannot be written.
    const REPLACEMENT: char = '?';

    /// The name in letters, digits and `.-_:[]` only, so that it can be written to a field or to the log. Any other
    /// character that the client sent has become a `?`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True if that is the name as the client sent it. A peer's name is looked up in DNS and recorded, so a peer must
    /// send one that can be written; an authenticated user's name serves no purpose.
    pub fn is_exact(&self) -> bool {
        self.is_exact
    }

    /// Clients send their machine's name, whatever it is: `my_pc`, a bare IP address, `Büro-PC` in UTF-8 or in the
    /// machine's own character set, `fe80::1%eth0`. The name must not be refused for being wrong (RFC 5321 §4.1.4).
    fn quirk_any_name(sent: &[u8]) -> Option<Self> {
        if sent.is_empty() {
            return None;
        }
        let decoded = String::from_utf8_lossy(sent);
        let writable = |c: char| if is_writable(c) { c } else { Self::REPLACEMENT };
        let text: String = decoded.chars().take(Self::MAX_LEN).map(writable).collect();
        let is_exact = text.as_bytes() == sent;
        Some(Self { text: text.into(), is_exact })
    }
}

fn is_writable(c: char) -> bool {
    c.is_ascii_alphanumeric() || ".-_:[]".contains(c)
}

/// Parses `ehlo = "EHLO" SP ( Domain / address-literal ) CRLF` (RFC 5321 §4.1.1.1). Reads the line before all other
/// parsers: a name may have octets that are not UTF-8. Returns `None` when the line is another command.
pub(super) fn parse(line: &[u8]) -> Option<Result<Command, CommandError>> {
    let (verb, arguments) = line.split_at(line.iter().position(|octet| *octet == b' ').unwrap_or(line.len()));
    let verb = match verb.to_ascii_uppercase().as_slice() {
        b"HELO" => HelloVerb::Helo,
        b"EHLO" => HelloVerb::Ehlo,
        b"LHLO" => HelloVerb::Lhlo,
        _ => return None,
    };
    let name = HelloName::quirk_any_name(arguments.trim_ascii());
    Some(name.map(|name| Command::Hello(verb, name)).ok_or(CommandError::BadHelloName))
}
