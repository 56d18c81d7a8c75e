//! Mail addresses and domains as types.
//!
//! A value of these types is well formed by construction: the constructor is the only way to create it. Domains are
//! held in the form in which they are compared and looked up (lower-case A-labels, RFC 5890), local parts by their
//! content (unquoted), and both are written back in the form that the protocols require. This crate does not query DNS,
//! and it does not know which addresses are local.

mod domain;
mod host;
mod local_part;
mod mailbox;
mod path;

pub use domain::{Domain, DomainError};
pub use host::{Host, HostError};
pub use local_part::{LocalPart, LocalPartError};
pub use mailbox::{Address, AddressError};
pub use path::{ForwardPath, PathError, ReversePath};

/// Serialises a type as the string that it displays, and reads it back through its parser.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                <$type>::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;
