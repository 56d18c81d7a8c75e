use hickory_proto::rr::{RData, RecordType};

use super::super::finding::{Finding, FindingId};
use super::super::observed::Answer;
use super::{Case, of_purpose, publish};
use crate::dns::record::{Purpose, Record};

/// Checks the TLSA records of the certificate's key (RFC 7672). Senders use them only in signed zones, and there a
/// wrong one blocks all mail.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let is_signed = case.observed.authentic.contains(&case.host);
    let mut missing = Vec::new();
    let mut different = Vec::new();
    for record in of_purpose(&case.wanted.host, Purpose::Dane) {
        let (Ok(name), Ok(ours)) = (record.owner(), record.data()) else { continue };
        match case.observed.answer(&name, RecordType::TLSA) {
            Answer::Found(found) if found.contains(&ours) => {}
            Answer::Found(found) if found.iter().all(is_of_end_entity) => different.push(record),
            // Records of the authority's certificate are the operator's own and are not checked.
            Answer::Found(_) | Answer::Failed(_) => {}
            Answer::Nothing => missing.push(record),
        }
    }
    let mut findings = Vec::new();
    if !different.is_empty() {
        let (cause, fix) = (wrong(&different, is_signed), {
            let named = different.iter().filter_map(|record| Some((record.owner().ok()?, *record)));
            super::replace_names(case, named)
        });
        findings.push(match is_signed {
            true => Finding::error(FindingId::TlsaDifferent, cause, fix),
            false => Finding::warning(FindingId::TlsaDifferent, cause, fix),
        });
    }
    if is_signed && !missing.is_empty() {
        findings.push(Finding::notice(
            FindingId::TlsaMissing,
            format!(
                "the zone of {} is signed and has no TLSA record of the certificate's key (DANE)",
                case.facts.presence.hostname
            ),
            publish(missing),
        ));
    }
    findings
}

fn wrong(records: &[&Record], is_signed: bool) -> String {
    let names: Vec<String> = records.iter().map(|record| record.name.to_string()).collect();
    let effect = match is_signed {
        true => "hosts that check it do not deliver",
        false => "once the zone is signed, hosts that check it do not deliver",
    };
    format!("the TLSA record of {} is not that of the certificate's key; {effect}", names.join(" and "))
}

/// Returns true for usages 1 and 3, which concern the host's own certificate; 0 and 2 concern an authority's (RFC 6698
/// §2.1.1).
fn is_of_end_entity(data: &RData) -> bool {
    matches!(data, RData::TLSA(tlsa) if matches!(u8::from(tlsa.cert_usage), 1 | 3))
}
