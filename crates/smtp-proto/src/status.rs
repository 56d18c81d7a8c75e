use std::fmt;

/// Subject and detail of an enhanced status code (RFC 3463). Its class is the first digit of the reply code before it
/// (RFC 2034 §4), so the two cannot contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status {
    subject: u16,
    detail: u16,
}

impl Status {
    /// The subject of the status (RFC 3463 §3.2 to §3.8).
    pub const fn subject(self) -> u16 {
        self.subject
    }
}

/// The codes that Mailstead uses, by their names in RFC 3463, RFC 4954 and IANA's registry.
#[allow(missing_docs)]
impl Status {
    pub const OTHER: Self = Self::new(0, 0);
    pub const BAD_MAILBOX: Self = Self::new(1, 1);
    pub const BAD_MAILBOX_SYNTAX: Self = Self::new(1, 3);
    pub const VALID_MAILBOX: Self = Self::new(1, 5);
    pub const BAD_SENDER_SYNTAX: Self = Self::new(1, 7);
    pub const VALID_SENDER: Self = Self::new(1, 0);
    pub const MAILBOX_FULL: Self = Self::new(2, 2);
    pub const OTHER_SYSTEM: Self = Self::new(3, 0);
    pub const SYSTEM_FULL: Self = Self::new(3, 1);
    pub const SYSTEM_NOT_ACCEPTING: Self = Self::new(3, 2);
    pub const MESSAGE_TOO_BIG: Self = Self::new(3, 4);
    pub const BAD_CONNECTION: Self = Self::new(4, 2);
    pub const ROUTING_LOOP: Self = Self::new(4, 6);
    pub const INVALID_COMMAND: Self = Self::new(5, 1);
    pub const SYNTAX_ERROR: Self = Self::new(5, 2);
    pub const TOO_MANY_RECIPIENTS: Self = Self::new(5, 3);
    pub const INVALID_ARGUMENTS: Self = Self::new(5, 4);
    pub const LINE_TOO_LONG: Self = Self::new(5, 6);
    pub const OTHER_MEDIA: Self = Self::new(6, 0);
    pub const NON_ASCII_ADDRESS: Self = Self::new(6, 7);
    /// Not in the registry; Exchange sends it for bare line feeds and other octets that are not allowed in a message,
    /// so administrators find it documented.
    pub const INVALID_OCTETS: Self = Self::new(6, 11);
    pub const OTHER_SECURITY: Self = Self::new(7, 0);
    pub const NOT_AUTHORIZED: Self = Self::new(7, 1);
    pub const BAD_CREDENTIALS: Self = Self::new(7, 8);
    pub const ENCRYPTION_REQUIRED: Self = Self::new(7, 11);
    pub const REQUIRETLS_REQUIRED: Self = Self::new(7, 30);
}

impl Status {
    /// The status `x.subject.detail`; the named ones are preferred.
    pub const fn new(subject: u16, detail: u16) -> Self {
        Self { subject, detail }
    }

    /// Parses `status-code = class "." subject "." detail` (RFC 3463 §2) after a reply code that begins with `class`. A
    /// status of another class is not valid (RFC 2034 §4).
    pub(crate) fn parse(class: u16, text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut number = || -> Option<u16> {
            let part = parts.next()?;
            let short = (1..=3).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit());
            short.then(|| part.parse().ok()).flatten()
        };
        let (given, subject, detail) = (number()?, number()?, number()?);
        (given == class && parts.next().is_none()).then_some(Self { subject, detail })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.subject, self.detail)
    }
}
