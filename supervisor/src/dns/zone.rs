//! The text of the zone: one record a line, names in full, so that each line can be pasted alone.

use std::fmt::Write;

use super::Facts;
use crate::signing_keys::PublicKey;

/// An hour: short enough to correct a mistake the same day.
const TTL: u32 = 3600;
/// A character string of DNS has at most 255 octets (RFC 1035 §3.3).
const LONGEST_STRING: usize = 255;

/// The records, with comments for what only a person can know or do.
pub(super) fn text(facts: &Facts) -> String {
    let host = facts.hostname.as_str();
    let mut zone = String::new();
    let mut line = |text: &str| {
        zone.push_str(text);
        zone.push('\n');
    };
    line(&format!("; {host}: this machine"));
    for address in &facts.addresses.v4 {
        line(&record(host, "A", &address.to_string()));
    }
    for address in &facts.addresses.v6 {
        line(&record(host, "AAAA", &address.to_string()));
    }
    if facts.addresses.v4.is_empty() && facts.addresses.v6.is_empty() {
        line(&format!("; {host}. {TTL} IN A <this machine's public IPv4 address>"));
        line(&format!("; {host}. {TTL} IN AAAA <its public IPv6 address, if it has one>"));
    }
    line(&format!("; Ask the provider to set the reverse name (PTR) of each address to {host}."));
    // What the machine says in HELO is checked by itself (RFC 7208 §2.3), and bounces have no other name.
    line(&record(host, "TXT", &strings("v=spf1 a -all")));
    for (domain, keys) in &facts.domains {
        line(&format!("\n; {domain}: its mail"));
        line(&record(domain.as_str(), "MX", &format!("10 {host}.")));
        line(&record(domain.as_str(), "TXT", &strings("v=spf1 mx -all")));
        for key in keys {
            line(&record(&format!("{}._domainkey.{domain}", key.selector), "TXT", &dkim(key)));
        }
        let policy = format!("v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}");
        line(&record(&format!("_dmarc.{domain}"), "TXT", &strings(&policy)));
        // Where mail clients look for the servers by themselves (RFC 6186, RFC 8314 §5.1).
        line(&record(&format!("_imaps._tcp.{domain}"), "SRV", &format!("0 1 993 {host}.")));
        line(&record(&format!("_submissions._tcp.{domain}"), "SRV", &format!("0 1 465 {host}.")));
    }
    zone
}

fn record(name: &str, kind: &str, content: &str) -> String {
    format!("{name}. {TTL} IN {kind} {content}")
}

/// RFC 6376 §3.6.1: the strings of a record are put together again without anything in between.
fn dkim(key: &PublicKey) -> String {
    strings(&format!("v=DKIM1; k={}; p={}", key.kind, key.base64))
}

/// A text in as many quoted strings as it needs. Nothing that we write has a quote or a backslash in it.
fn strings(text: &str) -> String {
    let mut quoted = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (string, after) = rest.split_at(rest.len().min(LONGEST_STRING));
        let separator = if quoted.is_empty() { "" } else { " " };
        let _ = write!(quoted, "{separator}\"{string}\"");
        rest = after;
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::addresses::Addresses;
    use super::*;
    use address::Domain;

    fn facts(addresses: Addresses) -> Facts {
        let key = |selector: &str, kind, length| PublicKey {
            selector: selector.into(),
            kind,
            base64: "A".repeat(length),
        };
        let domain = Domain::parse("example.org").unwrap();
        let keys = vec![key("one", "rsa", 392), key("two", "ed25519", 44)];
        Facts { hostname: domain.with_prefix("mail").unwrap(), addresses, domains: vec![(domain, keys)] }
    }

    #[test]
    fn every_record_is_a_line_that_stands_alone() {
        let text = text(&facts(Addresses::of_loopback()));
        for expected in [
            "mail.example.org. 3600 IN A 127.0.0.1",
            "mail.example.org. 3600 IN TXT \"v=spf1 a -all\"",
            "example.org. 3600 IN MX 10 mail.example.org.",
            "example.org. 3600 IN TXT \"v=spf1 mx -all\"",
            "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org\"",
            "_imaps._tcp.example.org. 3600 IN SRV 0 1 993 mail.example.org.",
        ] {
            assert!(text.lines().any(|line| line == expected), "{expected} is missing in\n{text}");
        }
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(';')) {
            assert!(line.contains(" IN "), "{line}");
        }
    }

    #[test]
    fn a_long_key_is_split_into_strings_that_dns_can_hold_and_loses_nothing() {
        let text = text(&facts(Addresses::of_loopback()));
        let record = text.lines().find(|line| line.starts_with("one._domainkey.example.org. ")).unwrap();
        let strings: Vec<&str> = record.split('"').skip(1).step_by(2).collect();
        assert_eq!(strings.len(), 2);
        assert!(strings.iter().all(|string| string.len() <= 255));
        assert_eq!(strings.concat(), format!("v=DKIM1; k=rsa; p={}", "A".repeat(392)));
    }

    #[test]
    fn without_an_address_it_is_said_what_to_put() {
        let text = text(&facts(Addresses { v4: Vec::new(), v6: Vec::new() }));
        assert!(
            text.contains("; mail.example.org. 3600 IN A <this machine's public IPv4 address>"),
            "{text}"
        );
    }
}
