//! The text of a zone: one record per line, with full names, so that each line can be pasted alone.

use std::net::IpAddr;

use address::Domain;
use hickory_proto::rr::Name;

use super::record::{Purpose, TTL};
use super::records::{SiteFacts, WantedRecords};

/// The records, with comments for what only the operator can know or do.
pub(super) fn text(facts: &SiteFacts, wanted: &WantedRecords) -> String {
    let host = &facts.presence.hostname;
    let mut zone = String::new();
    let mut line = |text: &str| {
        zone.push_str(text);
        zone.push('\n');
    };
    line(&format!("; {host}: this machine"));
    if facts.addresses.may_be_translated(true) {
        line(&format!("; {host}. {TTL} IN A <this machine's public IPv4 address>"));
    }
    if facts.addresses.is_empty() || facts.addresses.may_be_translated(false) {
        line(&format!("; {host}. {TTL} IN AAAA <its public IPv6 address, if it has one>"));
    }
    for record in &wanted.host {
        line(&record.line());
    }
    if wanted.host.iter().any(|record| record.purpose == Purpose::Dane) {
        line(
            "; The TLSA records have an effect only in a signed zone (DNSSEC). They stay right as long as the \
             certificate's key",
        );
        line("; stays the same.");
    }
    line(&format!(
        "; The reverse name of each address is set where the address comes from, not in this zone: {host}."
    ));
    for address in facts.addresses.all() {
        line(&pointer(address, host));
    }
    for (domain, records) in &wanted.domains {
        line(&format!("\n; {domain}: its mail"));
        if !records.iter().any(|record| record.purpose == Purpose::Dkim) {
            line("; The next start creates its signing keys; publish their records then.");
        }
        for record in records {
            line(&record.line());
        }
    }
    zone
}

/// The line of the reverse zone, as a comment.
pub(crate) fn pointer(address: IpAddr, host: &Domain) -> String {
    format!("; {} {TTL} IN PTR {host}.", Name::from(address))
}

#[cfg(test)]
mod tests {
    use super::super::addresses::Addresses;
    use super::super::records::tests::facts;
    use super::*;

    fn printed(facts: &SiteFacts) -> String {
        text(facts, &WantedRecords::of(facts).unwrap())
    }

    #[test]
    fn every_record_is_a_complete_line() {
        let text = printed(&facts());
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with(';')) {
            assert!(line.contains(". 3600 IN "), "{line}");
        }
        assert!(text.contains("; 7.100.51.198.in-addr.arpa. 3600 IN PTR mail.example.org.\n"), "{text}");
    }

    #[test]
    fn a_domain_without_keys_has_its_other_records_and_a_comment() {
        let mut facts = facts();
        let comment = "; The next start creates its signing keys";
        assert!(!printed(&facts).contains(comment));
        facts.presence.signatures.clear();
        let text = printed(&facts);
        assert!(text.contains(comment) && text.contains("IN MX 10 mail.example.org."), "{text}");
    }

    #[test]
    fn without_an_address_a_comment_shows_the_record() {
        let mut facts = facts();
        facts.addresses = Addresses::default();
        let text = printed(&facts);
        assert!(
            text.contains("; mail.example.org. 3600 IN A <this machine's public IPv4 address>"),
            "{text}"
        );
    }
}
