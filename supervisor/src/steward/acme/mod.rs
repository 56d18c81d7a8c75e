//! The certificate of an authority, over ACME (RFC 8555).

#[allow(dead_code, reason = "orders follow")]
mod challenges;

pub(super) use challenges::Challenges;
