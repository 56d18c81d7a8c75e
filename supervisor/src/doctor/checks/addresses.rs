use std::net::IpAddr;

use hickory_proto::rr::RecordType;

use super::super::finding::{Finding, Id};
use super::{Case, of_purpose, plain, publish, publish_addresses, unanswered};
use crate::dns::record::{Content, Purpose, Record};

/// The machine's name has the machine's addresses and no others: mail for it goes to each of them in turn.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let ours = &case.facts.addresses;
    let host = &case.host;
    let named = plain(host);
    let missing = |wanted: &Record| match wanted.content {
        Content::A(_) => RecordType::A,
        _ => RecordType::AAAA,
    };
    let unknown: Vec<Finding> =
        [RecordType::A, RecordType::AAAA].iter().filter_map(|kind| unanswered(case, host, *kind)).collect();
    if !unknown.is_empty() {
        return unknown;
    }
    let seen = case.world.addresses(host);
    let of_family = |address: &IpAddr, kind| address.is_ipv4() == (kind == RecordType::A);
    let wanted = || of_purpose(&case.wanted.host, Purpose::Address);
    if seen.is_empty() {
        let cause = format!("{named} has no address");
        return vec![Finding::error(Id::AddressMissing, cause, publish_addresses(case))];
    }
    let mut findings = Vec::new();
    // Behind a router that translates addresses only its owner knows them.
    if ours.is_empty() {
        return findings;
    }
    let strange: Vec<String> =
        seen.iter().filter(|address| !ours.contains(**address)).map(ToString::to_string).collect();
    if !strange.is_empty() {
        findings.push(Finding::error(
            Id::AddressDifferent,
            format!("{named} has the address {}, which is none of this machine's", strange.join(" and ")),
            format!("take it away, and {}", publish(wanted())),
        ));
    }
    for kind in [RecordType::A, RecordType::AAAA] {
        let lines: Vec<&Record> = wanted().filter(|record| missing(record) == kind).collect();
        if lines.is_empty() || seen.iter().any(|address| of_family(address, kind)) {
            continue;
        }
        findings.push(match kind {
            RecordType::A => Finding::error(
                Id::AddressMissing,
                format!("{named} has no IPv4 address, which many hosts have nothing else to send to"),
                publish(lines),
            ),
            _ => Finding::warning(
                Id::Ipv6Unpublished,
                format!("this machine sends over IPv6 too, and {named} has no IPv6 address: nobody can confirm whose such mail is"),
                publish(lines),
            ),
        });
    }
    findings
}
