//! The MTA-STS policy of every domain: other hosts must deliver only to the mail host, and only under TLS with a
//! certificate from a trusted authority (RFC 8461).
//!
//! The mode is `enforce` from the beginning. The purpose of `testing`, to learn of hosts with unsuitable certificates,
//! does not apply: there is one host, and the policy is served only while that host's own certificate is from an
//! authority. A host that cannot fetch a policy delivers as if there were none (RFC 8461 §5.1).

use std::fmt::Write;

use address::Domain;
use aws_lc_rs::digest::{SHA256, digest};

/// The path of the policy, below `https://mta-sts.<domain>` (RFC 8461 §3.2).
pub const PATH: &str = "/.well-known/mta-sts.txt";

/// The label in front of the domain.
pub const LABEL: &str = "mta-sts";

/// The time that other hosts keep the policy, in seconds. A week: long enough that an attacker who blocks its retrieval
/// gains little (RFC 8461 §10.2), short enough that a move to another host without MTA-STS ends within days.
const MAX_AGE: u32 = 7 * 24 * 3600;

/// The policy's text, for domains whose mail arrives at that host (RFC 8461 §3.2).
pub fn policy(hostname: &Domain) -> String {
    format!("version: STSv1\r\nmode: enforce\r\nmx: {hostname}\r\nmax_age: {MAX_AGE}\r\n")
}

/// The `id` of the record `_mta-sts.<domain>`: it changes when the policy does, and only then (RFC 8461 §3.1: at most
/// 32 letters and digits).
pub fn id(hostname: &Domain) -> String {
    let digest = digest(&SHA256, policy(hostname).as_bytes());
    digest.as_ref().iter().take(10).fold(String::new(), |mut id, octet| {
        // Writing to a string does not fail.
        let _ = write!(id, "{octet:02x}");
        id
    })
}

/// The record's text.
pub fn record(hostname: &Domain) -> String {
    format!("v=STSv1; id={};", id(hostname))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_has_the_rfcs_form_and_its_id_follows_the_text() {
        let host = |name| Domain::parse(name).unwrap();
        assert_eq!(
            policy(&host("mail.example.org")),
            "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n"
        );
        let one = id(&host("mail.example.org"));
        assert_eq!(one, id(&host("mail.example.org")));
        assert_ne!(one, id(&host("mx.example.org")));
        assert!(one.len() <= 32 && one.chars().all(|c| c.is_ascii_alphanumeric()), "{one}");
        assert_eq!(record(&host("mail.example.org")), format!("v=STSv1; id={one};"));
    }
}
