//! The Received field (RFC 5321 §4.4).

use std::net::IpAddr;

use address::Address;

use super::fold::{comment, field, word};
use crate::DateTime;

/// How a message came to us.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// The peer; nothing for a submission, whose Received field names no client.
    pub from: Option<Peer<'a>>,
    /// Our host name.
    pub by: &'a str,
    /// `ESMTP`, `ESMTPS`, `ESMTPSA` and so on (RFC 3848).
    pub with: &'a str,
    /// TLS version and cipher suite, when there was TLS.
    pub tls: Option<&'a str>,
    /// Our identifier of the message.
    pub id: &'a str,
    /// The recipient, only when there is one alone: several would tell each about the others.
    pub recipient: Option<&'a Address>,
    /// When.
    pub date: DateTime,
}

/// Who brought it.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// What it called itself.
    pub helo: &'a str,
    /// Where it came from.
    pub ip: IpAddr,
    /// The name that its address has in the DNS and that leads back to the address.
    pub name: Option<&'a str>,
}

impl Received<'_> {
    /// The field with its line end.
    ///
    /// ```abnf
    /// Time-stamp-line = "Received:" FWS Stamp CRLF
    /// Stamp           = From-domain By-domain Opt-info [CFWS] ";" FWS date-time
    /// From-domain     = "FROM" FWS Extended-Domain
    /// Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" )
    /// TCP-info        = address-literal / ( Domain FWS address-literal )
    /// ```
    pub fn field(&self) -> String {
        let mut stamp = String::new();
        if let Some(Peer { helo, ip, name }) = self.from {
            let literal = match ip.to_canonical() {
                IpAddr::V4(ip) => format!("[{ip}]"),
                IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
            };
            let name = word(name.unwrap_or("unknown"));
            stamp.push_str(&format!("from {} ({name} {literal}) ", word(helo)));
        }
        stamp.push_str(&format!("by {} with {}", word(self.by), word(self.with)));
        if let Some(tls) = self.tls {
            stamp.push_str(&format!(" ({})", comment(tls)));
        }
        stamp.push_str(&format!(" id {}", word(self.id)));
        if let Some(recipient) = self.recipient {
            stamp.push_str(&format!(" for <{recipient}>"));
        }
        stamp.push_str(&format!("; {}", self.date.rfc5322()));
        field("Received", &stamp)
    }
}
