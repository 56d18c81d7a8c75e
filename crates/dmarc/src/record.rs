//! DMARC policy records (RFC 9989 §4.7, §4.8).

use std::fmt;

/// The longest record that is read, in octets. Honest records have a few hundred; a record is parsed again in each
/// round of an evaluation.
const MAX_LENGTH: usize = 16 * 1024;
/// The largest number of tags that are read. RFC 9989 defines eleven.
const MAX_TAGS: usize = 64;

/// The tags that are read after the version.
const KNOWN: [&str; 10] = ["p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo"];
/// The tags of RFC 7489 that RFC 9989 removed (§C.5.2).
const REMOVED: [&str; 3] = ["pct", "rf", "ri"];

/// The handling that a domain owner requests, the weakest first.
///
/// `dmarc-request = "none" / "quarantine" / "reject"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Policy {
    /// No preference.
    #[default]
    None,
    /// A failing message is suspicious.
    Quarantine,
    /// A failing message is not from the domain.
    Reject,
}

/// The alignment of an identifier with the author domain.
///
/// `dmarc-rors = "r" / "s"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alignment {
    /// Both have the same organizational domain (RFC 9989 §3.2.10.1).
    #[default]
    Relaxed,
    /// Both are the same domain (RFC 9989 §3.2.10.2).
    Strict,
}

/// The place of a domain in the hierarchy, as its record declares it.
///
/// `dmarc-psd = "y" / "n" / "u"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Psd {
    /// A public suffix domain: each domain directly below is an organization.
    Yes,
    /// An organizational domain.
    No,
    /// Not a public suffix domain; the tree walk finds the organizational domain.
    #[default]
    Unspecified,
}

/// The failures that are to be reported (`fo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureOptions {
    /// `0`: no mechanism yields an aligned pass.
    pub is_none_aligned: bool,
    /// `1`: a mechanism yields no aligned pass.
    pub is_one_unaligned: bool,
    /// `d`: a signature fails, aligned or not.
    pub is_dkim_failed: bool,
    /// `s`: SPF fails, aligned or not.
    pub is_spf_failed: bool,
}

impl Default for FailureOptions {
    fn default() -> Self {
        Self { is_none_aligned: true, is_one_unaligned: false, is_dkim_failed: false, is_spf_failed: false }
    }
}

/// A DMARC policy record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// `p`; `None` if the tag is absent or malformed.
    pub policy: Option<Policy>,
    /// `sp`: the policy for subdomains; `None` if the tag is absent or malformed.
    pub subdomain_policy: Option<Policy>,
    /// `np`: the policy for subdomains that do not exist; `None` if the tag is absent or malformed.
    pub nonexistent_policy: Option<Policy>,
    /// `adkim`
    pub dkim_alignment: Alignment,
    /// `aspf`
    pub spf_alignment: Alignment,
    /// `psd`
    pub psd: Psd,
    /// `t=y`: the domain owner tests the policy, and expects the one below it.
    pub is_testing: bool,
    /// `rua`: the valid URIs for aggregate reports, without the obsolete size.
    pub aggregate_reports: Vec<String>,
    /// `ruf`: the valid URIs for failure reports, without the obsolete size.
    pub failure_reports: Vec<String>,
    /// `fo`; the default if there is no `ruf` (RFC 9989 §4.7).
    pub failure_options: FailureOptions,
    /// The parts of the record that are ignored.
    pub faults: Vec<Fault>,
}

/// A part of a record that is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The record has this number of octets, which is too long; no tag is read.
    TooLong(usize),
    /// The record has more tags than are read.
    TooManyTags,
    /// A text that is not `name=value`.
    Syntax(String),
    /// A value that the tag does not have.
    Value {
        /// The tag.
        tag: &'static str,
        /// The value, or the malformed item of a list.
        value: String,
    },
    /// A tag that occurs twice, so that none of its values counts (RFC 6376 §3.2).
    Duplicate(&'static str),
    /// A tag of RFC 7489 that RFC 9989 removed.
    Removed(&'static str),
    /// A tag that is not registered.
    Unknown(String),
}

/// The policies of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policies {
    /// The policy for the domain of the record.
    pub domain: Policy,
    /// The policy for subdomains; without one, that of the domain applies.
    pub subdomains: Option<Policy>,
    /// The policy for subdomains that do not exist; without one, that of subdomains applies.
    pub nonexistent: Option<Policy>,
}

/// True if a text begins with the version of DMARC, so that it counts among the records of a name (RFC 9989 §4.10).
pub fn is_record(text: &[u8]) -> bool {
    text.split(|octet| *octet == b';').next().is_some_and(is_version)
}

/// `dmarc-version = "v" equals %s"DMARC1"`, `equals = *WSP "=" *WSP`
///
/// The record starts with it: no white space before.
fn is_version(tag: &[u8]) -> bool {
    let mut sides = tag.splitn(2, |octet| *octet == b'=');
    let (name, value) = (sides.next().unwrap_or_default(), sides.next().unwrap_or_default());
    name.first().is_some_and(|first| first.eq_ignore_ascii_case(&b'v'))
        && trimmed(&name[1..]).is_empty()
        && trimmed(value) == b"DMARC1"
}

impl Record {
    /// Reads a record; `None` if the text does not begin with the version, so that it is ignored as a whole (RFC 9989
    /// §4.7, `v`). Everything else that is malformed is replaced by its default, and listed among the faults (§4.8).
    ///
    /// `dmarc-record = dmarc-version *(dmarc-sep dmarc-tag) [dmarc-sep]`, `dmarc-sep = *WSP ";" *WSP`
    pub fn parse(text: &[u8]) -> Option<Self> {
        if !is_record(text) {
            return None;
        }
        if text.len() > MAX_LENGTH {
            return Some(Self { faults: vec![Fault::TooLong(text.len())], ..Self::default() });
        }
        let mut record = Self::default();
        let mut tags: Vec<&[u8]> = text.split(|octet| *octet == b';').skip(1).take(MAX_TAGS + 1).collect();
        // The separator at the end.
        tags.pop_if(|tag| trimmed(tag).is_empty());
        if tags.len() > MAX_TAGS {
            record.faults.push(Fault::TooManyTags);
            tags.truncate(MAX_TAGS);
        }
        let mut values: [Vec<&[u8]>; KNOWN.len()] = Default::default();
        for tag in tags {
            let Some((name, value)) = split(tag) else {
                record.faults.push(Fault::Syntax(text_of(tag)));
                continue;
            };
            let is_name = |known: &&str| known.as_bytes().eq_ignore_ascii_case(name);
            if let Some(at) = KNOWN.iter().position(&is_name) {
                values[at].push(value);
            } else if let Some(removed) = REMOVED.iter().find(|removed| is_name(removed)) {
                record.faults.push(Fault::Removed(removed));
            } else if name.eq_ignore_ascii_case(b"v") {
                record.faults.push(Fault::Duplicate("v"));
            } else {
                record.faults.push(Fault::Unknown(text_of(name)));
            }
        }
        for (tag, values) in KNOWN.into_iter().zip(values) {
            match values.as_slice() {
                [] => {}
                [value] => record.set(tag, value),
                [..] => record.faults.push(Fault::Duplicate(tag)),
            }
        }
        if record.failure_reports.is_empty() {
            record.failure_options = FailureOptions::default();
        }
        Some(record)
    }

    fn set(&mut self, tag: &'static str, octets: &[u8]) {
        // `dmarc-value = %x20-3A / %x3C-7E`
        let is_printable = octets.iter().all(|octet| (0x20..=0x7e).contains(octet));
        let value = if is_printable { text_of(octets) } else { String::new() };
        let is_valid = match tag {
            "p" => assign_some(&mut self.policy, Policy::parse(&value)),
            "sp" => assign_some(&mut self.subdomain_policy, Policy::parse(&value)),
            "np" => assign_some(&mut self.nonexistent_policy, Policy::parse(&value)),
            "adkim" => assign(&mut self.dkim_alignment, alignment(&value)),
            "aspf" => assign(&mut self.spf_alignment, alignment(&value)),
            "psd" => assign(&mut self.psd, psd(&value)),
            "t" => assign(&mut self.is_testing, yes_or_no(&value)),
            "fo" => assign(&mut self.failure_options, failure_options(&value)),
            "rua" => {
                self.aggregate_reports = self.uris(tag, octets);
                true
            }
            _ => {
                self.failure_reports = self.uris(tag, octets);
                true
            }
        };
        if !is_valid {
            self.faults.push(Fault::Value { tag, value: text_of(octets) });
        }
    }

    /// The valid URIs of a list; the others are faults.
    ///
    /// `dmarc-urilist = (dmarc-uri / obs-dmarc-uri) *(*WSP "," *WSP (dmarc-uri / obs-dmarc-uri))`
    fn uris(&mut self, tag: &'static str, value: &[u8]) -> Vec<String> {
        let mut valid = Vec::new();
        for item in value.split(|octet| *octet == b',').map(trimmed) {
            match std::str::from_utf8(item).ok().and_then(uri) {
                Some(uri) => valid.push(uri.to_owned()),
                None => self.faults.push(Fault::Value { tag, value: text_of(item) }),
            }
        }
        valid
    }

    /// The policies that apply, or `None` if the record does not allow DMARC to be applied (RFC 9989 §4.10.1): without
    /// a valid `p`, or with an `sp` or `np` that is not valid, the record counts as `p=none` if it has a valid address
    /// for aggregate reports, and otherwise not at all.
    pub fn policies(&self) -> Option<Policies> {
        match self.policy {
            Some(domain) if !self.has_invalid_policy() => Some(Policies {
                domain,
                subdomains: self.subdomain_policy,
                nonexistent: self.nonexistent_policy,
            }),
            _ if self.aggregate_reports.is_empty() => None,
            _ => Some(Policies { domain: Policy::None, subdomains: None, nonexistent: None }),
        }
    }

    fn has_invalid_policy(&self) -> bool {
        self.faults.iter().any(|fault| match fault {
            Fault::Value { tag, .. } | Fault::Duplicate(tag) => matches!(*tag, "p" | "sp" | "np"),
            _ => false,
        })
    }
}

impl Policy {
    /// Reads the value of `p`, `sp` or `np`.
    pub fn parse(value: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject]
            .into_iter()
            .find(|policy| value.eq_ignore_ascii_case(policy.as_str()))
    }

    /// The policy as records and reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// The policy one level below, which a domain in test mode expects (RFC 9989 §4.7, `t`).
    pub fn lowered(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            Self::Quarantine | Self::None => Self::None,
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(length) => write!(f, "it has {length} octets; at most {MAX_LENGTH} are read"),
            Self::TooManyTags => write!(f, "it has more than {MAX_TAGS} tags"),
            Self::Syntax(text) => write!(f, "{text:?} is not a tag with a value"),
            Self::Value { tag, value } => write!(f, "{value:?} is not a value of {tag}="),
            Self::Duplicate(tag) => write!(f, "{tag}= occurs twice"),
            Self::Removed(tag) => write!(f, "{tag}= was removed by RFC 9989 and is ignored"),
            Self::Unknown(tag) => write!(f, "{tag}= is not a tag of DMARC"),
        }
    }
}

/// `dmarc-tag = 1*ALPHA equals 1*dmarc-value`
///
/// The name is compared without case, as ABNF compares the names that it quotes (RFC 5234 §2.3).
fn split(tag: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = tag.iter().position(|octet| *octet == b'=')?;
    let (name, value) = (trimmed(&tag[..at]), trimmed(&tag[at + 1..]));
    (!name.is_empty() && name.iter().all(u8::is_ascii_alphabetic)).then_some((name, value))
}

fn assign<T>(target: &mut T, value: Option<T>) -> bool {
    value.map(|value| *target = value).is_some()
}

fn assign_some<T>(target: &mut Option<T>, value: Option<T>) -> bool {
    value.map(|value| *target = Some(value)).is_some()
}

fn alignment(value: &str) -> Option<Alignment> {
    match value {
        "r" | "R" => Some(Alignment::Relaxed),
        "s" | "S" => Some(Alignment::Strict),
        _ => None,
    }
}

fn psd(value: &str) -> Option<Psd> {
    match value {
        "y" | "Y" => Some(Psd::Yes),
        "n" | "N" => Some(Psd::No),
        "u" | "U" => Some(Psd::Unspecified),
        _ => None,
    }
}

/// `dmarc-yorn = "y" / "n"`
fn yes_or_no(value: &str) -> Option<bool> {
    match value {
        "y" | "Y" => Some(true),
        "n" | "N" => Some(false),
        _ => None,
    }
}

/// `dmarc-fo`: `0`, `1`, `d` and `s` in any order, each at most once, `0` and `1` not together.
fn failure_options(value: &str) -> Option<FailureOptions> {
    let mut options = FailureOptions { is_none_aligned: false, ..FailureOptions::default() };
    for item in value.split(':') {
        let option = match item {
            "0" => &mut options.is_none_aligned,
            "1" => &mut options.is_one_unaligned,
            "d" | "D" => &mut options.is_dkim_failed,
            "s" | "S" => &mut options.is_spf_failed,
            _ => return None,
        };
        if std::mem::replace(option, true) {
            return None;
        }
    }
    (!(options.is_none_aligned && options.is_one_unaligned)).then_some(options)
}

/// The URI without its obsolete size.
///
/// `dmarc-uri = URI`, with commas and exclamation points encoded; `obs-dmarc-uri = dmarc-uri "!" 1*DIGIT [ "k" / "m" /
/// "g" / "t" ]`
fn uri(text: &str) -> Option<&str> {
    let (uri, size) = match text.split_once('!') {
        Some((uri, size)) => (uri, Some(size)),
        None => (text, None),
    };
    let is_size = |size: &str| {
        let digits = size.strip_suffix(['k', 'm', 'g', 't', 'K', 'M', 'G', 'T']).unwrap_or(size);
        !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit())
    };
    (is_uri(uri) && size.is_none_or(is_size)).then_some(uri)
}

/// `URI = scheme ":" hier-part [ "?" query ] [ "#" fragment ]` (RFC 3986 §3): the scheme, and the characters of the
/// rest, which is not empty.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
    let mut octets = rest.bytes();
    while let Some(octet) = octets.next() {
        let is_allowed = match octet {
            b'%' => [octets.next(), octets.next()]
                .into_iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            octet => octet.is_ascii_alphanumeric() || b"-._~:/?#[]@$&'()*+=".contains(&octet),
        };
        if !is_allowed {
            return false;
        }
    }
    is_scheme && !rest.is_empty()
}

/// A text without the white space around it: `WSP = SP / HTAB`.
fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn text_of(octets: &[u8]) -> String {
    String::from_utf8_lossy(trimmed(octets)).into_owned()
}
