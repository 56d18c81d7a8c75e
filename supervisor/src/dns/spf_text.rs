//! SPF records as texts (RFC 7208): makes one that keeps the existing terms and permits this machine.

use std::net::IpAddr;

use spf::is_readable;

/// The limit of terms that need DNS in an evaluation (RFC 7208 §4.6.4).
const MAX_LOOKUPS: usize = 10;
/// The qualifiers of `all`, strictest first.
const STRICTEST_FIRST: [&str; 4] = ["-all", "~all", "?all", "+all"];

/// Returns true if a text begins with a version tag such as `v=spf1`, as a complete term (RFC 7208 §4.5).
pub(crate) fn has_version(text: &str, version: &str) -> bool {
    text.get(..version.len()).is_some_and(|start| start.eq_ignore_ascii_case(version))
        && text[version.len()..].chars().next().is_none_or(|next| next == ';' || next.is_ascii_whitespace())
}

/// Merges several records, or extends one that does not permit this machine: every readable term stays, the strictest
/// `all` stays, and `pass` comes first. If ten terms need DNS already, the addresses replace `pass`. `None` if two
/// records cannot be merged because one is that of another domain (`redirect=`).
pub(crate) fn merged(texts: &[String], pass: &str, addresses: &[IpAddr]) -> Option<String> {
    let terms = |text: &str| -> Vec<String> {
        let terms = text.split_ascii_whitespace().skip(1).map(str::to_owned);
        terms.filter(|term| is_readable(&format!("v=spf1 {term}")) && !term.contains(['"', '\\'])).collect()
    };
    let mut joined: Vec<String> = Vec::new();
    for term in texts.iter().flat_map(|text| terms(text)) {
        if !joined.iter().any(|other| plain(other) == plain(&term)) {
            joined.push(term);
        }
    }
    let is_all = |term: &String| plain(term).trim_start_matches(['-', '~', '?']) == "all";
    let is_redirect = |term: &String| plain(term).starts_with("redirect=");
    let (all, mut others): (Vec<String>, Vec<String>) = joined.into_iter().partition(is_all);
    if texts.len() > 1 && others.iter().any(is_redirect) {
        return None;
    }
    let qualified = |term: &String| match plain(term) {
        bare if bare == "all" => "+all".to_owned(),
        other => other,
    };
    let all: Vec<String> = all.iter().map(qualified).collect();
    let strictest = STRICTEST_FIRST.iter().find(|wanted| all.iter().any(|found| found == *wanted));
    // First, so that no later fault affects mail from this machine.
    others.retain(|term| plain(term) != pass);
    let lookups = others.iter().filter(|term| needs_dns(term)).count();
    match lookups < MAX_LOOKUPS || addresses.is_empty() {
        true => others.insert(0, pass.to_owned()),
        false => others.splice(0..0, addresses.iter().map(network)).for_each(drop),
    }
    others.extend(strictest.map(|all| (*all).to_owned()));
    // An unreadable term may have been the `all`.
    let count = |text: &String| text.split_ascii_whitespace().skip(1).count();
    let has_lost_one = texts.iter().any(|text| terms(text).len() < count(text));
    if strictest.is_none() && has_lost_one && !others.iter().any(is_redirect) {
        others.push("-all".to_owned());
    }
    Some(format!("v=spf1 {}", others.join(" ")))
}

/// A term in lower case, without the default qualifier.
fn plain(term: &str) -> String {
    term.strip_prefix('+').unwrap_or(term).to_ascii_lowercase()
}

/// The term for an address.
pub(crate) fn network(address: &IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("ip4:{v4}"),
        IpAddr::V6(v6) => format!("ip6:{v6}"),
    }
}

/// Returns true if a term needs DNS.
pub(crate) fn needs_dns(term: &str) -> bool {
    let bare = plain(term);
    let bare = bare.trim_start_matches(['-', '~', '?']);
    let name = bare.split([':', '/', '=']).next().unwrap_or_default();
    matches!(name, "include" | "a" | "mx" | "ptr" | "exists" | "redirect")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_complete_term() {
        for (text, is_it) in [
            ("v=spf1 mx -all", true),
            ("V=SPF1", true),
            ("v=spf10 mx", false),
            ("v=spf", false),
            ("é=spf1", false),
        ] {
            assert_eq!(has_version(text, "v=spf1"), is_it, "{text}");
        }
        assert!(has_version("v=DMARC1; p=none", "v=DMARC1"));
    }

    #[test]
    fn the_terms_of_others_and_the_strictest_all_stay() {
        let many: String = (0..10).map(|number| format!(" include:{number}.example")).collect();
        for (texts, expected) in [
            (vec!["v=spf1 include:_spf.example.com ~all"], Some("v=spf1 mx include:_spf.example.com ~all")),
            (vec!["v=spf1 mx ~all", "v=spf1 MX a:web.example -all"], Some("v=spf1 mx a:web.example -all")),
            (vec!["v=spf1 a -all", "v=spf1 +mx +all"], Some("v=spf1 mx a -all")),
            (vec!["v=spf1 redirect=_spf.example.com"], Some("v=spf1 mx redirect=_spf.example.com")),
            (vec!["v=spf1 redirect=_spf.example.com", "v=spf1 mx -all"], None),
            (vec!["v=spf1 include:a.example"], Some("v=spf1 mx include:a.example")),
            (vec!["v=spf1 ipv4:192.0.2.1 a:web.example"], Some("v=spf1 mx a:web.example -all")),
            (vec![&format!("v=spf1{many} -all")], Some(&format!("v=spf1 ip4:192.0.2.7{many} -all"))),
        ] {
            let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
            let merged = merged(&texts, "mx", &["192.0.2.7".parse().unwrap()]);
            assert_eq!(merged.as_deref(), expected, "{texts:?}");
            assert!(merged.is_none_or(|text| is_readable(&text)));
        }
    }
}
