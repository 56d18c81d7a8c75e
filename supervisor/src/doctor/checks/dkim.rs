use address::Domain;
use hickory_proto::rr::RecordType;

use super::super::finding::{Finding, Id};
use super::super::world::text;
use super::{Case, of_purpose, publish, unanswered};
use crate::dns::KEYS_ARE_MADE;
use crate::dns::record::{Content, Purpose, Record};

/// Each key that signs is published as it is (RFC 6376 §3.6).
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    if of_purpose(wanted, Purpose::Dkim).next().is_none() {
        let cause =
            format!("no signing key is there for {domain}, so nobody can tell its mail from a forgery");
        return vec![Finding::error(Id::DkimMissing, cause, KEYS_ARE_MADE)];
    }
    of_purpose(wanted, Purpose::Dkim).filter_map(|record| of_key(case, record)).collect()
}

fn of_key(case: &Case<'_>, record: &Record) -> Option<Finding> {
    let name = record.owner().ok()?;
    let named = &record.name;
    let Content::Txt(ours) = &record.content else { return None };
    if let Some(finding) = unanswered(case, &name, RecordType::TXT) {
        return Some(finding);
    }
    let texts: Vec<String> =
        case.world.answer(&name, RecordType::TXT).records().iter().filter_map(text).collect();
    let published: Vec<String> = texts.iter().filter_map(|text| tag(text, "p")).collect();
    let key = tag(ours, "p")?;
    match published.as_slice() {
        [] => Some(Finding::error(
            Id::DkimMissing,
            format!("mail is signed with a key that is not published at {named}, so nobody can check it"),
            publish([record]),
        )),
        [one] if *one == key => None,
        [one] if one.is_empty() => Some(Finding::error(
            Id::DkimDifferent,
            format!("the key at {named} is withdrawn, and mail is signed with it"),
            publish([record]),
        )),
        [_] => Some(Finding::error(
            Id::DkimDifferent,
            format!(
                "the key at {named} is another one than mail is signed with, so every signature is wrong"
            ),
            format!("in the place of that record, {}", publish([record])),
        )),
        [..] => Some(Finding::error(
            Id::DkimDifferent,
            format!("{named} has {} keys, and each receiver picks one (RFC 6376 §3.6.2.2)", published.len()),
            format!("leave only one: {}", publish([record])),
        )),
    }
}

/// `tag-list = tag-spec *( ";" tag-spec )` (RFC 6376 §3.2); blanks within the key do not count.
pub(super) fn tag(text: &str, wanted: &str) -> Option<String> {
    let tags = text.split(';').filter_map(|tag| tag.split_once('='));
    let mut values = tags.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| value);
    values.next().map(|value| value.split_ascii_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn a_key_is_the_same_however_it_is_written() {
        for text in ["v=DKIM1; k=rsa; p=AB==", "k=rsa;p=AB==", "v=DKIM1;p= A B = = ;", "p=AB=="] {
            assert_eq!(tag(text, "p").as_deref(), Some("AB=="), "{text}");
        }
        assert_eq!(tag("v=DKIM1; k=rsa", "p"), None);
        assert_eq!(tag("v=DKIM1; p=", "p").as_deref(), Some(""));
    }
}
