//! Responses: functions that write one into a buffer, each as a whole with its line's end, unless noted otherwise.
//!
//! Octets from a client or a message cannot break out of their place: strings are quoted or sent as literals, and free
//! text is made harmless.

pub mod code;
pub mod condition;
pub mod fetch;
pub mod mailbox;
pub mod quota;
pub mod server;
pub mod string;

pub use code::Code;
pub use condition::Condition;

#[cfg(test)]
mod tests;
