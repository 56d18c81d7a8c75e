use std::fmt;
use std::num::NonZeroU32;

/// A message's unique identifier within its mailbox (RFC 3501 §2.3.1.1): ascending, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(NonZeroU32);

impl Uid {
    /// The first UID of a mailbox.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The greatest UID that a message gets. Dovecot reserves the number above.
    pub const LAST: Self = match NonZeroU32::new(u32::MAX - 1) {
        Some(uid) => Self(uid),
        None => Self::FIRST,
    };

    /// The UID with this number, or `None` for zero.
    pub fn new(uid: u32) -> Option<Self> {
        NonZeroU32::new(uid).map(Self)
    }

    /// The number.
    pub fn value(self) -> u32 {
        self.0.get()
    }

    /// The next UID, or `None` if all are used up.
    pub fn next(self) -> Option<Self> {
        (self < Self::LAST).then(|| Self(self.0.saturating_add(1)))
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The validity of a mailbox's UIDs (RFC 3501 §2.3.1.1): with another value they stand for other messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UidValidity(NonZeroU32);

impl UidValidity {
    /// The validity with this number, or `None` for zero.
    pub fn new(value: u32) -> Option<Self> {
        NonZeroU32::new(value).map(Self)
    }

    /// The number.
    pub fn value(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for UidValidity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
