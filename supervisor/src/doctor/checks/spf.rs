use std::net::IpAddr;

use address::Domain;
use hickory_proto::rr::{Name, RData, RecordType};

use super::super::finding::{Finding, Id};
use super::{Case, of_purpose, publish, unanswered};
use crate::dns::record::{Content, Purpose, Record, fqdn};

/// What a record of somebody else's making means for this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Permits {
    Yes,
    No,
    /// It refers to records that were not read.
    Unknown,
}

/// The machine itself, under the name that it says in HELO.
pub(super) fn of_host(case: &Case<'_>) -> Vec<Finding> {
    of_name(case, &case.facts.presence.hostname, &case.wanted.host)
}

/// Who may send in the domain's name (RFC 7208).
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    of_name(case, domain, wanted)
}

fn of_name(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let Some(record) = of_purpose(wanted, Purpose::Spf).next() else { return Vec::new() };
    let Ok(name) = fqdn(domain) else { return Vec::new() };
    if let Some(finding) = unanswered(case, &name, RecordType::TXT) {
        return vec![finding];
    }
    let texts = case.world.texts(&name, "v=spf1");
    let fix = || publish([record]);
    let finding = match texts.as_slice() {
        [] => Finding::error(
            Id::SpfMissing,
            format!(
                "{domain} does not say who may send in its name (SPF), and large receivers refuse such mail"
            ),
            fix(),
        ),
        [text] if Content::Txt(text.clone()) == record.content => return Vec::new(),
        [text] => match permits(case, &name, text) {
            Permits::Yes => return Vec::new(),
            Permits::No => Finding::error(
                Id::SpfDifferent,
                format!("the SPF record of {domain} does not let this machine send: {text}"),
                format!("add `mx` to it, or {}", fix()),
            ),
            Permits::Unknown => Finding::notice(
                Id::SpfDifferent,
                format!(
                    "the SPF record of {domain} lets this machine send only if another record does: {text}"
                ),
                format!("to be certain add `mx` to it, or {}", fix()),
            ),
        },
        [..] => Finding::error(
            Id::SpfSeveral,
            format!("{domain} has {} SPF records, which count as none (RFC 7208 §4.5)", texts.len()),
            format!("leave only one of them:\n{}\nor {}", texts.join("\n"), fix()),
        ),
    };
    vec![finding]
}

/// RFC 7208 §5: whether a term that is read here lets every address of ours pass.
fn permits(case: &Case<'_>, name: &Name, text: &str) -> Permits {
    let known = &case.facts.addresses;
    let own: Vec<IpAddr> =
        if known.is_empty() { case.world.addresses(&case.host) } else { known.all().collect() };
    let terms: Vec<String> = text.split_ascii_whitespace().skip(1).map(str::to_ascii_lowercase).collect();
    let passing = || {
        terms
            .iter()
            .map(|term| term.trim_start_matches('+'))
            .filter(|term| !term.starts_with(['-', '~', '?']))
    };
    let is_covered = |address: &IpAddr| passing().any(|term| covers(case, name, term, *address));
    if !own.is_empty() && own.iter().all(is_covered) {
        return Permits::Yes;
    }
    let refers =
        |term: &str| ["include:", "redirect=", "exists:", "ptr"].iter().any(|start| term.starts_with(start));
    if passing().any(refers) { Permits::Unknown } else { Permits::No }
}

fn covers(case: &Case<'_>, name: &Name, term: &str, address: IpAddr) -> bool {
    if let Some(network) = term.strip_prefix("ip4:").or_else(|| term.strip_prefix("ip6:")) {
        return is_in(address, network);
    }
    let host = case.host.to_string();
    let is_host = |of: &str| of.trim_end_matches('.').eq_ignore_ascii_case(host.trim_end_matches('.'));
    match term.split_once(':').unwrap_or((term, "")) {
        ("all", _) => true,
        ("mx", "") => {
            let exchanges = case.world.answer(name, RecordType::MX).records();
            exchanges.iter().any(|data| matches!(data, RData::MX(exchange) if exchange.exchange == case.host))
        }
        ("a", "") => *name == case.host || case.world.addresses(name).contains(&address),
        ("a", of) => is_host(of),
        _ => false,
    }
}

/// `ip4-network / ip6-network`, with or without the length of a prefix.
fn is_in(address: IpAddr, network: &str) -> bool {
    let (base, length) = network.split_once('/').unwrap_or((network, ""));
    let Ok(base) = base.parse::<IpAddr>() else { return false };
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    };
    let ((one, width), (other, other_width)) = (bits(address), bits(base));
    let length = if length.is_empty() { width } else { length.parse().unwrap_or(width) };
    let mask = u128::MAX.checked_shl(128u32.saturating_sub(length)).unwrap_or(0);
    width == other_width && length <= width && (one ^ other) & mask == 0
}

#[cfg(test)]
mod tests {
    use super::is_in;

    #[test]
    fn an_address_is_in_a_network_or_not() {
        for (address, network, is_inside) in [
            ("198.51.100.7", "198.51.100.7", true),
            ("198.51.100.7", "198.51.100.0/24", true),
            ("198.51.101.7", "198.51.100.0/24", false),
            ("198.51.100.7", "0.0.0.0/0", true),
            ("198.51.100.7", "198.51.100.0/99", false),
            ("198.51.100.7", "2001:db8::/32", false),
            ("2001:db8::7", "2001:db8::/32", true),
            ("2001:db8::7", "::/0", true),
            ("2001:db9::7", "2001:db8::/32", false),
            ("198.51.100.7", "nonsense", false),
        ] {
            assert_eq!(is_in(address.parse().unwrap(), network), is_inside, "{address} {network}");
        }
    }
}
