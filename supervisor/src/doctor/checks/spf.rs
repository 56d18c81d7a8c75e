use std::net::IpAddr;

use address::Domain;
use hickory_proto::rr::{Name, RData, RecordType};
use spf::{Fault, Place, Qualifier, Query, Stop, Verdict, check_host, is_readable};

use super::super::finding::{Finding, FindingId, Severity};
use super::super::observed::text;
use super::super::receiver::{ReceiverView, mail_from};
use super::{Case, of_purpose, publish, replace_records, unanswered};
use crate::dns::record::{Content, Purpose, Record, fqdn};
use crate::dns::spf_text::{has_version, merged, needs_dns, network};

/// The limit of hosts in an `mx` term; more break a record (RFC 7208 §4.6.4).
const MAX_EXCHANGES: usize = 10;
/// The number of terms that need DNS to keep in a record that has too many: the records that they refer to need lookups
/// too.
const MAX_KEPT: usize = 3;

/// Checks the SPF record of the name that the machine sends in HELO.
pub(super) fn of_host(case: &Case<'_>) -> Vec<Finding> {
    of_name(case, &case.facts.presence.hostname, &case.wanted.host)
}

/// Checks which hosts may send for the domain (RFC 7208).
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    of_name(case, domain, wanted)
}

fn of_name(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let Some(record) = of_purpose(wanted, Purpose::Spf).next() else { return Vec::new() };
    let Ok(name) = fqdn(domain) else { return Vec::new() };
    if let Some(finding) = unanswered(case, &name, RecordType::TXT) {
        return vec![finding];
    }
    let texts = case.observed.texts(&name, "v=spf1");
    let finding = match texts.as_slice() {
        [] => Finding::error(
            FindingId::SpfMissing,
            format!("{domain} has no SPF record, and large receivers refuse such mail"),
            publish([record]),
        ),
        [text] if Content::Txt(text.clone()) == record.content && case.facts.presence.is_relayed => {
            return for_relay(case, &name, record).into_iter().collect();
        }
        [text] if Content::Txt(text.clone()) == record.content => return Vec::new(),
        [text] => {
            let published = PublishedSpf { case, name, wanted: record, text };
            return published.worst_finding().or_else(|| published.neutral()).into_iter().collect();
        }
        [..] => {
            let published = PublishedSpf { case, name: name.clone(), wanted: record, text: &texts[0] };
            let own = case.observed.own_addresses(case.facts, &case.host);
            let joined = merged(&texts, &published.passing(), &own);
            let joined = joined.map(|text| Record { content: Content::Txt(text), ..record.clone() });
            Finding::error(
                FindingId::SpfSeveral,
                format!("{domain} has {} SPF records, which count as none (RFC 7208 §4.5)", texts.len()),
                replace_records(case, &name, RecordType::TXT, is_spf, [joined.as_ref().unwrap_or(record)]),
            )
        }
    };
    vec![finding]
}

/// The finding if the record is our own, which permits only this machine, although mail leaves through a relay. The
/// relay's HELO name is its own business.
fn for_relay(case: &Case<'_>, name: &Name, record: &Record) -> Option<Finding> {
    let Content::Txt(ours) = &record.content else { return None };
    let added = ours.replace(" -all", " include:<the provider's term> -all");
    let fix = "add the SPF term of that host's provider, as in";
    (*name != case.host || case.facts.presence.domains.contains(&record.name)).then(|| {
        Finding::warning(
            FindingId::SpfDifferent,
            format!(
                "mail leaves through the host of MAIL_RELAY_URL, and the SPF record of {} permits only this machine: \
                 {ours}",
                record.name
            ),
            format!("{fix}\n{name} 3600 IN TXT \"{added}\""),
        )
    })
}

/// A published record that differs from the wanted one.
struct PublishedSpf<'a> {
    case: &'a Case<'a>,
    name: Name,
    wanted: &'a Record,
    text: &'a str,
}

type Outcome = Result<Verdict, Stop>;

impl PublishedSpf<'_> {
    /// Evaluates the record as receivers do, for mail from each of our addresses, and returns the worst result.
    fn worst_finding(&self) -> Option<Finding> {
        let case = self.case;
        let own = case.observed.own_addresses(case.facts, &case.host);
        let seen = ReceiverView { names: &case.observed.names, host: &case.host, own: &own };
        let helo = &case.facts.presence.hostname;
        let of = |ip: &IpAddr| check_host(&seen, &mail_from(*ip, &self.wanted.name, helo));
        let outcomes: Vec<(&IpAddr, Outcome)> = own.iter().map(|ip| (ip, of(ip))).collect();
        let worst = outcomes.iter().map(|(_, outcome)| outcome).max_by_key(|outcome| severity(outcome))?;
        let same = outcomes.iter().filter(|(_, outcome)| outcome == worst);
        let ips: Vec<String> = same.map(|(ip, _)| ip.to_string()).collect();
        self.finding(worst, &ips.join(" and "))
    }

    fn finding(&self, outcome: &Outcome, ips: &str) -> Option<Finding> {
        let (domain, text) = (&self.wanted.name, self.text);
        let (id, cause, fix) = match outcome {
            // Whether the record permits the relay is not known here.
            Ok(_) | Err(Stop::Unanswered(..) | Stop::Pending(_)) if self.case.facts.presence.is_relayed => {
                return None;
            }
            Ok(verdict) => {
                let what = match verdict.qualifier {
                    Qualifier::Pass => return self.open(verdict),
                    Qualifier::Fail => "is forged (fail",
                    Qualifier::SoftFail => "is probably forged (softfail",
                    Qualifier::Neutral => "is of unknown origin (neutral",
                };
                let why = match &verdict.by {
                    Some(place) => format!("by {}", self.describe_term(place)),
                    None => "since none of its terms matches".to_owned(),
                };
                let cause = format!("by the SPF record of {domain}, mail from {ips} {what}, {why}): {text}");
                (FindingId::SpfDifferent, cause, self.replacement(None))
            }
            Err(Stop::Broken(broken)) => {
                let (fault, place) = &**broken;
                let (id, what) = self.broken(fault, place);
                let cause = format!(
                    "the SPF record of {domain} is broken (permerror) for mail from {ips}: {what}: {text}"
                );
                (id, cause, self.fix(fault, place))
            }
            // The domain publishes a text that begins like a record and is not one.
            Err(Stop::Absent) => {
                let version = text.split(' ').next().unwrap_or_default();
                let cause = format!(
                    "receivers ignore the SPF record of {domain}: it begins with {version} instead of v=spf1 and a \
                     space (RFC 7208 §4.5): {text}"
                );
                let fix = self.replacement(Some(version));
                (FindingId::SpfSyntax, cause, fix)
            }
            Err(Stop::Unanswered(question, why)) => return Some(self.unknown(ips, question, why)),
            Err(Stop::Pending(questions)) => {
                return Some(self.unknown(ips, questions.first()?, "it was not queried in time"));
            }
        };
        Some(Finding::new(severity(outcome), id, cause, fix))
    }

    fn unknown(&self, ips: &str, (name, kind): &Query, why: &str) -> Finding {
        let domain = &self.wanted.name;
        Finding::warning(
            FindingId::Unanswered,
            format!("it is unknown if the SPF record of {domain} permits {ips}: {kind} of {name}, {why}"),
            format!(
                "query by hand: `dig {name} {kind}`; or publish a record that does not need that answer: {}",
                self.replacement(None)
            ),
        )
    }

    fn broken(&self, fault: &Fault, place: &Place) -> (FindingId, String) {
        let term = self.describe_term(place);
        match fault {
            Fault::Syntax(why) => (FindingId::SpfSyntax, format!("{term} is malformed: {why}")),
            Fault::Length(octets) => (
                FindingId::SpfSyntax,
                format!("the record that {term} refers to has {octets} octets, which is too long"),
            ),
            Fault::Records(None, _) => (FindingId::SpfInclude, format!("{term} names no domain")),
            Fault::Records(Some(of), 0) => {
                (FindingId::SpfInclude, format!("{term} refers to {of}, which has no SPF record"))
            }
            Fault::Records(Some(of), count) => (
                FindingId::SpfInclude,
                format!("{term} refers to {of}, which has {count} SPF records, which count as none"),
            ),
            Fault::Lookups => {
                (FindingId::SpfLookups, format!("{term} exceeds the limit of ten lookups (RFC 7208 §4.6.4)"))
            }
            Fault::Hosts(count) => (
                FindingId::SpfLookups,
                format!("{term} has {count} hosts, and ten are allowed (RFC 7208 §4.6.4)"),
            ),
            Fault::Voids(names) => {
                let names: Vec<String> = names.iter().map(Name::to_string).collect();
                let what = "it looks up more than two records that do not exist (RFC 7208 §4.6.4), of";
                (FindingId::SpfLookups, format!("{what} {}", names.join(" and ")))
            }
        }
    }

    fn fix(&self, fault: &Fault, place: &Place) -> String {
        match fault {
            Fault::Syntax(_) | Fault::Length(_) | Fault::Records(..) => self.replacement(Some(in_own(place))),
            Fault::Lookups | Fault::Hosts(_) | Fault::Voids(_) => format!(
                "remove terms that are no longer needed, and name networks with ip4: and ip6:, which need no lookup; \
                 until then, to let mail from here pass: {}",
                self.within_limits()
            ),
        }
    }

    /// A term with its position, for a sentence.
    fn describe_term(&self, place: &Place) -> String {
        match &place.through {
            None => format!("its term {}", place.term),
            Some(through) => format!("the term {} of {} (by way of {through})", place.term, place.record),
        }
    }

    /// The record with a term at its beginning that permits this machine, and without the term that breaks it. If no
    /// useful term is left, our own record.
    fn replacement(&self, broken: Option<&str>) -> String {
        let pass = self.passing();
        let terms = self.text.split(' ').skip(1).filter(|term| !term.is_empty());
        let mut others: Vec<&str> = terms.filter(|term| *term != pass && Some(*term) != broken).collect();
        // The broken term may have been meant as the `all`.
        if broken.is_some_and(|term| term.to_ascii_lowercase().contains("all"))
            && !others.iter().any(|term| is_all(term))
        {
            others.push("-all");
        }
        let text = format!("v=spf1 {pass} {}", others.join(" "));
        let is_printable = !text.contains(['"', '\\']);
        let decides_all = broken.is_none_or(|term| !term.to_ascii_lowercase().starts_with("redirect="));
        let record = if is_readable(&text) && is_printable && decides_all && !others.is_empty() {
            Record { content: Content::Txt(text), ..self.wanted.clone() }
        } else {
            self.wanted.clone()
        };
        replace_records(self.case, &self.name, RecordType::TXT, is_spf, [&record])
    }

    /// A record that permits this machine within the limit of lookups, without the terms beyond it.
    fn within_limits(&self) -> String {
        let own = self.case.observed.own_addresses(self.case.facts, &self.case.host);
        let terms = self.text.split_ascii_whitespace().skip(1);
        let mut lookups = 0;
        let kept: Vec<&str> = terms
            .filter(|term| {
                lookups += usize::from(needs_dns(term));
                !needs_dns(term) || lookups <= MAX_KEPT
            })
            .collect();
        let kept = format!("v=spf1 {}", kept.join(" "));
        let networks: Vec<String> = own.iter().map(network).collect();
        let text = merged(&[kept], &networks.join(" "), &[]).unwrap_or_default();
        let record = Record { content: Content::Txt(text), ..self.wanted.clone() };
        replace_records(self.case, &self.name, RecordType::TXT, is_spf, [&record])
    }

    /// The finding for a record that permits every host.
    fn open(&self, verdict: &Verdict) -> Option<Finding> {
        let is_all = |term: &str| matches!(term.to_ascii_lowercase().as_str(), "all" | "+all");
        let by = verdict.by.as_ref()?;
        let term = self.text.split_ascii_whitespace().find(|term| is_all(term));
        let term = term.filter(|_| is_all(&by.term) || by.through.is_none())?;
        let text: Vec<&str> = self
            .text
            .split_ascii_whitespace()
            .map(|found| if found == term { "-all" } else { found })
            .collect();
        let text = merged(&[text.join(" ")], &self.passing(), &[]).unwrap_or_default();
        let record = Record { content: Content::Txt(text), ..self.wanted.clone() };
        Some(Finding::warning(
            FindingId::SpfOpen,
            format!(
                "the SPF record of {} permits every host to send in its name ({term}): {}",
                self.wanted.name, self.text
            ),
            replace_records(self.case, &self.name, RecordType::TXT, is_spf, [&record]),
        ))
    }

    /// The finding for a record that leaves open what other hosts may do: `?all`, or neither `all` nor `redirect=`.
    fn neutral(&self) -> Option<Finding> {
        let terms: Vec<String> =
            self.text.split_ascii_whitespace().skip(1).map(str::to_ascii_lowercase).collect();
        let why = match terms.iter().find(|term| is_all(term)) {
            Some(all) if all == "?all" => "ends with ?all",
            Some(_) => return None,
            None if terms.iter().any(|term| term.starts_with("redirect=")) => return None,
            None => "has no term all",
        };
        let others: Vec<&str> = self.text.split_ascii_whitespace().filter(|term| !is_all(term)).collect();
        let text = format!("{} ~all", others.join(" "));
        let record = Record { content: Content::Txt(text), ..self.wanted.clone() };
        Some(Finding::notice(
            FindingId::SpfNeutral,
            format!(
                "the SPF record of {} {why}: receivers learn nothing about mail from other hosts: {}",
                self.wanted.name, self.text
            ),
            format!(
                "when all hosts that send for the domain are in it, {}",
                replace_records(self.case, &self.name, RecordType::TXT, is_spf, [&record])
            ),
        ))
    }

    /// The term that permits this machine: `mx` if that resolves to it, otherwise one with its name.
    fn passing(&self) -> String {
        if self.name == self.case.host {
            return "a".to_owned();
        }
        let exchanges = self.case.observed.answer(&self.name, RecordType::MX).records();
        let is_host = |data: &RData| matches!(data, RData::MX(found) if found.exchange == self.case.host);
        if exchanges.len() <= MAX_EXCHANGES && exchanges.iter().any(is_host) {
            return "mx".to_owned();
        }
        format!("a:{}", self.case.facts.presence.hostname)
    }
}

/// Returns true if a record is SPF, or begins like it.
fn is_spf(data: &RData) -> bool {
    text(data).is_some_and(|text| has_version(&text, "v=spf1"))
}

/// Returns true for the mechanism `all`, with any qualifier.
fn is_all(term: &str) -> bool {
    term.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all")
}

/// The term of the domain's own record that causes the fault.
fn in_own(place: &Place) -> &str {
    place.through.as_deref().unwrap_or(&place.term)
}

fn severity(outcome: &Outcome) -> Severity {
    match outcome {
        Ok(verdict) => match verdict.qualifier {
            Qualifier::Pass => Severity::Ok,
            Qualifier::Fail => Severity::Error,
            Qualifier::SoftFail | Qualifier::Neutral => Severity::Warning,
        },
        // That limit is a recommendation, which not every receiver applies.
        Err(Stop::Broken(broken)) if matches!(broken.0, Fault::Voids(_)) => Severity::Warning,
        Err(Stop::Broken(_) | Stop::Absent) => Severity::Error,
        Err(Stop::Unanswered(..) | Stop::Pending(_)) => Severity::Warning,
    }
}
