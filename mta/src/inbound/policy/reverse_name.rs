//! `rdns` and `fcrdns`: the peer's address has a name, and the name has the address. Hosts that send spam from private
//! lines have no name, or one that the line's provider made up.

use std::net::IpAddr;

use smtp_proto::Status;

use super::check::{Check, CheckResult};
use crate::checks::{AuthResult, ReverseName};

/// "Reverse DNS validation failed" (RFC 7372 §3.3).
const REVERSE_NAME: Status = Status::new(7, 25);

/// The results of both checks. An answer of DNS that is missing is waited for: an honest host tries again.
pub(super) fn check(name: &ReverseName, ip: IpAddr) -> [CheckResult; 2] {
    let result = |check, result, explanation: String| CheckResult::new(check, result, explanation);
    match name {
        ReverseName::Confirmed(name) => [
            result(Check::Rdns, AuthResult::Pass, format!("{ip} is called {name}")),
            result(Check::Fcrdns, AuthResult::Pass, format!("{name} has the address {ip}")),
        ],
        ReverseName::Unconfirmed(name) => [
            result(Check::Rdns, AuthResult::Pass, format!("{ip} is called {name}")),
            result(Check::Fcrdns, AuthResult::Fail, format!("{name} does not have the address {ip}"))
                .with_refusal(
                    REVERSE_NAME,
                    format!(
                        "The reverse name {name} of your address {ip} does not have this address: add it to the name's \
                         address records, or correct the PTR record"
                    ),
                ),
        ],
        ReverseName::Missing => [
            result(Check::Rdns, AuthResult::Fail, format!("{ip} has no name")).with_refusal(
                REVERSE_NAME,
                format!("Your address {ip} has no reverse name: set a PTR record at its provider"),
            ),
            result(Check::Fcrdns, AuthResult::None, format!("{ip} has no name")),
        ],
        ReverseName::Unknown(reason) => [
            result(Check::Rdns, AuthResult::TempError, format!("no answer about the name of {ip}: {reason}"))
                .with_refusal(
                    REVERSE_NAME,
                    format!("The reverse name of your address {ip} cannot be looked up at the moment, try again later"),
                ),
            result(Check::Fcrdns, AuthResult::None, format!("the name of {ip} is not known")),
        ],
    }
}
