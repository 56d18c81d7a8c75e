use hickory_proto::rr::{Name, RData, RecordType};

use super::super::finding::{Finding, Id, Severity};
use super::super::world::Answer;
use super::{Case, of_purpose, plain, publish};
use crate::dns::record::{Content, Purpose, fqdn};

/// Who is meant by an empty name of an authority.
const NOBODY: &str = "nobody";

/// The authority may issue certificates for every name that we ask it for (RFC 8659), and nobody else may.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(record) = of_purpose(&case.wanted.host, Purpose::Authority).next() else { return Vec::new() };
    let Content::Caa(authority) = &record.content else { return Vec::new() };
    let web = case.wanted.domains.iter().flat_map(|(_, records)| of_purpose(records, Purpose::Web));
    let names = [case.host.clone()].into_iter().chain(web.filter_map(|record| record.owner().ok()));
    // A domain's own name is asked for while it leads here; without it mail flows all the same.
    let own = case.world.domains_here(case.facts, &case.host);
    let own = own.iter().filter_map(|domain| fqdn(domain).ok()).map(|name| (name, Severity::Warning));
    let mut findings: Vec<Finding> = Vec::new();
    for (name, severity) in names.map(|name| (name, Severity::Error)).chain(own) {
        let Some((holder, values)) = effective(case, &name) else { continue };
        if values.is_empty() || values.iter().any(|value| value == authority.as_str()) {
            continue;
        }
        let others: Vec<&str> = values.iter().map(String::as_str).filter(|value| *value != NOBODY).collect();
        let who =
            if others.is_empty() { NOBODY.to_owned() } else { format!("only {}", others.join(" and ")) };
        let cause = format!("CAA at {} lets {who} issue certificates for {}", plain(&holder), plain(&name));
        if findings.iter().all(|finding| finding.cause != cause) {
            findings.push(Finding::new(
                severity,
                Id::CaaForbids,
                cause,
                format!("beside that, {}", at(&holder, authority)),
            ));
        }
    }
    if findings.is_empty() && effective(case, &case.host).is_none() {
        findings.push(Finding::notice(
            Id::CaaMissing,
            format!("any authority in the world may issue certificates for {}", plain(&case.host)),
            publish([record]),
        ));
    }
    findings
}

fn at(holder: &Name, authority: &address::Domain) -> String {
    format!("publish\n{holder} 3600 IN CAA 0 issue \"{authority}\"")
}

/// RFC 8659 §3: the records of the first name upwards that has any, of which only `issue` counts here. `None` where
/// nobody has any, or it is not known.
fn effective(case: &Case<'_>, name: &Name) -> Option<(Name, Vec<String>)> {
    let mut name = name.clone();
    while !name.is_root() {
        match case.world.answer(&name, RecordType::CAA) {
            Answer::Found(records) => return Some((name, records.iter().filter_map(issuer).collect())),
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
        NOBODY.to_owned()
    } else {
        issuer
    })
}
