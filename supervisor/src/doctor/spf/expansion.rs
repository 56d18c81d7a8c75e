//! Domains in terms, which may have macros in them (RFC 7208 §7).

use std::net::IpAddr;

use hickory_proto::rr::Name;

use super::Sender;

/// Whoever is not named in a path is this (RFC 7208 §4.3).
const LOCAL_PART: &str = "postmaster";
/// The longest name of DNS, written out. A longer one loses labels on its left (RFC 7208 §7.3).
const LONGEST: usize = 253;

/// `domain-spec`, or another macro-string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Macro { letter: char, keep: Option<usize>, is_reversed: bool, delimiters: String },
}

impl Spec {
    /// `domain-spec = macro-string domain-end`, `domain-end = ( "." toplabel [ "." ] ) / macro-expand`
    pub(super) fn domain(text: &str) -> Option<Self> {
        let spec = Self::parse(text, "slodiphv")?;
        let ends_well = match spec.0.last()? {
            // `%%`, `%_` and `%-` are macro-expands as well.
            _ if ["%%", "%_", "%-"].iter().any(|end| text.ends_with(end)) => true,
            Part::Macro { .. } => true,
            Part::Text(text) => {
                let text = text.strip_suffix('.').unwrap_or(text);
                text.rsplit_once('.').is_some_and(|(_, label)| is_top_label(label))
            }
        };
        ends_well.then_some(spec)
    }

    /// `macro-string = *( macro-expand / macro-literal )`, as unknown modifiers have it.
    pub(super) fn text(text: &str) -> Option<Self> {
        Self::parse(text, "slodiphvcrt")
    }

    fn parse(text: &str, letters: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (literal, after) = rest.split_at(rest.find('%').unwrap_or(rest.len()));
            // `macro-literal = %x21-24 / %x26-7E`
            if !literal.bytes().all(|octet| (0x21..=0x7e).contains(&octet)) {
                return None;
            }
            push(&mut parts, literal);
            rest = after;
            let Some(expand) = rest.strip_prefix('%') else { continue };
            let (kind, after) = expand.split_at_checked(1)?;
            rest = after;
            match kind {
                "%" => push(&mut parts, "%"),
                "_" => push(&mut parts, " "),
                "-" => push(&mut parts, "%20"),
                "{" => {
                    let (inside, after) = rest.split_once('}')?;
                    parts.push(expand_of(inside, letters)?);
                    rest = after;
                }
                _ => return None,
            }
        }
        Some(Self(parts))
    }

    /// The name that is meant, if it is one. `domain` is that of the record in which it stands.
    pub(super) fn expand(&self, sender: &Sender<'_>, domain: &Name) -> Option<Name> {
        let expanded: String = self.0.iter().map(|part| part.expand(sender, domain)).collect();
        let mut name = expanded.trim_end_matches('.');
        while name.len() > LONGEST {
            name = name.split_once('.')?.1;
        }
        // Any octet may be in a label, and the receiver asks for it.
        Name::from_labels(name.split('.').map(str::as_bytes)).ok()
    }
}

/// `toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )`
fn is_top_label(label: &str) -> bool {
    label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().any(|c| !c.is_ascii_digit())
}

fn push(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        Some(Part::Text(before)) => before.push_str(text),
        _ if text.is_empty() => {}
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

/// `"{" macro-letter transformers *delimiter "}"`, `transformers = *DIGIT [ "r" ]`,
/// `delimiter = "." / "-" / "+" / "," / "/" / "_" / "="`
fn expand_of(inside: &str, letters: &str) -> Option<Part> {
    let letter = inside.chars().next()?.to_ascii_lowercase();
    if !letters.contains(letter) {
        return None;
    }
    let rest = &inside[1..];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let keep = match &rest[..digits] {
        "" => None,
        // Whatever is larger than a name keeps all of it. None at all is forbidden (RFC 7208 §7.3).
        digits => Some(digits.parse::<usize>().unwrap_or(usize::MAX)).filter(|keep| *keep > 0),
    };
    if digits > 0 && keep.is_none() {
        return None;
    }
    let rest = &rest[digits..];
    let delimiters = rest.strip_prefix(['r', 'R']).unwrap_or(rest);
    let is_reversed = delimiters.len() < rest.len();
    let delimiters = if delimiters.is_empty() { "." } else { delimiters };
    let are_known = delimiters.chars().all(|c| ".-+,/_=".contains(c));
    are_known.then(|| Part::Macro { letter, keep, is_reversed, delimiters: delimiters.to_owned() })
}

impl Part {
    fn expand(&self, sender: &Sender<'_>, domain: &Name) -> String {
        let (letter, keep, is_reversed, delimiters) = match self {
            Self::Text(text) => return text.clone(),
            Self::Macro { letter, keep, is_reversed, delimiters } => (letter, keep, is_reversed, delimiters),
        };
        let value = match letter {
            's' => format!("{LOCAL_PART}@{}", sender.domain),
            'l' => LOCAL_PART.to_owned(),
            'o' => sender.domain.to_string(),
            'd' => domain.to_ascii().trim_end_matches('.').to_owned(),
            'i' => dotted(sender.ip),
            'v' => if sender.ip.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            'h' => sender.helo.to_string(),
            // RFC 7208 §7.3: what is not found out is called so; nobody should use it.
            _ => "unknown".to_owned(),
        };
        let mut pieces: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
        if *is_reversed {
            pieces.reverse();
        }
        let skipped = keep.map_or(0, |keep| pieces.len().saturating_sub(keep));
        pieces[skipped..].join(".")
    }
}

/// Octets for IPv4, nibbles for IPv6.
fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().flat_map(|octet| [octet >> 4, octet & 0xf]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}
