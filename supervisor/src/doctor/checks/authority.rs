use std::collections::BTreeMap;

use hickory_proto::rr::{Name, RData, RecordType};

use super::super::finding::{Finding, FindingId, Severity};
use super::super::observed::Answer;
use super::{Case, of_purpose, publish, without_dot};
use crate::dns::record::{Content, Purpose, fqdn, line_of};

/// The text for an authority with an empty name.
const NO_AUTHORITY: &str = "no authority";

/// Checks that the authority may issue certificates for every name that we request (RFC 8659), and that no other
/// authority may.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(record) = of_purpose(&case.wanted.host, Purpose::Authority).next() else { return unknown(case) };
    let Content::Caa(authority) = &record.content else { return Vec::new() };
    let web = case.wanted.domains.iter().flat_map(|(_, records)| of_purpose(records, Purpose::Web));
    let names = [case.host.clone()].into_iter().chain(web.filter_map(|record| record.owner().ok()));
    // A domain's own name is in the certificate while it resolves to this machine; mail flows without it.
    let own = case.observed.domains_here(case.facts, &case.host);
    let own = own.iter().filter_map(|domain| fqdn(domain).ok()).map(|name| (name, Severity::Warning));
    // For each set of CAA records, all names to which it applies.
    let mut forbidden: BTreeMap<Name, (Severity, Vec<String>, String)> = BTreeMap::new();
    for (name, severity) in names.map(|name| (name, Severity::Error)).chain(own) {
        let Some((holder, values)) = effective(case, &name) else { continue };
        if values.is_empty() || values.iter().any(|value| value == authority.as_str()) {
            continue;
        }
        let new = || (severity, Vec::new(), allowed(&values));
        let (worst, names, _) = forbidden.entry(holder).or_insert_with(new);
        *worst = severity.max(*worst);
        names.push(without_dot(&name));
    }
    let mut findings: Vec<Finding> = forbidden
        .into_iter()
        .map(|(holder, (severity, names, who))| {
            let cause = format!(
                "CAA at {} allows {who} to issue certificates for {}",
                without_dot(&holder),
                names.join(" and ")
            );
            Finding::new(
                severity,
                FindingId::CaaForbids,
                cause,
                format!("beside the existing records, {}", at(&holder, authority)),
            )
        })
        .collect();
    // Records without `issue` restrict only wildcard certificates (RFC 8659 §4.3).
    let is_open = effective(case, &case.host).is_none_or(|(_, values)| values.is_empty());
    if findings.is_empty()
        && is_open
        && !super::causes::host_is_missing(case)
        && !super::causes::host_is_alias(case)
    {
        findings.push(Finding::notice(
            FindingId::CaaMissing,
            format!("any authority may issue certificates for {}", without_dot(&case.host)),
            publish([record]),
        ));
    }
    findings
}

/// The finding for an authority whose CAA domain is unknown, such as a private one: if it checks CAA records, it
/// refuses.
fn unknown(case: &Case<'_>) -> Vec<Finding> {
    let Some(directory) = &case.facts.presence.acme_directory else { return Vec::new() };
    let Some((holder, values)) = effective(case, &case.host).filter(|(_, values)| !values.is_empty()) else {
        return Vec::new();
    };
    let lines: Vec<String> = case
        .observed
        .answer(&holder, RecordType::CAA)
        .records()
        .iter()
        .map(|data| line_of(&holder, data))
        .collect();
    let who = allowed(&values);
    vec![Finding::notice(
        FindingId::CaaOther,
        format!(
            "CAA at {} allows {who} to issue certificates for {}, and certificates are ordered from {directory}, whose \
             name in CAA records is not known here",
            without_dot(&holder),
            without_dot(&case.host)
        ),
        format!(
            "if that authority checks CAA, add a record with the name that it documents (`CAA 0 issue`), or allow any \
             authority: remove\n{}",
            lines.join("\n")
        ),
    )]
}

/// The authorities of a set of records, as text.
fn allowed(values: &[String]) -> String {
    let others: Vec<&str> =
        values.iter().map(String::as_str).filter(|value| *value != NO_AUTHORITY).collect();
    if others.is_empty() { "no authority".to_owned() } else { format!("only {}", others.join(" and ")) }
}

fn at(holder: &Name, authority: &address::Domain) -> String {
    format!("publish\n{holder} 3600 IN CAA 0 issue \"{authority}\"")
}

/// The `issue` values that apply to a name: those of the first name upwards that has any CAA records (RFC 8659 §3).
/// `None` if there are none, or they are unknown.
fn effective(case: &Case<'_>, name: &Name) -> Option<(Name, Vec<String>)> {
    let mut name = name.clone();
    while !name.is_root() {
        match case.observed.answer(&name, RecordType::CAA) {
            Answer::Found(records) => {
                // The records of an alias are those of its target.
                let holder = case.observed.aliases.get(&name).cloned().unwrap_or(name);
                return Some((holder, records.iter().filter_map(issuer).collect()));
            }
            Answer::Nothing => name = name.base_name(),
            Answer::Failed(_) => return None,
        }
    }
    None
}

/// `issue-value = *WSP [issuer-domain-name *WSP] [";" *WSP [parameters *WSP]]` (RFC 8659 §4.2)
fn issuer(data: &RData) -> Option<String> {
    let RData::CAA(caa) = data else { return None };
    let value = String::from_utf8_lossy(&caa.value);
    let issuer = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (caa.tag.eq_ignore_ascii_case("issue")).then_some(if issuer.is_empty() {
        NO_AUTHORITY.to_owned()
    } else {
        issuer
    })
}
