use address::Domain;
use hickory_proto::rr::RecordType;

use super::super::finding::{Finding, Id};
use super::dkim::tag;
use super::{Case, of_purpose, publish, unanswered};
use crate::dns::record::{Purpose, Record};

/// What others do with mail that only pretends to be the domain's (RFC 7489).
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let Some(record) = of_purpose(wanted, Purpose::Dmarc).next() else { return Vec::new() };
    let Ok(name) = record.owner() else { return Vec::new() };
    if let Some(finding) = unanswered(case, &name, RecordType::TXT) {
        return vec![finding];
    }
    let texts = case.world.texts(&name, "v=DMARC1");
    let fix = || publish([record]);
    let finding = match texts.as_slice() {
        [] => Finding::warning(
            Id::DmarcMissing,
            format!("{domain} has no DMARC record, which large receivers ask for"),
            fix(),
        ),
        [text] => match tag(text, "p").as_deref() {
            Some("quarantine" | "reject") => return Vec::new(),
            // A choice that many make for the first weeks.
            Some("none") => Finding::notice(
                Id::DmarcWeak,
                format!("the DMARC record of {domain} asks others to do nothing about forgeries (p=none)"),
                fix(),
            ),
            _ => Finding::warning(
                Id::DmarcWeak,
                format!("the DMARC record of {domain} says nothing that is understood: {text}"),
                format!("in the place of it, {}", fix()),
            ),
        },
        [..] => Finding::error(
            Id::DmarcSeveral,
            format!("{domain} has {} DMARC records, which count as none (RFC 7489 §6.6.3)", texts.len()),
            format!("leave only one: {}", fix()),
        ),
    };
    vec![finding]
}
