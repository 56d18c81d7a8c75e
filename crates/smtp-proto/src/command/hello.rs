use super::{Command, CommandError};

/// The three ways to say hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelloVerb {
    /// RFC 5321 §4.1.1.1, without extensions.
    Helo,
    /// RFC 5321 §4.1.1.1.
    Ehlo,
    /// RFC 2033 §4.1.
    Lhlo,
}

/// What a client calls itself. It proves nothing, and stands in the Received field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelloName(Box<str>);

impl HelloName {
    const LONGEST: usize = 255;

    /// The name as the client wrote it: letters, digits and `.-_:[]` only, so that it can stand in a field.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Clients write their machine's name, whatever it is: `my_pc`, a bare IP address. It must not be refused
    /// for being wrong (RFC 5321 §4.1.4); it only has to be writable.
    fn quirk_any_name(text: &str) -> Option<Self> {
        let writable = text.bytes().all(|o| o.is_ascii_alphanumeric() || b".-_:[]".contains(&o));
        (!text.is_empty() && text.len() <= Self::LONGEST && writable).then(|| Self(text.into()))
    }
}

/// `ehlo = "EHLO" SP ( Domain / address-literal ) CRLF` (RFC 5321 §4.1.1.1).
pub(super) fn parse(verb: HelloVerb, arguments: &str) -> Result<Command, CommandError> {
    HelloName::quirk_any_name(arguments)
        .map(|name| Command::Hello(verb, name))
        .ok_or(CommandError::BadHelloName)
}
