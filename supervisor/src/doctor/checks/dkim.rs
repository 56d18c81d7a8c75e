use address::Domain;
use hickory_proto::rr::{RData, RecordType};

use super::super::finding::{Finding, FindingId, Severity};
use super::super::observed::text;
use super::{Case, of_purpose, publish, replace_records, unanswered};
use crate::dns::KEYS_ARE_CREATED;
use crate::dns::dmarc_text::tag;
use crate::dns::record::{Content, Purpose, Record};

/// The longest character string in DNS, at which web forms cut a longer text (RFC 1035 §3.3).
const MAX_STRING: usize = 255;

/// Checks that each signing key is published unchanged (RFC 6376 §3.6).
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    if of_purpose(wanted, Purpose::Dkim).next().is_none() {
        let cause =
            format!("{domain} has no signing key, so receivers cannot distinguish its mail from forgeries");
        return vec![Finding::error(FindingId::DkimMissing, cause, KEYS_ARE_CREATED)];
    }
    of_purpose(wanted, Purpose::Dkim).filter_map(|record| of_key(case, record)).collect()
}

fn of_key(case: &Case<'_>, record: &Record) -> Option<Finding> {
    let name = record.owner().ok()?;
    let Content::Txt(ours) = &record.content else { return None };
    if let Some(finding) = unanswered(case, &name, RecordType::TXT) {
        return Some(finding);
    }
    let found = case.observed.answer(&name, RecordType::TXT).records();
    let is_key = |data: &RData| {
        text(data).is_some_and(|text| tag(&unquoted(&text), "p").is_some() || text.contains("DKIM1"))
    };
    let texts: Vec<String> = found.iter().filter(|data| is_key(data)).filter_map(text).collect();
    let (severity, id, cause) = match texts.as_slice() {
        [] => {
            return Some(Finding::error(
                FindingId::DkimMissing,
                format!(
                    "mail is signed with a key that is not published at {}, so receivers cannot verify it",
                    record.name
                ),
                publish([record]),
            ));
        }
        [one] => of_text(record, ours, one)?,
        [..] => (
            Severity::Error,
            FindingId::DkimDifferent,
            format!(
                "{} has {} keys, and each receiver picks one (RFC 6376 §3.6.2.2)",
                record.name,
                texts.len()
            ),
        ),
    };
    Some(Finding::new(severity, id, cause, replace_records(case, &name, RecordType::TXT, is_key, [record])))
}

fn of_text(record: &Record, ours: &str, found: &str) -> Option<(Severity, FindingId, String)> {
    let named = &record.name;
    let key = tag(ours, "p")?;
    let published = tag(found, "p").unwrap_or_default();
    if found.contains(['"', '\\']) && tag(&unquoted(found), "p").as_ref() == Some(&key) {
        let cause = format!(
            "the record at {named} contains quotes or backslashes, so every signature fails: they belong in a zone \
             file, and a provider's form wants the text without them"
        );
        return Some((Severity::Error, FindingId::DkimQuoted, cause));
    }
    if published == key && is_same(ours, found) {
        let flags = tag(found, "t").unwrap_or_default();
        let is_testing = flags.split(':').any(|flag| flag.eq_ignore_ascii_case("y"));
        return is_testing.then(|| {
            let cause = format!(
                "the key at {named} has the flag t=y: receivers treat mail that it signs as unsigned (RFC 6376 §3.6.1)"
            );
            (Severity::Warning, FindingId::DkimTesting, cause)
        });
    }
    let unquoted = tag(&unquoted(found), "p").unwrap_or_default();
    if !unquoted.is_empty() && unquoted.len() < key.len() && key.starts_with(&unquoted) {
        let at = if found.len() == MAX_STRING { " at 255 characters" } else { "" };
        let cause = format!(
            "the key at {named} is truncated{at}, so every signature fails; a longer text is one record with two \
             strings"
        );
        return Some((Severity::Error, FindingId::DkimCut, cause));
    }
    if published == key {
        let cause = format!(
            "the record at {named} has another version or key type (v=, k=) than the signing key: {found}"
        );
        return Some((Severity::Error, FindingId::DkimDifferent, cause));
    }
    let cause = match published.is_empty() && tag(found, "p").is_some() {
        true => format!("the key at {named} is revoked (p=), and mail is signed with it"),
        false => {
            format!("the key at {named} is not the signing key, so every signature fails")
        }
    };
    Some((Severity::Error, FindingId::DkimDifferent, cause))
}

/// Returns true if the version and the type of the key are equal; both have defaults (RFC 6376 §3.6.1).
fn is_same(ours: &str, found: &str) -> bool {
    let kind = |text: &str| tag(text, "k").unwrap_or_else(|| "rsa".to_owned()).to_ascii_lowercase();
    kind(ours) == kind(found) && tag(found, "v").is_none_or(|version| version == "DKIM1")
}

/// Removes the quoting of zone files, which does not belong to the text.
fn unquoted(text: &str) -> String {
    text.replace(['"', '\\'], "")
}
