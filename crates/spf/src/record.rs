//! An SPF record as a value (RFC 7208 §4.6.1, §5, §6, §12). All terms are parsed before any is evaluated, since a
//! syntax error anywhere is an error of the whole record (§4.6).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::expansion::Spec;

/// The meaning of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualifier {
    /// `+`: the client may send for the domain.
    Pass,
    /// `-`: it may not.
    Fail,
    /// `~`: it probably may not.
    SoftFail,
    /// `?`: the domain makes no statement about it.
    Neutral,
}

/// A comparison with the client's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mechanism {
    All,
    Include(Spec),
    /// Without a domain, the record's.
    A(Option<Spec>, Lengths),
    Mx(Option<Spec>, Lengths),
    Ptr(Option<Spec>),
    Ip(IpNet),
    Exists(Spec),
}

/// The lengths of the compared prefixes, for each family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lengths {
    pub(super) v4: u8,
    pub(super) v6: u8,
}

/// A mechanism with its qualifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) qualifier: Qualifier,
    pub(super) mechanism: Mechanism,
    /// The term as written.
    pub(super) term: String,
}

/// All terms of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) directives: Vec<Directive>,
    pub(super) redirect: Option<(Spec, String)>,
    pub(super) explanation: Option<Spec>,
}

/// The malformed term, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) term: String,
    pub(super) why: &'static str,
}

/// The longest record that is read, in octets. RFC 7208 §3.4 recommends staying below 512; a record is parsed again in
/// each round of an evaluation, and one may refer to ten others.
pub(super) const MAX_LEN: usize = 16 * 1024;

const VERSION: &[u8] = b"v=spf1";
const DOMAIN: &str = "its domain is malformed";
const ADDRESS: &str = "its network is malformed";
const LENGTH: &str = "its prefix length is invalid";

/// The text after the version; `None` if it is not an SPF record. RFC 7208 §4.5: the version is followed by a space or
/// by the end.
pub(super) fn terms(text: &[u8]) -> Option<&[u8]> {
    let (version, rest) = text.split_at_checked(VERSION.len())?;
    let is_version = version.eq_ignore_ascii_case(VERSION) && rest.first().is_none_or(|next| *next == b' ');
    is_version.then_some(rest)
}

impl Record {
    /// `record = version terms *SP`, `terms = *( 1*SP ( directive / modifier ) )`
    pub(super) fn parse(text: &[u8]) -> Result<Self, Malformed> {
        let mut record = Self::default();
        let Some(terms) = terms(text) else {
            let first = text.split(|octet| *octet == b' ').next().unwrap_or_default();
            let term = String::from_utf8_lossy(first).into_owned();
            return Err(Malformed { term, why: "it is not the version v=spf1, followed by a space" });
        };
        // An octet that is not ASCII is not allowed in any term (RFC 7208 §3.1), and is replaced by a character that is
        // not.
        let terms = String::from_utf8_lossy(terms);
        for term in terms.split(' ').filter(|term| !term.is_empty()) {
            let wrong = |why| Malformed { term: term.to_owned(), why };
            match modifier(term) {
                None => record.directives.push(directive(term).map_err(wrong)?),
                Some((name, value)) if name.eq_ignore_ascii_case("redirect") => {
                    let spec = Spec::domain(value).ok_or(wrong(DOMAIN))?;
                    if record.redirect.replace((spec, term.to_owned())).is_some() {
                        return Err(wrong("it occurs twice"));
                    }
                }
                Some((name, value)) if name.eq_ignore_ascii_case("exp") => {
                    let spec = Spec::domain(value).ok_or(wrong(DOMAIN))?;
                    if record.explanation.replace(spec).is_some() {
                        return Err(wrong("it occurs twice"));
                    }
                }
                // Other modifiers are ignored (RFC 7208 §6).
                Some((_, value)) => {
                    Spec::text(value).ok_or(wrong("its value is malformed"))?;
                }
            }
        }
        // RFC 7208 §6.1: `redirect` is ignored when there is an `all`.
        if record.directives.iter().any(|directive| directive.mechanism == Mechanism::All) {
            record.redirect = None;
        }
        Ok(record)
    }
}

/// `unknown-modifier = name "=" macro-string`, `name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )`
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    is_name.then_some((name, value))
}

/// `directive = [ qualifier ] mechanism`, `qualifier = "+" / "-" / "?" / "~"`
fn directive(term: &str) -> Result<Directive, &'static str> {
    let (qualifier, rest) = match term.split_at_checked(1) {
        Some(("+", rest)) => (Qualifier::Pass, rest),
        Some(("-", rest)) => (Qualifier::Fail, rest),
        Some(("~", rest)) => (Qualifier::SoftFail, rest),
        Some(("?", rest)) => (Qualifier::Neutral, rest),
        _ => (Qualifier::Pass, term),
    };
    let (name, value) = match rest.find([':', '/']) {
        Some(at) if rest[at..].starts_with(':') => (&rest[..at], Some(&rest[at + 1..])),
        Some(at) => (&rest[..at], Some(&rest[at..])),
        None => (rest, None),
    };
    let names_domain = rest[name.len()..].starts_with(':');
    let mechanism = match (name.to_ascii_lowercase().as_str(), value) {
        ("all", None) => Mechanism::All,
        ("include", Some(value)) if names_domain => Mechanism::Include(Spec::domain(value).ok_or(DOMAIN)?),
        ("exists", Some(value)) if names_domain => Mechanism::Exists(Spec::domain(value).ok_or(DOMAIN)?),
        ("ip4", Some(value)) if names_domain => Mechanism::Ip(v4(value)?),
        ("ip6", Some(value)) if names_domain => Mechanism::Ip(v6(value)?),
        ("ptr", None) => Mechanism::Ptr(None),
        ("ptr", Some(value)) if names_domain => Mechanism::Ptr(Some(Spec::domain(value).ok_or(DOMAIN)?)),
        ("a", value) => {
            let (spec, lengths) = hosts(value.unwrap_or_default(), names_domain)?;
            Mechanism::A(spec, lengths)
        }
        ("mx", value) => {
            let (spec, lengths) = hosts(value.unwrap_or_default(), names_domain)?;
            Mechanism::Mx(spec, lengths)
        }
        ("all" | "include" | "exists" | "ip4" | "ip6" | "ptr", _) => {
            return Err("its argument is missing or not allowed");
        }
        _ => return Err("unknown mechanism"),
    };
    Ok(Directive { qualifier, mechanism, term: term.to_owned() })
}

/// `[ ":" domain-spec ] [ dual-cidr-length ]`, `dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]`
fn hosts(value: &str, names_domain: bool) -> Result<(Option<Spec>, Lengths), &'static str> {
    let mut lengths = Lengths { v4: 32, v6: 128 };
    let mut rest = value;
    if let Some((before, bits)) = split_length(rest, "//") {
        lengths.v6 = length(bits, 128)?;
        rest = before;
    }
    if let Some((before, bits)) = split_length(rest, "/") {
        lengths.v4 = length(bits, 32)?;
        rest = before;
    }
    match (names_domain, rest) {
        (false, "") => Ok((None, lengths)),
        (true, domain) => Ok((Some(Spec::domain(domain).ok_or(DOMAIN)?), lengths)),
        (false, _) => Err(DOMAIN),
    }
}

/// The length at the end of a term. A slash may also occur in the name and among a macro's delimiters: only digits
/// follow the one before the length, since a name does not end in a label of digits.
fn split_length<'t>(text: &'t str, slashes: &str) -> Option<(&'t str, &'t str)> {
    text.rsplit_once(slashes).filter(|(_, bits)| bits.bytes().all(|octet| octet.is_ascii_digit()))
}

/// `"0" / %x31-39 0*1DIGIT`, `"0" / %x31-39 0*2DIGIT`
fn length(bits: &str, most: u8) -> Result<u8, &'static str> {
    let is_plain = bits == "0" || !bits.starts_with(['0', '+']);
    bits.parse().ok().filter(|length| is_plain && *length <= most).ok_or(LENGTH)
}

fn v4(value: &str) -> Result<IpNet, &'static str> {
    let (base, bits) = value.split_once('/').unwrap_or((value, "32"));
    let base: Ipv4Addr = base.parse().map_err(|_| ADDRESS)?;
    Ok(Ipv4Net::new(base, length(bits, 32)?).map_err(|_| LENGTH)?.into())
}

fn v6(value: &str) -> Result<IpNet, &'static str> {
    let (base, bits) = value.split_once('/').unwrap_or((value, "128"));
    let base: Ipv6Addr = base.parse().map_err(|_| ADDRESS)?;
    Ok(Ipv6Net::new(base, length(bits, 128)?).map_err(|_| LENGTH)?.into())
}
