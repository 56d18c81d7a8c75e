//! The checks: from what is wanted and what was seen to what is wrong. Nothing here asks anybody.

mod addresses;
mod authority;
mod blocklists;
mod certificate;
mod clock;
mod dane;
mod dkim;
mod dmarc;
mod encryption;
mod exchange;
mod gateway;
mod health;
mod port25;
mod resolver;
mod reverse;
mod services;
mod spf;
mod volume;
mod web;

use address::Domain;
use hickory_proto::rr::{Name, RecordType};

use super::finding::{Finding, Id};
use super::report::{Check, Checked, Report};
use super::world::{Answer, World};
use crate::dns::record::{Purpose, Record};
use crate::dns::records::{Facts, Wanted};

/// All that a check may look at.
pub(super) struct Case<'a> {
    pub(super) facts: &'a Facts,
    pub(super) wanted: &'a Wanted,
    pub(super) world: &'a World,
    /// The machine's name.
    pub(super) host: Name,
}

/// A check of the whole machine.
type OfMachine = fn(&Case<'_>) -> Vec<Finding>;
/// A check of one domain, with the records that it is to have.
type OfDomain = fn(&Case<'_>, &Domain, &[Record]) -> Vec<Finding>;

/// Those of what DNS and the world say of the machine.
const IN_DNS: [(Check, OfMachine); 4] = [
    (Check::Addresses, addresses::check),
    (Check::Authority, authority::check),
    (Check::Dane, dane::check),
    (Check::Reverse, reverse::check),
];

/// Those of what DNS says of each domain.
const OF_DOMAINS: [(Check, OfDomain); 8] = [
    (Check::Exchange, exchange::check),
    (Check::Spf, spf::check),
    (Check::Dkim, dkim::check),
    (Check::Dmarc, dmarc::check),
    (Check::MtaSts, encryption::policy),
    (Check::TlsReporting, encryption::reporting),
    (Check::Services, services::check),
    (Check::Web, web::check),
];

/// Those of the machine itself.
const HERE: [(Check, OfMachine); 8] = [
    (Check::Port25, port25::check),
    (Check::Blocklists, blocklists::check),
    (Check::Clock, clock::check),
    (Check::Space, volume::space),
    (Check::Volume, volume::rights),
    (Check::Certificate, certificate::check),
    (Check::Health, health::check),
    (Check::Gateway, gateway::check),
];

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything.
    Whole,
    /// What the world sees; the rest is watched by others.
    World,
}

/// Judges. Where no name server answers, that is all that can be said of the records.
pub(super) fn judge(case: &Case<'_>, scope: Scope) -> Report {
    let host = case.facts.presence.hostname.as_str();
    let of_machine =
        |(check, judge): (Check, OfMachine)| Checked { check, about: host.to_owned(), findings: judge(case) };
    let resolver = resolver::check(case);
    let is_silent = resolver.iter().any(|finding| finding.id == Id::ResolverSilent);
    let mut checked = vec![Checked { check: Check::Resolver, about: host.to_owned(), findings: resolver }];
    if !is_silent && !case.facts.presence.is_local {
        checked.extend(IN_DNS.map(of_machine));
        let spf = spf::of_host(case);
        checked.push(Checked { check: Check::Spf, about: host.to_owned(), findings: spf });
        for (domain, records) in &case.wanted.domains {
            checked.extend(OF_DOMAINS.map(|(check, judge)| Checked {
                check,
                about: domain.to_string(),
                findings: judge(case, domain, records),
            }));
        }
    }
    let is_in_scope = |(check, _): &(Check, OfMachine)| {
        let of_world = matches!(check, Check::Port25 | Check::Blocklists | Check::Clock);
        // A demo can be reached by nobody, and reaches nobody.
        (scope == Scope::Whole || of_world) && !(case.facts.presence.is_local && of_world)
    };
    checked.extend(HERE.into_iter().filter(is_in_scope).map(of_machine));
    Report(checked)
}

/// Of several records those for one purpose.
fn of_purpose(records: &[Record], purpose: Purpose) -> impl Iterator<Item = &Record> {
    records.iter().filter(move |record| record.purpose == purpose)
}

/// What to publish.
fn publish<'a>(records: impl IntoIterator<Item = &'a Record>) -> String {
    let lines: Vec<String> = records.into_iter().map(Record::line).collect();
    format!("publish\n{}", lines.join("\n"))
}

/// The addresses of the machine's name; behind a router that translates them, only its owner knows them.
fn publish_addresses(case: &Case<'_>) -> String {
    let mut records = of_purpose(&case.wanted.host, Purpose::Address).peekable();
    match records.peek() {
        Some(_) => publish(records),
        None => format!("publish\n{} 3600 IN A <this machine's public IPv4 address>", case.host),
    }
}

/// A name in a sentence, where a dot behind it would end that. In a record the dot stays.
fn plain(name: &Name) -> String {
    let text = name.to_string();
    text.strip_suffix('.').filter(|text| !text.is_empty()).unwrap_or(&text).to_owned()
}

/// Nothing is known of a name, which is not the same as that it has nothing.
fn unanswered(case: &Case<'_>, name: &Name, kind: RecordType) -> Option<Finding> {
    match case.world.answer(name, kind) {
        Answer::Failed(why) => Some(Finding::warning(
            Id::Unanswered,
            format!("nothing is known of {kind} of {}: {why}", plain(name)),
            format!(
                "ask by hand, `dig {name} {kind}`; when that fails too, see the name servers of the zone, and its \
                 signatures when it has any"
            ),
        )),
        Answer::Found(_) | Answer::Nothing => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
