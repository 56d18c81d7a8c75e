//! Recognises reverse names that a provider makes for all of its addresses. Large receivers take such an address for a
//! private line.

use std::net::{IpAddr, Ipv6Addr};

use hickory_proto::rr::Name;

/// Words that occur in names of whole networks.
const NETWORK_WORDS: [&str; 21] = [
    "adsl",
    "broadband",
    "client",
    "clients",
    "cust",
    "customer",
    "customers",
    "dhcp",
    "dialin",
    "dialup",
    "dsl",
    "dyn",
    "dynamic",
    "dynip",
    "pool",
    "pools",
    "ppp",
    "pppoe",
    "static",
    "unassigned",
    "vdsl",
];
/// Words that count only before a number: `host` alone may be the name of a machine.
const NUMBERED_WORDS: [&str; 6] = ["host", "ip", "kvm", "vm", "vmi", "vps"];
/// The number of octets of an IPv4 address, side by side, that are no coincidence.
const OCTETS: usize = 3;

/// Returns true if the name follows a provider's pattern: it contains the address, or a word for a kind of line before
/// the provider's domain, which is taken to be the last two labels.
pub(super) fn is_generic(name: &Name, address: IpAddr) -> bool {
    let text = name.to_ascii().to_ascii_lowercase();
    let contains_address = match address {
        IpAddr::V4(v4) => contains_octets(&text, v4.octets()),
        IpAddr::V6(v6) => contains_nibbles(&text, v6.octets()),
    };
    contains_address || has_word(&text)
}

/// True for three octets side by side, in their order or in reverse, or all four in hexadecimal or decimal digits
/// without separators.
fn contains_octets(text: &str, octets: [u8; 4]) -> bool {
    let numbers: Vec<u32> =
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect();
    let mut reversed = octets;
    reversed.reverse();
    [octets, reversed].iter().any(|octets| {
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let decimal: String = octets.iter().map(|octet| format!("{octet:03}")).collect();
        let wanted: Vec<u32> = octets.iter().map(|octet| u32::from(*octet)).collect();
        let mut parts = wanted.windows(OCTETS);
        let side_by_side = parts.any(|part| numbers.windows(OCTETS).any(|found| found == part));
        side_by_side || text.contains(&hex) || text.contains(&decimal)
    })
}

/// True for all nibbles of an IPv6 address, in their order or in reverse, or for the address as it is written, with
/// hyphens instead of colons.
fn contains_nibbles(text: &str, octets: [u8; 16]) -> bool {
    let nibbles: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let reversed: String = nibbles.chars().rev().collect();
    let digits = text.replace(['.', '-'], "");
    let written = Ipv6Addr::from(octets).to_string().replace(':', "-");
    text.contains(&written) || [nibbles, reversed].iter().any(|wanted| digits.contains(wanted))
}

fn has_word(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').filter(|label| !label.is_empty()).collect();
    let below = labels.len().saturating_sub(2);
    labels[..below].iter().any(|label| {
        // The part of a label before its first digit: `vps` in `vps-4711` and in `vps4711`.
        let word = label.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default().trim_end_matches('-');
        let is_numbered = word.len() < label.len();
        (is_numbered && NUMBERED_WORDS.contains(&word))
            || label.split(|c: char| !c.is_ascii_alphabetic()).any(|word| NETWORK_WORDS.contains(&word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_providers_are_generic_and_names_of_mail_hosts_are_not() {
        for (address, name, expected) in [
            ("198.51.100.7", "static.7.100.51.198.clients.example.com.", true),
            ("198.51.100.7", "ip-198-51-100.example.com.", true),
            ("198.51.100.7", "198-51-100-7.example.com.", true),
            ("198.51.100.7", "c6336407.example.com.", true),
            ("198.51.100.7", "198051100007.example.com.", true),
            ("198.51.100.7", "vps7.example.com.", true),
            ("198.51.100.7", "vps-1a2b3c4d.vps.example.com.", true),
            ("198.51.100.7", "vmi123456.example.com.", true),
            ("198.51.100.7", "line.dyn.example.com.", true),
            ("198.51.100.7", "dsl-pool.example.com.", true),
            ("198.51.100.7", "HOST7.Example.com.", true),
            ("2001:db8:51::7", "2001-db8-51--7.example.com.", true),
            (
                "2001:db8:51::7",
                "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.5.0.0.8.b.d.0.1.0.0.2.example.com.",
                true,
            ),
            ("198.51.100.7", "mail.example.org.", false),
            ("198.51.100.7", "mx7.example.org.", false),
            ("198.51.100.7", "mx100-7.example.org.", false),
            ("198.51.100.7", "host.example.org.", false),
            ("198.51.100.7", "mail.dyn.com.", false),
            ("198.51.100.7", "mail.ip7.example.", false),
            ("198.51.100.7", "dynamo.example.org.", false),
            ("198.51.100.7", "carpool.example.org.", false),
            ("198.51.100.7", "vps.example.org.", false),
            ("2001:db8:51::7", "mail7.example.org.", false),
        ] {
            let name_read = Name::from_ascii(name).unwrap();
            assert_eq!(is_generic(&name_read, address.parse().unwrap()), expected, "{address} {name}");
        }
    }
}
