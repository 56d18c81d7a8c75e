use std::net::IpAddr;

use hickory_proto::rr::{RData, RecordType};

use super::super::finding::{Finding, FindingId};
use super::super::observed::ConnectionOutcome;
use super::{Case, of_purpose, publish, replace_records, unanswered, without_dot};
use crate::dns::addresses::is_public;
use crate::dns::record::address;
use crate::dns::record::{Content, Purpose, Record};

/// Checks that the machine's name has the machine's addresses and no others: mail is sent to each of them in turn.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let host = &case.host;
    let unknown: Vec<Finding> =
        [RecordType::A, RecordType::AAAA].iter().filter_map(|kind| unanswered(case, host, *kind)).collect();
    if !unknown.is_empty() {
        return unknown;
    }
    if let Some(meant) = case.observed.aliases.get(host) {
        return vec![Finding::error(
            FindingId::MxAlias,
            format!(
                "{} is an alias of {}, and MX records name it; some hosts refuse such mail",
                without_dot(host),
                without_dot(meant)
            ),
            format!("remove\n{host} IN CNAME {meant}\n{}", super::causes::host_records(case)),
        )];
    }
    let seen = case.observed.addresses(host);
    if seen.is_empty() {
        let cause = format!("{} has no address", without_dot(host));
        return vec![Finding::error(FindingId::AddressMissing, cause, super::causes::host_records(case))];
    }
    [RecordType::A, RecordType::AAAA].into_iter().flat_map(|kind| of_family(case, kind, &seen)).collect()
}

fn of_family(case: &Case<'_>, kind: RecordType, seen: &[IpAddr]) -> Vec<Finding> {
    let named = without_dot(&case.host);
    let is_v4 = kind == RecordType::A;
    let is_of_kind = |record: &&Record| matches!(record.content, Content::A(_)) == is_v4;
    let wanted: Vec<&Record> = of_purpose(&case.wanted.host, Purpose::Address).filter(is_of_kind).collect();
    let seen: Vec<IpAddr> = seen.iter().copied().filter(|address| address.is_ipv4() == is_v4).collect();
    let mut findings = Vec::new();
    let (private, public): (Vec<IpAddr>, Vec<IpAddr>) =
        seen.iter().partition(|address| !is_public(**address));
    if !private.is_empty() {
        findings.push(Finding::error(
            FindingId::AddressPrivate,
            format!("{named} has the address {}, which no other host can reach", list(&private)),
            without(case, kind, &private, &wanted),
        ));
    }
    let strange: Vec<IpAddr> = public.into_iter().filter(|address| is_foreign(case, *address)).collect();
    if !strange.is_empty() {
        findings.push(Finding::error(
            FindingId::AddressDifferent,
            format!(
                "{named} has the address {}, which does not lead to this machine{}",
                list(&strange),
                other_response(case, &strange)
            ),
            without(case, kind, &strange, &wanted),
        ));
    }
    if wanted.is_empty() || !seen.is_empty() {
        return findings;
    }
    findings.push(match is_v4 {
        true => Finding::error(
            FindingId::AddressMissing,
            format!("{named} has no IPv4 address; many hosts send over IPv4 only"),
            publish(wanted),
        ),
        false => Finding::warning(
            FindingId::Ipv6Unpublished,
            format!(
                "this machine also sends over IPv6, and {named} has no IPv6 address, so receivers cannot confirm such mail"
            ),
            publish(wanted),
        ),
    });
    findings
}

/// Returns true if an address is known not to be this machine's. An address that a router may translate counts as ours,
/// unless another server answers there.
fn is_foreign(case: &Case<'_>, address: IpAddr) -> bool {
    if case.observed.leads_here(case.facts, address) {
        return false;
    }
    let is_other = matches!(case.observed.connections.get(&(address, 25)), Some(ConnectionOutcome::Other(_)));
    is_other && !is_proxied(case, address) || !case.facts.addresses.may_be_translated(address.is_ipv4())
}

/// Returns true if another port of the address leads here, so that only port 25 is intercepted.
fn is_proxied(case: &Case<'_>, address: IpAddr) -> bool {
    let mut others = case.observed.connections.iter().filter(|((ip, port), _)| *ip == address && *port != 25);
    others.any(|(_, outcome)| *outcome == ConnectionOutcome::Own)
}

fn other_response(case: &Case<'_>, strange: &[IpAddr]) -> String {
    let response = strange.iter().find_map(|address| match case.observed.connections.get(&(*address, 25)) {
        Some(ConnectionOutcome::Other(response)) => Some(format!("; {address} answers with {response}")),
        _ => None,
    });
    response.unwrap_or_default()
}

fn list(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// The records to remove, and the missing records to publish.
fn without(case: &Case<'_>, kind: RecordType, wrong: &[IpAddr], wanted: &[&Record]) -> String {
    let is_wrong = |data: &RData| address(data).is_some_and(|address| wrong.contains(&address));
    replace_records(case, &case.host, kind, is_wrong, wanted.iter().copied())
}
