//! The checks: pure functions from the wanted and the observed state to findings, without any I/O.

mod addresses;
mod authority;
mod blocklists;
mod causes;
mod certificate;
mod clock;
mod dane;
mod dkim;
mod dmarc;
mod dmarc_reports;
mod encryption;
mod exchange;
mod gateway;
mod generic_name;
mod health;
mod incoming;
mod port25;
mod resolver;
mod reverse;
mod services;
mod spf;
mod volume;
mod web;

use address::Domain;
use hickory_proto::rr::{Name, RData, RecordType};

use super::finding::{Finding, FindingId};
use super::observed::{Answer, ObservedState};
use super::report::{Check, CheckResult, Report};
use crate::dns::record::{Purpose, Record, line_of};
use crate::dns::records::{SiteFacts, WantedRecords};

/// The data available to a check.
pub(super) struct Case<'a> {
    pub(super) facts: &'a SiteFacts,
    pub(super) wanted: &'a WantedRecords,
    pub(super) observed: &'a ObservedState,
    /// The machine's name.
    pub(super) host: Name,
}

/// A check of the whole machine.
type MachineCheck = fn(&Case<'_>) -> Vec<Finding>;
/// A check of one domain, with the records that it is to have.
type DomainCheck = fn(&Case<'_>, &Domain, &[Record]) -> Vec<Finding>;

/// The checks of DNS and of the outside view of the machine.
const DNS_CHECKS: [(Check, MachineCheck); 4] = [
    (Check::Addresses, addresses::check),
    (Check::Authority, authority::check),
    (Check::Dane, dane::check),
    (Check::Reverse, reverse::check),
];

/// The checks of DNS for each domain.
const DOMAIN_CHECKS: [(Check, DomainCheck); 8] = [
    (Check::Exchange, exchange::check),
    (Check::Spf, spf::check),
    (Check::Dkim, dkim::check),
    (Check::Dmarc, dmarc::check),
    (Check::MtaSts, encryption::policy),
    (Check::TlsReporting, encryption::reporting),
    (Check::Services, services::check),
    (Check::Web, web::check),
];

/// The checks of the machine itself.
const MACHINE_CHECKS: [(Check, MachineCheck); 9] = [
    (Check::Incoming, incoming::check),
    (Check::Port25, port25::check),
    (Check::Blocklists, blocklists::check),
    (Check::Clock, clock::check),
    (Check::Space, volume::space),
    (Check::Volume, volume::rights),
    (Check::Certificate, certificate::check),
    (Check::Health, health::check),
    (Check::Gateway, gateway::check),
];

/// The extent of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything.
    Whole,
    /// The view from outside only; other parts of the steward watch the rest.
    Outside,
}

/// Runs the checks. If no name server answers, that is the only finding about records.
pub(super) fn run(case: &Case<'_>, scope: Scope) -> Report {
    let host = case.facts.presence.hostname.as_str();
    let of_machine = |(check, run_check): (Check, MachineCheck)| CheckResult {
        check,
        about: host.to_owned(),
        findings: run_check(case),
    };
    let resolver = resolver::check(case);
    const SILENT: [FindingId; 3] =
        [FindingId::ResolverSilent, FindingId::ResolverRefuses, FindingId::ResolverFails];
    let is_silent = resolver.iter().any(|finding| SILENT.contains(&finding.id));
    let mut checked =
        vec![CheckResult { check: Check::Resolver, about: host.to_owned(), findings: resolver }];
    if !is_silent && !case.facts.presence.is_local {
        let causes = causes::of(case);
        checked.push(CheckResult {
            check: Check::Publication,
            about: host.to_owned(),
            findings: causes.findings,
        });
        if !causes.explains_host {
            checked.extend(DNS_CHECKS.map(of_machine));
            // If the host has no addresses of its own, its other records are published together with them.
            let is_explained = causes::host_is_missing(case) || causes::host_is_alias(case);
            let spf = if is_explained { Vec::new() } else { spf::of_host(case) };
            checked.push(CheckResult { check: Check::Spf, about: host.to_owned(), findings: spf });
        }
        for (domain, records) in &case.wanted.domains {
            if causes.explained.contains(domain) {
                continue;
            }
            checked.extend(DOMAIN_CHECKS.map(|(check, run_check)| CheckResult {
                check,
                about: domain.to_string(),
                findings: run_check(case, domain, records),
            }));
        }
    }
    let is_in_scope = |(check, _): &(Check, MachineCheck)| {
        let of_outside = matches!(check, Check::Port25 | Check::Blocklists | Check::Clock);
        // Without a resolver, no blocklist answers and no host is found. Checks that were not made are not in the
        // report.
        let is_lost = match check {
            Check::Blocklists => is_silent,
            Check::Port25 => is_silent && port25::is_nameless(case),
            Check::Incoming => !incoming::is_checked(case),
            _ => false,
        };
        // A demo is not connected to other hosts.
        (scope == Scope::Whole || of_outside) && !(case.facts.presence.is_local && of_outside) && !is_lost
    };
    checked.extend(MACHINE_CHECKS.into_iter().filter(is_in_scope).map(of_machine));
    Report(without_duplicates(checked))
}

/// Removes findings that several checks have made with the same text.
fn without_duplicates(mut checked: Vec<CheckResult>) -> Vec<CheckResult> {
    let mut known: Vec<Finding> = Vec::new();
    for checked in &mut checked {
        checked.findings.retain(|finding| {
            let is_new = !known.contains(finding);
            if is_new {
                known.push(finding.clone());
            }
            is_new
        });
    }
    checked
}

/// The records of one purpose.
fn of_purpose(records: &[Record], purpose: Purpose) -> impl Iterator<Item = &Record> {
    records.iter().filter(move |record| record.purpose == purpose)
}

/// The fix to publish records.
fn publish<'a>(records: impl IntoIterator<Item = &'a Record>) -> String {
    let lines: Vec<String> = records.into_iter().map(Record::line).collect();
    format!("publish\n{}", lines.join("\n"))
}

/// The wrong records of a name and type to remove, and the missing records to publish. Each is a line that an update
/// accepts unchanged.
fn replace_records<'a>(
    case: &Case<'_>,
    name: &Name,
    kind: RecordType,
    is_wrong: impl Fn(&RData) -> bool,
    wanted: impl IntoIterator<Item = &'a Record>,
) -> String {
    let found = case.observed.answer(name, kind).records();
    let removed: Vec<String> = match case.observed.aliases.get(name) {
        // The records are those of the alias's target.
        Some(alias) => vec![format!("{name} IN CNAME {alias}")],
        None => found.iter().filter(|data| is_wrong(data)).map(|data| line_of(name, data)).collect(),
    };
    let is_there =
        |record: &&Record| record.data().is_ok_and(|data| found.contains(&data) && !is_wrong(&data));
    let added: Vec<String> =
        wanted.into_iter().filter(|record| !is_there(record)).map(Record::line).collect();
    replacement(&removed, &added)
}

/// The same for whole names: all of their records of that type, or their addresses, are replaced.
fn replace_names<'a>(case: &Case<'_>, names: impl IntoIterator<Item = (Name, &'a Record)>) -> String {
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for (name, record) in names {
        let kinds = match record.kind() {
            RecordType::CNAME => vec![RecordType::A, RecordType::AAAA],
            kind => vec![kind],
        };
        match case.observed.aliases.get(&name) {
            Some(alias) => removed.push(format!("{name} IN CNAME {alias}")),
            None => {
                let found = kinds.iter().flat_map(|kind| case.observed.answer(&name, *kind).records());
                removed.extend(found.map(|data| line_of(&name, data)));
            }
        }
        added.push(record.line());
    }
    replacement(&removed, &added)
}

fn replacement(removed: &[String], added: &[String]) -> String {
    let part = |what: &str, lines: &[String]| match lines {
        [] => None,
        lines => Some(format!("{what}\n{}", lines.join("\n"))),
    };
    let parts = [part("remove", removed), part("publish", added)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// A name for use in a sentence, without the trailing dot. In a record the dot stays.
fn without_dot(name: &Name) -> String {
    let text = name.to_string();
    text.strip_suffix('.').filter(|text| !text.is_empty()).unwrap_or(&text).to_owned()
}

/// The finding for a name without an answer, which does not mean that the name has no records.
fn unanswered(case: &Case<'_>, name: &Name, kind: RecordType) -> Option<Finding> {
    match case.observed.answer(name, kind) {
        Answer::Failed(why) => Some(Finding::warning(
            FindingId::Unanswered,
            format!("no answer for {kind} of {}: {why}", without_dot(name)),
            format!(
                "query by hand: `dig {name} {kind}`; if that fails too, check the name servers of the zone, and its \
                 signatures if it has any"
            ),
        )),
        Answer::Found(_) | Answer::Nothing => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
