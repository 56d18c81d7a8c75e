//! A DNS record as a value, which can be written as a line of a zone, as JSON, and in an update.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use address::Domain;
use hickory_proto::ProtoError;
use hickory_proto::rr::rdata::caa::KeyValue;
use hickory_proto::rr::rdata::tlsa::{CertUsage, Matching, Selector};
use hickory_proto::rr::rdata::{A, AAAA, CAA, CNAME, MX, SRV, TLSA, TXT};
use hickory_proto::rr::{Name, RData, RecordType};
use serde::Serialize;

/// An hour: short enough to correct a mistake the same day.
pub const TTL: u32 = 3600;
/// Limit of a character string in DNS, in octets (RFC 1035 §3.3).
const MAX_STRING: usize = 255;

/// A DNS record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The owner name.
    pub name: Domain,
    /// The content.
    pub content: Content,
    /// The purpose.
    pub purpose: Purpose,
}

/// The content of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The host that accepts the domain's mail. There is only one, so the preference does not matter.
    Mx(Domain),
    /// A text, split into strings if it is long.
    Txt(String),
    /// The host and port of a service (RFC 2782).
    Srv { priority: Priority, port: u16, host: Domain },
    /// `SRV 0 0 0 .`: the service is not offered (RFC 2782).
    NoService,
    /// An alias of that name.
    Cname(Domain),
    /// The only authority that may issue certificates (RFC 8659 §4.2).
    Caa(Domain),
    /// `3 1 1`: the SHA-256 of the certificate's public key (RFC 7671 §5.1).
    Tlsa([u8; 32]),
}

/// The priority of a service, which also compares services of different names (RFC 6186 §3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// TLS from the first octet on (RFC 8314 §3).
    Preferred,
    /// Cleartext with STARTTLS, for clients that do not support implicit TLS.
    Fallback,
}

impl Priority {
    /// The number; lower is tried first.
    fn number(self) -> u16 {
        match self {
            Self::Preferred => 0,
            Self::Fallback => 10,
        }
    }
}

/// The weight of all services. They are on one host, so it has no effect.
const WEIGHT: u16 = 1;

/// The purpose of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The address of this machine.
    Address,
    /// The mail host of the domain.
    Exchange,
    /// The hosts that may send for the name (RFC 7208).
    Spf,
    /// A key that signs mail (RFC 6376).
    Dkim,
    /// The policy for mail that only claims to be from the domain (RFC 9989).
    Dmarc,
    /// The announcement of an MTA-STS policy (RFC 8461 §3.1).
    MtaSts,
    /// The address for reports about encryption (RFC 8460 §3).
    TlsReporting,
    /// The servers for mail clients (RFC 6186).
    Service,
    /// A name of web pages.
    Web,
    /// The authority that may issue certificates.
    Authority,
    /// The certificate's key, for senders that support DANE (RFC 7672).
    Dane,
}

impl Record {
    /// The line of a zone file, with the full name, so that it can be pasted alone.
    pub fn line(&self) -> String {
        format!("{}. {TTL} IN {} {}", self.name, self.kind(), self.content)
    }

    /// The type of the record.
    pub fn kind(&self) -> RecordType {
        match &self.content {
            Content::A(_) => RecordType::A,
            Content::Aaaa(_) => RecordType::AAAA,
            Content::Mx(_) => RecordType::MX,
            Content::Txt(_) => RecordType::TXT,
            Content::Srv { .. } | Content::NoService => RecordType::SRV,
            Content::Cname(_) => RecordType::CNAME,
            Content::Caa(_) => RecordType::CAA,
            Content::Tlsa(_) => RecordType::TLSA,
        }
    }

    /// The owner name in wire form.
    pub fn owner(&self) -> Result<Name, ProtoError> {
        fqdn(&self.name)
    }

    /// The content in wire form.
    pub fn data(&self) -> Result<RData, ProtoError> {
        Ok(match &self.content {
            Content::A(address) => RData::A(A(*address)),
            Content::Aaaa(address) => RData::AAAA(AAAA(*address)),
            Content::Mx(host) => RData::MX(MX::new(10, fqdn(host)?)),
            Content::Txt(text) => text_data(text),
            Content::Srv { priority, port, host } => {
                RData::SRV(SRV::new(priority.number(), WEIGHT, *port, fqdn(host)?))
            }
            Content::NoService => RData::SRV(SRV::new(0, 0, 0, Name::root())),
            Content::Cname(host) => RData::CNAME(CNAME(fqdn(host)?)),
            Content::Caa(authority) => RData::CAA(CAA::new_issue(
                false,
                Some(Name::from_str(authority.as_str())?),
                Vec::<KeyValue>::new(),
            )),
            Content::Tlsa(digest) => {
                RData::TLSA(TLSA::new(CertUsage::DaneEe, Selector::Spki, Matching::Sha256, digest.to_vec()))
            }
        })
    }
}

/// The content of a TXT record, split into strings if the text is long.
pub(crate) fn text_data(text: &str) -> RData {
    RData::TXT(TXT::from_bytes(text.as_bytes().chunks(MAX_STRING).collect()))
}

/// A record as a zone file's line without a TTL, as needed to remove it.
pub(crate) fn line_of(name: &Name, data: &RData) -> String {
    let content = match data {
        RData::TXT(text) => {
            let strings: Vec<String> = text.txt_data.iter().map(|string| quoted(string)).collect();
            strings.join(" ")
        }
        RData::CAA(caa) => {
            format!("{} {} {}", u8::from(caa.issuer_critical) << 7, caa.tag, quoted(&caa.value))
        }
        other => other.to_string(),
    };
    format!("{name} IN {} {content}", data.record_type())
}

/// A character string in zone file syntax (RFC 1035 §5.1).
fn quoted(octets: &[u8]) -> String {
    let mut text = String::from("\"");
    for octet in octets {
        // Writing to a string does not fail.
        let _ = match octet {
            b'"' | b'\\' => write!(text, "\\{}", char::from(*octet)),
            0x20..=0x7e => write!(text, "{}", char::from(*octet)),
            other => write!(text, "\\{other:03}"),
        };
    }
    text.push('"');
    text
}

/// A domain as an absolute name.
pub fn fqdn(domain: &Domain) -> Result<Name, ProtoError> {
    Name::from_ascii(domain.to_fqdn())
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A(address) => write!(f, "{address}"),
            Self::Aaaa(address) => write!(f, "{address}"),
            Self::Mx(host) => write!(f, "10 {host}."),
            Self::Txt(text) => f.write_str(&strings(text)),
            Self::Srv { priority, port, host } => {
                write!(f, "{} {WEIGHT} {port} {host}.", priority.number())
            }
            Self::NoService => f.write_str("0 0 0 ."),
            Self::Cname(host) => write!(f, "{host}."),
            Self::Caa(authority) => write!(f, "0 issue \"{authority}\""),
            Self::Tlsa(digest) => write!(f, "3 1 1 {}", hexadecimal(digest)),
        }
    }
}

/// Lower case, without separators.
pub fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing to a string does not fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// A text as quoted strings of the permitted length. Our texts contain neither quotes nor backslashes.
fn strings(text: &str) -> String {
    let mut quoted = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (string, after) = rest.split_at(rest.len().min(MAX_STRING));
        let separator = if quoted.is_empty() { "" } else { " " };
        let _ = write!(quoted, "{separator}\"{string}\"");
        rest = after;
    }
    quoted
}

/// The record of an alias.
pub(crate) fn alias(target: &Name) -> RData {
    RData::CNAME(CNAME(target.clone()))
}

/// The address in a record.
pub(crate) fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(content: Content) -> Record {
        Record { name: Domain::parse("_x.example.org").unwrap(), content, purpose: Purpose::Dkim }
    }

    #[test]
    fn each_content_is_printed_in_zone_syntax_as_the_library_does() {
        let host = Domain::parse("mail.example.org").unwrap();
        for (content, written) in [
            (Content::A([192, 0, 2, 1].into()), "A 192.0.2.1"),
            (Content::Aaaa("2001:db8::1".parse().unwrap()), "AAAA 2001:db8::1"),
            (Content::Mx(host.clone()), "MX 10 mail.example.org."),
            (Content::Cname(host.clone()), "CNAME mail.example.org."),
            (
                Content::Srv { priority: Priority::Preferred, port: 993, host: host.clone() },
                "SRV 0 1 993 mail.example.org.",
            ),
            (
                Content::Srv { priority: Priority::Fallback, port: 143, host },
                "SRV 10 1 143 mail.example.org.",
            ),
            (Content::NoService, "SRV 0 0 0 ."),
            (Content::Txt("v=spf1 -all".into()), "TXT \"v=spf1 -all\""),
            (Content::Caa(Domain::parse("letsencrypt.org").unwrap()), "CAA 0 issue \"letsencrypt.org\""),
        ] {
            let record = record(content);
            assert_eq!(record.line(), format!("_x.example.org. 3600 IN {written}"));
            let data = record.data().unwrap();
            assert_eq!(data.record_type(), record.kind());
            let printed = format!("{} {data}", record.kind()).replace('"', "");
            assert_eq!(printed, written.replace('"', ""));
        }
        let digest = record(Content::Tlsa([0xab; 32]));
        assert!(digest.line().ends_with(&format!(" TLSA 3 1 1 {}", "ab".repeat(32))));
    }

    #[test]
    fn a_published_record_is_printed_so_that_an_update_removes_it() {
        let name = Name::from_ascii("_x.example.org.").unwrap();
        for (data, line) in [
            (RData::TXT(TXT::from_bytes(vec![b"a\"b\\", b"\xc3 "])), "TXT \"a\\\"b\\\\\" \"\\195 \""),
            (record(Content::Tlsa([0xab; 32])).data().unwrap(), &format!("TLSA 3 1 1 {}", "ab".repeat(32))),
            (
                record(Content::Caa(Domain::parse("a.example").unwrap())).data().unwrap(),
                "CAA 0 issue \"a.example\"",
            ),
            (record(Content::NoService).data().unwrap(), "SRV 0 0 0 ."),
        ] {
            assert_eq!(
                line_of(&name, &data).to_lowercase(),
                format!("_x.example.org. in {line}").to_lowercase()
            );
        }
    }

    #[test]
    fn a_long_text_is_split_into_strings_without_loss() {
        let text = format!("v=DKIM1; k=rsa; p={}", "A".repeat(392));
        let record = record(Content::Txt(text.clone()));
        let line = record.line();
        let strings: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
        assert_eq!(strings.len(), 2);
        assert!(strings.iter().all(|string| string.len() <= 255));
        assert_eq!(strings.concat(), text);
        let RData::TXT(data) = record.data().unwrap() else { panic!("no text") };
        assert_eq!(data.txt_data.concat(), text.as_bytes());
    }
}
