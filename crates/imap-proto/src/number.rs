//! The numbers that name messages. None of them is ever zero, and each kind has its own type.

use std::fmt;
use std::num::NonZeroU32;

macro_rules! number {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU32);

        impl $name {
            /// The smallest number.
            pub const FIRST: $name = $name(NonZeroU32::MIN);

            /// The number as a value of this kind; `None` for zero.
            pub const fn new(number: u32) -> Option<$name> {
                match NonZeroU32::new(number) {
                    Some(number) => Some($name(number)),
                    None => None,
                }
            }

            /// The plain number.
            pub const fn value(self) -> u32 {
                self.0.get()
            }
        }

        impl From<NonZeroU32> for $name {
            fn from(number: NonZeroU32) -> $name {
                $name(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

number! {
    /// A message's position in the session's view of its mailbox, counted from one (RFC 3501 §2.3.1.2).
    SequenceNumber
}
number! {
    /// A message's unique identifier in its mailbox, assigned once and ascending (RFC 3501 §2.3.1.1).
    Uid
}
number! {
    /// The validity of the UIDs of a mailbox (RFC 3501 §2.3.1.1).
    UidValidity
}
