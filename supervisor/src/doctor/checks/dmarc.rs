use address::Domain;
use dmarc::Policy;
use hickory_proto::rr::{RData, RecordType};

use super::super::finding::{Finding, FindingId};
use super::super::observed::{text, texts_of};
use super::dmarc_reports;
use super::{Case, of_purpose, replace_records, unanswered};
use crate::dns::dmarc_text;
use crate::dns::record::{Content, Purpose, Record, fqdn, line_of};

/// Checks the policy for mail that only claims to be from the domain (RFC 9989).
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let Some(record) = of_purpose(wanted, Purpose::Dmarc).next() else { return Vec::new() };
    let Ok(name) = record.owner() else { return Vec::new() };
    if let Some(finding) = unanswered(case, &name, RecordType::TXT) {
        return vec![finding];
    }
    let mut texts = texts_of(case.observed.answer(&name, RecordType::TXT));
    texts.retain(|text| dmarc_text::is_dmarc(text));
    // The suggested policy is never weaker than the published one.
    let with_text = |text: String| Record { content: Content::Txt(text), ..record.clone() };
    let kept = dmarc_text::record_to_keep(&texts).map_or_else(|| record.clone(), with_text);
    let fix = |publish: &Record| replace_records(case, &name, RecordType::TXT, is_dmarc, [publish]);
    // A text that only resembles a record counts if there is no other.
    let valid: Vec<&String> = texts.iter().filter(|text| dmarc::is_record(text.as_bytes())).collect();
    let counted: Vec<&String> = if valid.is_empty() { texts.iter().collect() } else { valid };
    let finding = match counted.as_slice() {
        [] => missing(case, domain, record),
        [text] => match dmarc_text::policy(text) {
            Some(Policy::None) => {
                let stricter = text.replacen("none", "quarantine", 1);
                let stricter =
                    Some(stricter).filter(|text| dmarc_text::policy(text) == Some(Policy::Quarantine));
                let publish = stricter.map_or_else(|| record.clone(), with_text);
                // Many operators choose this for the first weeks.
                let weak = Finding::notice(
                    FindingId::DmarcWeak,
                    format!(
                        "the DMARC record of {domain} asks receivers to take no action on forgeries (p=none)"
                    ),
                    format!("nothing during a trial; after it, {}", fix(&publish)),
                );
                return [weak].into_iter().chain(of_valid(case, domain, text, fix, record)).collect();
            }
            Some(_) => return of_valid(case, domain, text, fix, record),
            None => Finding::warning(
                FindingId::DmarcWeak,
                format!("the DMARC record of {domain} has no valid policy (p=): {text}"),
                fix(&kept),
            ),
        },
        [..] => Finding::error(
            FindingId::DmarcSeveral,
            format!("{domain} has {} DMARC records, which count as none (RFC 9989 §4.10)", counted.len()),
            fix(&kept),
        ),
    };
    vec![finding]
}

/// The findings for a record with a policy: parts that are ignored, and destinations of reports.
fn of_valid(
    case: &Case<'_>,
    domain: &Domain,
    text: &str,
    fix: impl Fn(&Record) -> String,
    record: &Record,
) -> Vec<Finding> {
    let faults = dmarc::Record::parse(text.as_bytes()).unwrap_or_default().faults;
    let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let ignored = (!faults.is_empty()).then(|| {
        let kept = Record { content: Content::Txt(dmarc_text::without_faults(text)), ..record.clone() };
        Finding::notice(
            FindingId::DmarcIgnored,
            format!("receivers ignore a part of the DMARC record of {domain}: {}: {text}", shown.join("; ")),
            fix(&kept),
        )
    });
    ignored.into_iter().chain(dmarc_reports::check(case, domain, text)).collect()
}

fn is_dmarc(data: &RData) -> bool {
    text(data).is_some_and(|text| dmarc_text::is_dmarc(&text))
}

/// The finding for a missing record, or for one at the domain itself.
fn missing(case: &Case<'_>, domain: &Domain, record: &Record) -> Finding {
    let apex = fqdn(domain).ok();
    let misplaced = apex.as_ref().and_then(|apex| {
        let found = case.observed.answer(apex, RecordType::TXT).records();
        found.iter().find(|data| is_dmarc(data)).map(|data| (apex, data))
    });
    match misplaced {
        None => Finding::warning(
            FindingId::DmarcMissing,
            format!("{domain} has no DMARC record, which large receivers require"),
            super::publish([record]),
        ),
        Some((apex, data)) => {
            let found = text(data).unwrap_or_default();
            let moved = dmarc_text::record_to_keep(&[found]).map_or_else(
                || record.clone(),
                |text| Record { content: Content::Txt(text), ..record.clone() },
            );
            Finding::warning(
                FindingId::DmarcMissing,
                format!(
                    "the DMARC record of {domain} is at {domain}, where receivers do not look, instead of {}",
                    record.name
                ),
                format!("remove\n{}\n{}", line_of(apex, data), super::publish([&moved])),
            )
        }
    }
}
