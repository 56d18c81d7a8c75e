//! `helo`: the name in HELO or EHLO can be the peer's. Programs that send spam greet with the name of the host that they
//! talk to, or with no name at all; RFC 5321 §4.1.1.1 asks for the client's domain name or its address literal.

use std::net::IpAddr;

use accounts::Directory;
use address::{Domain, Host};
use smtp_proto::Status;

use super::check::{Check, CheckResult};
use crate::checks::AuthResult;

/// Checks the name. It is never looked up: RFC 5321 §4.1.4 forbids a refusal because of its DNS records.
pub(super) fn check(hostname: &Domain, directory: &Directory, ip: IpAddr, name: &str) -> CheckResult {
    let fail = |fault: String| {
        CheckResult::new(Check::Helo, AuthResult::Fail, format!("{name} {fault}")).with_refusal(
            Status::NOT_AUTHORIZED,
            format!("The name {name} in your HELO or EHLO {fault}: use the full name of your host"),
        )
    };
    match Host::parse(name) {
        Ok(Host::Literal(literal)) if literal.to_canonical() == ip => {
            CheckResult::new(Check::Helo, AuthResult::Pass, format!("{name} is the peer's address"))
        }
        Ok(Host::Literal(_)) => fail(format!("is not your address {ip}")),
        Ok(Host::Domain(domain)) if domain == *hostname || directory.is_local(&domain) => {
            fail("is a name of this server".to_owned())
        }
        Ok(Host::Domain(_)) if name.parse::<IpAddr>().is_ok() => {
            fail("is an address without brackets".to_owned())
        }
        Ok(Host::Domain(domain)) if domain.parent().is_none() => fail("is not a full name".to_owned()),
        Ok(Host::Domain(_)) => {
            CheckResult::new(Check::Helo, AuthResult::Pass, format!("{name} is a full name"))
        }
        Err(_) => fail("is neither a domain name nor an address literal".to_owned()),
    }
}
