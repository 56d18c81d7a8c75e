use address::Domain;
use hickory_proto::rr::{Name, RData, RecordType};

use super::super::finding::{Finding, Id};
use super::{Case, of_purpose, plain, publish, publish_addresses, unanswered};
use crate::dns::record::{Purpose, Record, fqdn};

/// Mail for the domain goes to this machine, and only to it.
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let Ok(name) = fqdn(domain) else { return Vec::new() };
    if let Some(finding) = unanswered(case, &name, RecordType::MX) {
        return vec![finding];
    }
    let fix = || publish(of_purpose(wanted, Purpose::Exchange));
    let host = |data: &RData| match data {
        RData::MX(exchange) => Some(exchange.exchange.clone()),
        _ => None,
    };
    let hosts: Vec<Name> =
        case.world.answer(&name, RecordType::MX).records().iter().filter_map(host).collect();
    let others: Vec<String> = hosts.iter().filter(|host| **host != case.host).map(plain).collect();
    let mut findings = Vec::new();
    if hosts.is_empty() {
        findings.push(Finding::error(
            Id::MxMissing,
            format!("{domain} has no MX record, so its mail goes to whatever address the name itself has"),
            fix(),
        ));
    } else if others.len() == hosts.len() {
        findings.push(Finding::error(
            Id::MxElsewhere,
            format!("mail for {domain} goes to {} and not to {}", others.join(" and "), plain(&case.host)),
            format!("in the place of that, {}", fix()),
        ));
    } else if !others.is_empty() {
        findings.push(Finding::warning(
            Id::MxElsewhere,
            format!("mail for {domain} may go to {} too, which has to pass it on", others.join(" and ")),
            format!("unless that is on purpose, leave only one record: {}", fix()),
        ));
    }
    for host in hosts {
        if let Some(meant) = case.world.aliases.get(&host) {
            findings.push(Finding::error(
                Id::MxAlias,
                format!("the MX record of {domain} names {}, which is an alias of {}; some hosts refuse that", plain(&host), plain(meant)),
                match host == case.host {
                    true => format!("give {} addresses instead of the CNAME record: {}", plain(&host), publish_addresses(case)),
                    false => format!("name the host itself, in the place of that record: publish\n{name} 3600 IN MX 10 {meant}"),
                },
            ));
        }
    }
    findings
}
