//! The reverse check: the peer's address has a name, and the name has the address (RFC 8601 §3).

use std::net::IpAddr;

use mail_auth::{IprevResult, MessageAuthenticator};
use tokio::time::{Instant, timeout_at};

use super::{AuthResult, Finding, Method};

/// Checks the address. Returns `None` for an address outside the public reverse zones.
pub(super) async fn check(authenticator: &MessageAuthenticator, ip: IpAddr, end: Instant) -> Option<Finding> {
    if !has_public_name(ip) {
        return None;
    }
    let (result, name) = match timeout_at(end, authenticator.verify_iprev(ip)).await {
        Ok(output) => {
            let name = output.ptr.as_ref().and_then(|names| names.first().map(|name| name.to_string()));
            (auth_result(&output.result), name)
        }
        Err(_) => (AuthResult::TempError, None),
    };
    let finding = Finding::new(Method::Iprev, result).with_property("policy.iprev", ip.to_string());
    Some(match name {
        Some(name) => finding.with_reason(name.trim_end_matches('.')),
        None => finding,
    })
}

fn auth_result(result: &IprevResult) -> AuthResult {
    match result {
        IprevResult::Pass => AuthResult::Pass,
        // A name that has other addresses, or no address at all.
        IprevResult::Fail(_) | IprevResult::None => AuthResult::Fail,
        IprevResult::TempError(_) => AuthResult::TempError,
        IprevResult::PermError(_) => AuthResult::PermError,
    }
}

/// True if the reverse zone of an address can be public: not an address of this machine, of a link, or of a private
/// network.
fn has_public_name(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_private()
                || ip.is_link_local()
                || ip.is_multicast())
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_multicast())
        }
    }
}
