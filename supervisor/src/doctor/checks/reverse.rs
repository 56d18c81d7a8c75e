use std::net::IpAddr;

use hickory_proto::rr::{Name, RData};

use super::super::finding::{Finding, FindingId, Severity};
use super::super::observed::{Answer, Reverse};
use super::generic_name::is_generic;
use super::{Case, without_dot};
use crate::dns::record::line_of;
use crate::dns::zone::pointer;

/// Checks that the reverse name of each address is the machine's name, and that this name resolves to the address:
/// receivers check this first.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    if case.observed.reverse.is_empty() {
        let host = &case.facts.presence.hostname;
        return vec![Finding::notice(
            FindingId::NotChecked,
            format!(
                "reverse names were not checked: no public address of this machine is known, from its interfaces or \
                 from {host}"
            ),
            format!(
                "publish the address of {host} and check again, or query by hand: `dig -x` with the address"
            ),
        )];
    }
    case.observed
        .reverse
        .iter()
        .filter_map(|(address, reverse)| of_address(case, *address, reverse))
        .collect()
}

fn of_address(case: &Case<'_>, address: IpAddr, reverse: &Reverse) -> Option<Finding> {
    let host = &case.host;
    let line = pointer(address, &case.facts.presence.hostname);
    let fix = format!(
        "where the address comes from (the provider's panel), set its reverse name to {}, and {}publish\n{}",
        without_dot(host),
        removed(address, reverse),
        line.trim_start_matches("; ")
    );
    let name = |data: &RData| match data {
        RData::PTR(name) => Some(name.0.clone()),
        _ => None,
    };
    let names: Vec<Name> = match &reverse.names {
        Answer::Found(records) => records.iter().filter_map(name).collect(),
        Answer::Nothing => Vec::new(),
        Answer::Failed(why) => {
            let cause = format!("no answer for the reverse name of {address}: {why}");
            return Some(Finding::warning(
                FindingId::Unanswered,
                cause,
                format!("query by hand: `dig -x {address}`"),
            ));
        }
    };
    // Mail then leaves over IPv4, and only hosts without IPv4 refuse it.
    let has_other = address.is_ipv6() && !case.facts.addresses.v4.is_empty();
    let (severity, until) = match has_other {
        true => (Severity::Warning, "; until it is set, mail is sent over IPv4 to all hosts that have IPv4"),
        false => (Severity::Error, ""),
    };
    let leads_back = |name: &Name| reverse.forward.get(name).is_some_and(|found| found.contains(&address));
    let shown_names: Vec<String> = names.iter().map(without_dot).collect();
    if names.is_empty() {
        let cause = format!("{address} has no reverse name; most hosts refuse mail from it{until}");
        return Some(Finding::new(severity, FindingId::ReverseMissing, cause, fix));
    }
    if names.contains(host) && names.len() > 1 {
        let others: Vec<String> = names
            .iter()
            .filter(|name| *name != host)
            .map(|name| format!("{} IN PTR {name}", Name::from(address)))
            .collect();
        return Some(Finding::notice(
            FindingId::ReverseSeveral,
            format!(
                "{address} has the names {}, and some hosts check only one of them",
                shown_names.join(" and ")
            ),
            format!("where the address comes from (the provider's panel), remove\n{}", others.join("\n")),
        ));
    }
    if names.contains(host) {
        // If the host name lacks this address, that is a finding of its own.
        let is_explained = super::causes::host_is_missing(case) || !super::causes::has_family(case, address);
        return (!leads_back(host) && !is_explained).then(|| {
            Finding::new(
                severity,
                FindingId::ReverseUnconfirmed,
                format!(
                    "{address} has the name {}, but that name does not have the address{until}",
                    without_dot(host)
                ),
                format!("publish {} with {address}, or send from the address that it has", without_dot(host)),
            )
        });
    }
    let cause = format!(
        "{address} has the name {}, and the machine calls itself {}",
        shown_names.join(" and "),
        without_dot(host)
    );
    let leads_back = names.iter().any(leads_back);
    if leads_back && names.iter().all(|name| is_generic(name, address)) {
        let cause = format!(
            "{address} has the name {}, which the provider has made for it: T-Online and GMX refuse mail from such \
             addresses, and Microsoft takes them for home connections",
            shown_names.join(" and ")
        );
        return Some(Finding::warning(FindingId::ReverseGeneric, cause, fix));
    }
    Some(match leads_back {
        true => Finding::warning(FindingId::ReverseDifferent, cause, fix),
        false => Finding::new(severity, FindingId::ReverseDifferent, cause + until, fix),
    })
}

/// The existing names, as the lines to remove.
fn removed(address: IpAddr, reverse: &Reverse) -> String {
    let records = reverse.names.records();
    let lines: Vec<String> = records.iter().map(|data| line_of(&Name::from(address), data)).collect();
    if lines.is_empty() { String::new() } else { format!("remove\n{}\n", lines.join("\n")) }
}
