//! Fields and messages that Mailstead writes.
//!
//! No octet chosen by another party can end a line here: every value passes through [`field`], which writes control
//! characters as spaces. Lines are folded at 78 characters where a space allows it (RFC 5322 §2.1.1 and §2.2.3), and
//! never exceed 998.

mod fold;
mod report;
mod results;
mod trace;

pub use fold::field;
pub use report::{Action, DeliveryReport, Reader, RecipientReport};
pub use results::{AuthenticationResults, MethodResult};
pub use trace::{Peer, Received};

use address::ReversePath;

use crate::DateTime;

/// `Date: …`, for a submission without one (RFC 6409 §8.1).
pub fn date_field(date: &DateTime) -> String {
    field("Date", &date.rfc5322())
}

/// `Message-ID: <unique@host>`, for a submission without one (RFC 6409 §8.2). `unique` must be unique on this host.
pub fn message_id_field(unique: &str, host: &str) -> String {
    field("Message-ID", &format!("<{}@{}>", fold::sanitized_word(unique), fold::sanitized_word(host)))
}

/// `Return-Path: <…>`, which final delivery puts on top (RFC 5321 §4.4).
pub fn return_path_field(path: &ReversePath) -> String {
    field("Return-Path", &path.to_string())
}

#[cfg(test)]
mod tests;
