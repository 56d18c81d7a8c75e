//! Forwarding of a peer's message to other hosts: the check that this host does not vouch for a forged author.
//!
//! A forwarded message leaves this host with a return path at its name, so SPF passes at the destination, and DMARC
//! aligns that name with the domains of this server (RFC 9989 §5.1.2). A forged author in one of these would pass
//! there, although it failed here.

use accounts::Directory;
use address::Domain;
use message::Author;
use smtp_proto::{Reply, replies};

use crate::checks::{AuthResult, AuthenticationResults, Method};
use crate::content::Content;

/// Refuses a message to forward whose author is in a domain of this server, or cannot be read, unless DMARC passed or the
/// domain has no policy.
pub(super) fn check(
    directory: &Directory,
    hostname: &Domain,
    content: &Content,
    results: &AuthenticationResults,
) -> Result<(), Reply> {
    let author = Author::of(content.header()).map_err(|error| replies::unreadable_author("From", error))?;
    let is_ours = |domain: &Domain| is_aligned(domain, hostname) || directory.nearest_local(domain).is_some();
    if !author.addresses().filter_map(|address| address.domain()).any(is_ours) {
        return Ok(());
    }
    let dmarc = results.findings().iter().find(|finding| finding.method == Method::Dmarc);
    match dmarc.map(|finding| finding.result) {
        Some(AuthResult::Pass | AuthResult::None) => Ok(()),
        Some(AuthResult::TempError) => Err(replies::FORWARD_DEFERRED),
        _ => Err(replies::FORWARD_REFUSED),
    }
}

/// True if the domain may have the organizational domain of this host: one is the other or below it, or both are below
/// the same domain.
fn is_aligned(domain: &Domain, hostname: &Domain) -> bool {
    let parent = hostname.parent();
    domain.is_within(parent.as_ref().unwrap_or(hostname)) || hostname.is_within(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_that_dmarc_aligns_with_this_host() {
        let host = Domain::parse("mail.example.org").unwrap();
        for (domain, expected) in [
            ("example.org", true),
            ("mail.example.org", true),
            ("news.example.org", true),
            ("a.mail.example.org", true),
            ("example.net", false),
            ("badexample.org", false),
        ] {
            assert_eq!(is_aligned(&Domain::parse(domain).unwrap(), &host), expected, "{domain}");
        }
    }
}
