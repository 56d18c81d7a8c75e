//! Responses: functions that write one into a buffer, each the whole of it with its line's end, unless it says so.
//!
//! Nothing a client or a message brought in can break out of its place: strings are quoted or sent as literals, and
//! free text is made harmless.

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
