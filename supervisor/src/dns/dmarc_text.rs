//! DMARC records as texts (RFC 9989): selects or repairs one, never weaker than the published ones.

use dmarc::Policy;

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

#[cfg(test)]
mod tests {
    use super::*;

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
