//! Domains in terms, and explanations, which may contain macros (RFC 7208 §7).

use std::net::IpAddr;

use hickory_proto::rr::Name;

use super::{Receiver, Sender};

/// The local part of a sender without one (RFC 7208 §4.3).
const LOCAL_PART: &str = "postmaster";
/// The longest name of DNS in text form. A longer one loses labels on the left (RFC 7208 §7.3).
const MAX_LEN: usize = 253;
/// The longest label (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// `domain-spec`, or another macro-string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spec(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Macro { letter: char, keep: Option<usize>, is_reversed: bool, delimiters: String, is_escaped: bool },
}

/// The values of the macros.
#[derive(Debug)]
pub(super) struct Values<'a> {
    pub(super) sender: &'a Sender<'a>,
    /// The domain whose record is evaluated.
    pub(super) domain: &'a Name,
    /// A validated name of the client, if one is needed and known.
    pub(super) client: Option<&'a Name>,
    /// The host that checks; only in explanations.
    pub(super) receiver: Option<&'a Receiver<'a>>,
}

impl Spec {
    /// `domain-spec = macro-string domain-end`, `domain-end = ( "." toplabel [ "." ] ) / macro-expand`
    pub(super) fn domain(text: &str) -> Option<Self> {
        let (spec, end) = Self::parse(text, b'!', "slodiphv")?;
        let ends_well = match end {
            // It ends with a macro-expand.
            "" => !text.is_empty(),
            end => {
                let end = end.strip_suffix('.').unwrap_or(end);
                end.rsplit_once('.').is_some_and(|(_, label)| is_top_label(label))
            }
        };
        ends_well.then_some(spec)
    }

    /// `macro-string = *( macro-expand / macro-literal )`, as unknown modifiers contain it.
    pub(super) fn text(text: &str) -> Option<Self> {
        Some(Self::parse(text, b'!', "slodiphvcrt")?.0)
    }

    /// `explain-string = *( macro-string / SP )`
    pub(super) fn explanation(text: &str) -> Option<Self> {
        Some(Self::parse(text, b' ', "slodiphvcrt")?.0)
    }

    /// The parts, and the literal at the end. Literals consist of visible ASCII, from the octet `lowest`.
    fn parse<'t>(text: &'t str, lowest: u8, letters: &str) -> Option<(Self, &'t str)> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (literal, after) = rest.split_at(rest.find('%').unwrap_or(rest.len()));
            // `macro-literal = %x21-24 / %x26-7E`
            if !literal.bytes().all(|octet| (lowest..=0x7e).contains(&octet)) {
                return None;
            }
            push(&mut parts, literal);
            let Some(expand) = after.strip_prefix('%') else { return Some((Self(parts), literal)) };
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
    }

    /// True if a validated name of the client is needed.
    pub(super) fn needs_client_name(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Macro { letter: 'p', .. }))
    }

    /// The resulting name, if it is valid. RFC 8616 §4: with a macro whose value is not ASCII, it is not.
    pub(super) fn expand(&self, values: &Values<'_>) -> Option<Name> {
        let expanded = self.expand_text(values);
        let mut name = expanded.strip_suffix(b".").unwrap_or(&expanded);
        while name.len() > MAX_LEN {
            name = &name[name.iter().position(|octet| *octet == b'.')? + 1..];
        }
        name_of(name)
    }

    /// The resulting octets.
    pub(super) fn expand_text(&self, values: &Values<'_>) -> Vec<u8> {
        self.0.iter().flat_map(|part| part.expand(values)).collect()
    }
}

/// The name in text form, without the root's dot at the end: a label may contain any ASCII octet.
fn name_of(octets: &[u8]) -> Option<Name> {
    if !octets.is_ascii() || octets.len() > MAX_LEN {
        return None;
    }
    let labels = || octets.split(|octet| *octet == b'.');
    let are_sound = labels().all(|label| (1..=MAX_LABEL).contains(&label.len()));
    are_sound.then(|| Name::from_labels(labels()).ok())?
}

/// The name of a domain that is checked: it has several labels, none of which is empty or too long (RFC 7208 §4.3).
/// Address literals are not names.
pub(super) fn domain_name(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let is_literal = text.starts_with('[');
    name_of(text.as_bytes()).filter(|name| !is_literal && name.num_labels() > 1)
}

/// A name in text form without the root's dot. Labels are not escaped: macros split them by delimiters, and names
/// are made of the parts again.
fn octets_of(name: &Name) -> Vec<u8> {
    name.iter().collect::<Vec<_>>().join(&b'.')
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
    let first = inside.chars().next()?;
    let letter = first.to_ascii_lowercase();
    if !letters.contains(letter) {
        return None;
    }
    let rest = &inside[1..];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let keep = match &rest[..digits] {
        "" => None,
        // A number above the labels of a name keeps all of them. Zero is an error (RFC 7208 §7.1).
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
    are_known.then(|| Part::Macro {
        letter,
        keep,
        is_reversed,
        delimiters: delimiters.to_owned(),
        is_escaped: first.is_ascii_uppercase(),
    })
}

impl Part {
    fn expand(&self, values: &Values<'_>) -> Vec<u8> {
        let (letter, keep, is_reversed, delimiters, is_escaped) = match self {
            Self::Text(text) => return text.clone().into_bytes(),
            Self::Macro { letter, keep, is_reversed, delimiters, is_escaped } => {
                (*letter, keep, *is_reversed, delimiters.as_bytes(), *is_escaped)
            }
        };
        let value = values.of(letter);
        let mut pieces: Vec<&[u8]> = value.split(|octet| delimiters.contains(octet)).collect();
        if is_reversed {
            pieces.reverse();
        }
        let skipped = keep.map_or(0, |keep| pieces.len().saturating_sub(keep));
        let expanded = pieces[skipped..].join(&b'.');
        if is_escaped { escaped(&expanded) } else { expanded }
    }
}

impl Values<'_> {
    /// RFC 7208 §7.2.
    fn of(&self, letter: char) -> Vec<u8> {
        let sender = self.sender;
        let local_part = if sender.local_part.is_empty() { LOCAL_PART } else { sender.local_part };
        match letter {
            's' => format!("{local_part}@{}", sender.domain).into_bytes(),
            'l' => local_part.as_bytes().to_vec(),
            'o' => sender.domain.as_bytes().to_vec(),
            'd' => octets_of(self.domain),
            'i' => dotted(sender.ip).into_bytes(),
            'v' => if sender.ip.is_ipv4() { "in-addr" } else { "ip6" }.into(),
            'h' => sender.helo.as_bytes().to_vec(),
            'c' => sender.ip.to_string().into_bytes(),
            'r' => self.receiver.map_or("unknown", |receiver| receiver.host).into(),
            't' => self.receiver.map_or(0, |receiver| receiver.time).to_string().into_bytes(),
            // `p`
            _ => self.client.map_or_else(|| b"unknown".to_vec(), octets_of),
        }
    }
}

/// RFC 7208 §7.3: the macro of an upper-case letter is URL-escaped, all but the unreserved characters of RFC 3986 §2.3.
fn escaped(octets: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(octets.len());
    for octet in octets {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(octet) {
            escaped.push(*octet);
        } else {
            escaped.extend_from_slice(format!("%{octet:02X}").as_bytes());
        }
    }
    escaped
}

/// Decimal octets for IPv4, nibbles for IPv6.
fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().flat_map(|octet| [octet >> 4, octet & 0xf]);
            nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
        }
    }
}
