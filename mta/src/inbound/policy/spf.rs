//! `spf`: the sender's domain says that the peer may not send for it (RFC 7208 §8.4).
//!
//! A host that forwards a message unchanged fails as well, and its signature still proves its origin: a message with a
//! signature that passed does not fail here. Even so this check alone is not enough to refuse a message, unless the
//! settings say so.

use smtp_proto::Status;

use super::check::{Check, CheckResult};
use crate::checks::{AuthResult, AuthenticationResults};

/// "SPF validation failed" (RFC 7372 §3.2).
const SPF_FAILED: Status = Status::new(7, 23);

/// The result for the sender, or for the name in HELO if the sender is null.
pub(super) fn check(results: &AuthenticationResults) -> CheckResult {
    let evaluation = results.spf();
    let identity = &evaluation.identity;
    let result = |explanation: String| CheckResult::new(Check::Spf, evaluation.result, explanation);
    match evaluation.result {
        AuthResult::Fail if results.signers().next().is_some() => CheckResult::new(
            Check::Spf,
            AuthResult::Neutral,
            format!("{identity} does not allow this host to send for it, but a signature proves the origin"),
        ),
        AuthResult::Fail => result(format!("{identity} does not allow this host to send for it")).with_refusal(
            SPF_FAILED,
            format!(
                "SPF: {identity} does not allow your host to send for it: add the host to its SPF record, or send \
                 through a host that is in it"
            ),
        ),
        AuthResult::Pass => result(format!("{identity} allows this host to send for it")),
        AuthResult::None => result(format!("{identity} has no SPF record")),
        AuthResult::SoftFail => result(format!("{identity} would rather not have this host send for it")),
        AuthResult::Neutral => result(format!("{identity} says nothing about this host")),
        AuthResult::TempError => result(format!("the SPF record of {identity} cannot be looked up at the moment")),
        AuthResult::PermError => result(format!("the SPF record of {identity} is wrong")),
    }
}
