//! DMARC records as texts (RFC 9989): selects or repairs one, never weaker than the published ones.

use address::{Address, Domain};
use dmarc::{Policy, Record};

use super::spf_text::has_version;

/// Domains outside of ours to which one record sends reports and that are looked up.
const MAX_DESTINATIONS: usize = 8;

/// The value of a tag in `tag-list = tag-spec *( ";" tag-spec )` (RFC 6376 §3.2), without white space.
pub(crate) fn tag(text: &str, wanted: &str) -> Option<String> {
    let tags = text.split(';').filter_map(|tag| tag.split_once('='));
    let mut values = tags.filter(|(name, _)| name.trim() == wanted).map(|(_, value)| value);
    values.next().map(|value| value.split_ascii_whitespace().collect())
}

/// The policy of a record, if it is one (RFC 9989 §4.7).
pub(crate) fn policy(text: &str) -> Option<Policy> {
    dmarc::Record::parse(text.as_bytes())?.policy
}

/// The record to keep of those found: the strictest valid one, unchanged. If none is valid, the first one with its
/// policy repaired. `None` if no record is usable.
pub(crate) fn record_to_keep(texts: &[String]) -> Option<String> {
    let strictest_first = [Policy::Reject, Policy::Quarantine, Policy::None];
    let valid = strictest_first.into_iter().find_map(|wanted| {
        let mut texts = texts.iter();
        texts.find(|text| policy(text) == Some(wanted)).cloned()
    });
    valid.or_else(|| texts.first().map(|text| repaired(text))).filter(|text| policy(text).is_some())
}

/// Repairs a misspelt policy: `reject` for one that begins like it, otherwise `quarantine`. The policy follows the
/// version, since receivers by RFC 7489 §6.4 read it only there; the other tags stay.
fn repaired(text: &str) -> String {
    let is_strict = tag(text, "p").is_some_and(|found| found.to_ascii_lowercase().starts_with("rej"));
    let others = text.split(';').skip(1).map(str::trim);
    let others = others.filter(|tag| {
        let name = tag.split('=').next().unwrap_or_default().trim();
        tag.contains('=') && name != "p" && !tag.contains(['"', '\\'])
    });
    let policy = if is_strict { "reject" } else { "quarantine" };
    let mut tags = vec!["v=DMARC1".to_owned(), format!("p={policy}")];
    tags.extend(others.map(str::to_owned));
    tags.join("; ")
}

/// Returns true if a text is a DMARC record, or is meant as one: receivers ignore a version in lower case.
pub(crate) fn is_dmarc(text: &str) -> bool {
    dmarc::is_record(text.as_bytes()) || has_version(text, "v=DMARC1")
}

/// The record without the parts that receivers ignore.
pub(crate) fn without_faults(text: &str) -> String {
    let mut parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    let mut kept: Vec<String> = parts.next().map(str::to_owned).into_iter().collect();
    let mut names: Vec<String> = vec!["v".to_owned()];
    for part in parts {
        let name = part.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        let read = Record::parse(format!("v=DMARC1; {part}").as_bytes()).unwrap_or_default();
        let uris = if name == "rua" { read.aggregate_reports } else { read.failure_reports };
        let is_first = !names.contains(&name);
        match read.faults.is_empty() {
            true if is_first => kept.push(part.to_owned()),
            false if is_first && !uris.is_empty() => kept.push(format!("{name}={}", uris.join(","))),
            _ => {}
        }
        names.push(name);
    }
    kept.join("; ")
}

/// The domains of other organizations to which a record sends reports. A domain with the same last two labels counts as
/// of the same organization.
pub(crate) fn external_destinations(domain: &Domain, text: &str) -> Vec<Domain> {
    let Some(record) = Record::parse(text.as_bytes()) else { return Vec::new() };
    let organization = |domain: &Domain| {
        let labels: Vec<String> = domain.labels().rev().take(2).map(str::to_owned).collect();
        labels
    };
    let own = organization(domain);
    let mut found: Vec<Domain> = Vec::new();
    for uri in record.aggregate_reports.iter().chain(&record.failure_reports) {
        let destination = mailbox(uri).and_then(|address| address.domain().cloned());
        let Some(destination) = destination.filter(|destination| organization(destination) != own) else {
            continue;
        };
        if !found.contains(&destination) && found.len() < MAX_DESTINATIONS {
            found.push(destination);
        }
    }
    found
}

/// The address of a `mailto` URI (RFC 6068 §2).
fn mailbox(uri: &str) -> Option<Address> {
    let (scheme, rest) = uri.split_once(':')?;
    let address = rest.split('?').next().unwrap_or_default();
    let address = percent_encoding::percent_decode_str(address).decode_utf8().ok()?;
    Address::parse(&address).ok().filter(|_| scheme.eq_ignore_ascii_case("mailto"))
}

/// The name of the record by which a domain agrees to get reports about another (RFC 9990 §4); `None` if it would be too
/// long.
pub(crate) fn permission(domain: &Domain, destination: &Domain) -> Option<Domain> {
    destination.with_prefix(&format!("{domain}._report._dmarc")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_receivers_ignore_are_removed() {
        for (text, expected) in [
            ("v=DMARC1; p=reject; rua=mailto:a@example.org", "v=DMARC1; p=reject; rua=mailto:a@example.org"),
            ("v=DMARC1; p=reject; pct=50; rf=afrf; ri=86400;", "v=DMARC1; p=reject"),
            ("v=DMARC1; p=reject; policy=none; adkim=x; aspf=s", "v=DMARC1; p=reject; aspf=s"),
            ("v=DMARC1; p=reject; sp=none; sp=reject; broken", "v=DMARC1; p=reject; sp=none"),
            (
                "v=DMARC1; p=none; rua=mailto:a@example.org, b@example.org",
                "v=DMARC1; p=none; rua=mailto:a@example.org",
            ),
        ] {
            assert_eq!(without_faults(text), expected, "{text}");
            assert_eq!(Record::parse(expected.as_bytes()).unwrap().faults, [], "{text}");
        }
    }

    #[test]
    fn reports_to_other_organizations_need_a_permission() {
        let domain = Domain::parse("example.org").unwrap();
        for (text, expected) in [
            ("v=DMARC1; p=none; rua=mailto:postmaster@example.org", &[][..]),
            ("v=DMARC1; p=none; rua=mailto:a@reports.example.org", &[]),
            (
                "v=DMARC1; p=none; rua=mailto:a@example.net!10m,MAILTO:b%40c@r.example.com; ruf=mailto:c@example.net",
                &["example.net"],
            ),
            ("v=DMARC1; p=none; ruf=mailto:c@example.net?subject=x", &["example.net"]),
            ("v=DMARC1; p=none; rua=https://example.net/r", &[]),
            ("v=spf1 mx -all", &[]),
        ] {
            let found: Vec<String> =
                external_destinations(&domain, text).iter().map(Domain::to_string).collect();
            assert_eq!(found, expected, "{text}");
        }
        let many: Vec<String> =
            (0..20).map(|number| format!("mailto:a@{number}.r{number}.example")).collect();
        let many = format!("v=DMARC1; p=none; rua={}", many.join(","));
        assert_eq!(external_destinations(&domain, &many).len(), MAX_DESTINATIONS);
        let name = permission(&domain, &Domain::parse("example.net").unwrap()).unwrap();
        assert_eq!(name.as_str(), "example.org._report._dmarc.example.net");
    }

    #[test]
    fn a_policy_is_never_weakened() {
        for (texts, expected) in [
            (
                vec!["v=DMARC1; p=reject; rua=mailto:a@example.org"],
                "v=DMARC1; p=reject; rua=mailto:a@example.org",
            ),
            (vec!["v=DMARC1; p=none"], "v=DMARC1; p=none"),
            (vec!["v=DMARC1; p=none", "v=DMARC1;p=Reject"], "v=DMARC1;p=Reject"),
            (vec!["v=DMARC1; p=rejct; sp=reject"], "v=DMARC1; p=reject; sp=reject"),
            (
                vec!["v=DMARC1; policy=reject; rua=mailto:a@example.org"],
                "v=DMARC1; p=quarantine; policy=reject; rua=mailto:a@example.org",
            ),
            // Receivers ignore a version in lower case or without its separator.
            (vec!["v=dmarc1; p=reject; sp=none"], "v=DMARC1; p=reject; sp=none"),
            (vec!["v=DMARC1 p=none", "v=DMARC1; p=none"], "v=DMARC1; p=none"),
        ] {
            let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
            assert_eq!(record_to_keep(&texts).as_deref(), Some(expected), "{texts:?}");
        }
        assert_eq!(record_to_keep(&[]), None);
    }

    #[test]
    fn a_key_is_read_from_every_form_of_the_record() {
        for text in ["v=DKIM1; k=rsa; p=AB==", "k=rsa;p=AB==", "v=DKIM1;p= A B = = ;", "p=AB=="] {
            assert_eq!(tag(text, "p").as_deref(), Some("AB=="), "{text}");
        }
        assert_eq!(tag("v=DKIM1; k=rsa", "p"), None);
        assert_eq!(tag("v=DKIM1; p=", "p").as_deref(), Some(""));
    }
}
