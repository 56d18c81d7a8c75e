//! Common causes of findings in many checks, so that one cause is one finding.

use std::collections::BTreeSet;
use std::net::IpAddr;

use address::Domain;
use hickory_proto::rr::RecordType;

use super::super::finding::{Finding, FindingId};
use super::super::observed::{Answer, NameFault};
use super::{Case, of_purpose};
use crate::dns::record::{Purpose, Record, fqdn};
use crate::dns::zone;

/// The causes found, and the names whose other findings they explain.
#[derive(Debug, Default)]
pub(super) struct Causes {
    /// Set if the machine's name is explained.
    pub(super) explains_host: bool,
    /// The explained domains.
    pub(super) explained: BTreeSet<Domain>,
    /// One finding per cause.
    pub(super) findings: Vec<Finding>,
}

/// Looks for common causes.
pub(super) fn of(case: &Case<'_>) -> Causes {
    let mut causes = Causes::default();
    zones(case, &mut causes);
    fresh(case, &mut causes);
    causes
}

/// Adds zones whose name servers do not answer, or whose signatures are invalid.
fn zones(case: &Case<'_>, causes: &mut Causes) {
    let host = case.facts.presence.hostname.clone();
    let mut names: Vec<&Domain> = case.facts.presence.domains.iter().chain([&host]).collect();
    // A zone's name before those within it.
    names.sort_by_key(|name| name.as_str().len());
    names.dedup();
    let mut zones: Vec<&Domain> = Vec::new();
    for name in names {
        let Some(fault) = fqdn(name).ok().and_then(|name| case.observed.faults.get(&name)) else { continue };
        if *name == host {
            causes.explains_host = true;
        }
        if case.facts.presence.domains.contains(name) {
            causes.explained.insert(name.clone());
        }
        if zones.iter().any(|zone| is_within(name, zone)) {
            continue;
        }
        zones.push(name);
        causes.findings.push(of_zone(name, fault));
    }
}

fn is_within(name: &Domain, zone: &Domain) -> bool {
    name.as_str().strip_suffix(zone.as_str()).is_some_and(|left| left.is_empty() || left.ends_with('.'))
}

fn of_zone(zone: &Domain, fault: &NameFault) -> Finding {
    match fault {
        NameFault::Bogus(reason) => Finding::error(
            FindingId::ZoneBogus,
            format!(
                "the signatures of {zone} are invalid (DNSSEC), so validating resolvers have no answers for it: {reason}"
            ),
            format!(
                "sign the zone again on its name server: knotc zone-sign {zone} (Knot), rndc sign {zone} (BIND); if \
                 its keys are new or gone, replace the DS record at the registrar, or remove it. To see which: delv \
                 @<its name server> {zone} SOA, dig {zone} DS"
            ),
        ),
        NameFault::Refused => Finding::error(
            FindingId::ResolverRefuses,
            format!("the resolver refuses to answer for {zone} (REFUSED)"),
            "allow this machine to query it, or set MAIL_DNS_SERVERS to another resolver",
        ),
        NameFault::Unanswered(reason) => Finding::error(
            FindingId::ZoneUnanswered,
            format!("the name servers of {zone} do not answer: {reason}"),
            format!(
                "list them with dig {zone} NS +trace, and query each: dig @<name server> {zone} SOA. At the registrar, \
                 enter the servers that have the zone; on a name server of your own, load the zone and open port 53 \
                 (UDP and TCP)"
            ),
        ),
    }
}

/// Adds domains for which nothing is published: a fresh installation.
fn fresh(case: &Case<'_>, causes: &mut Causes) {
    let is_fresh =
        |records: &[Record]| !records.is_empty() && records.iter().all(|record| is_nothing(case, record));
    let domains: Vec<&(Domain, Vec<Record>)> =
        case.wanted.domains.iter().filter(|(_, records)| is_fresh(records)).collect();
    let is_host_fresh =
        host_is_missing(case) && case.wanted.host.iter().all(|record| is_nothing(case, record));
    if domains.is_empty() {
        return;
    }
    let mut lines = Vec::new();
    if is_host_fresh {
        lines.extend(host_lines(case));
    }
    lines.extend(domains.iter().flat_map(|(_, records)| records).map(Record::line));
    let named: Vec<&str> = domains.iter().map(|(domain, _)| domain.as_str()).collect();
    causes.explained.extend(domains.iter().map(|(domain, _)| domain.clone()));
    causes.explains_host |= is_host_fresh;
    let mut fix =
        format!("paste this into the zone (`mailstead dns` prints it too): publish\n{}", lines.join("\n"));
    if is_host_fresh {
        let host = &case.facts.presence.hostname;
        let pointers: Vec<String> =
            case.facts.addresses.all().map(|address| zone::pointer(address, host)).collect();
        if !pointers.is_empty() {
            fix.push_str(
                "\nand set the reverse name where the address comes from, in the provider's panel:\n",
            );
            fix.push_str(&pointers.join("\n"));
        }
    }
    causes.findings.push(Finding::error(
        FindingId::NothingPublished,
        format!("no records are published yet for {}, so no mail arrives", named.join(" and ")),
        fix,
    ));
}

/// Returns true if DNS has no record of this kind.
fn is_nothing(case: &Case<'_>, record: &Record) -> bool {
    let Ok(name) = record.owner() else { return true };
    let is_absent = |kind| matches!(case.observed.answer(&name, kind), Answer::Nothing);
    match record.purpose {
        Purpose::Web => {
            !case.observed.aliases.contains_key(&name)
                && is_absent(RecordType::A)
                && is_absent(RecordType::AAAA)
        }
        // Other services publish TXT records at the domain's own name.
        Purpose::Spf => {
            let answer = case.observed.answer(&name, RecordType::TXT);
            !matches!(answer, Answer::Failed(_)) && case.observed.texts(&name, "v=spf1").is_empty()
        }
        _ => is_absent(record.kind()),
    }
}

/// Returns true if the machine's name has no address at all.
pub(super) fn host_is_missing(case: &Case<'_>) -> bool {
    let kinds = [RecordType::A, RecordType::AAAA];
    kinds.iter().all(|kind| *case.observed.answer(&case.host, *kind) == Answer::Nothing)
        && !host_is_alias(case)
}

/// Returns true if the machine's name is an alias.
pub(super) fn host_is_alias(case: &Case<'_>) -> bool {
    case.observed.aliases.contains_key(&case.host)
}

/// Returns true if the machine's name has an address of the same family that leads here.
pub(super) fn has_family(case: &Case<'_>, address: IpAddr) -> bool {
    let named = case.observed.addresses(&case.host);
    let mut others = named.iter().filter(|other| other.is_ipv4() == address.is_ipv4());
    others.any(|other| case.observed.leads_here(case.facts, *other))
}

/// The records to publish if the machine's name has no address: all of its missing records.
pub(super) fn host_records(case: &Case<'_>) -> String {
    format!("publish\n{}", host_lines(case).join("\n"))
}

fn host_lines(case: &Case<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if of_purpose(&case.wanted.host, Purpose::Address).next().is_none() {
        lines.push(format!("{} 3600 IN A <this machine's public IPv4 address>", case.host));
    }
    // An alias has no other records (RFC 2181 §10.1), so all of them are missing once it is removed.
    let comes = |record: &&Record| {
        is_nothing(case, record) || host_is_alias(case) && record.name == case.facts.presence.hostname
    };
    lines.extend(case.wanted.host.iter().filter(comes).map(Record::line));
    lines
}
