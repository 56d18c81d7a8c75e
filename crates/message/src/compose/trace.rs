//! The Received field (RFC 5321 §4.4).

use std::net::IpAddr;

use address::Address;

use super::fold::{escaped_comment, field, sanitized_word};
use crate::DateTime;

/// The reception of a message.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// The peer; `None` for a submission, whose Received field names no client.
    pub from: Option<Peer<'a>>,
    /// Our host name.
    pub by: &'a str,
    /// `ESMTP`, `ESMTPS`, `ESMTPSA` and so on (RFC 3848).
    pub with: &'a str,
    /// TLS version and cipher suite, if TLS was used.
    pub tls: Option<&'a str>,
    /// Our identifier of the message.
    pub id: &'a str,
    /// The recipient, only if it is the only one: otherwise each recipient would see the others.
    pub recipient: Option<&'a Address>,
    /// The time of reception.
    pub date: DateTime,
}

/// The host that sent the message.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// Its name in HELO or EHLO.
    pub helo: &'a str,
    /// Its address.
    pub ip: IpAddr,
    /// The name that its address has in the DNS and that resolves back to the address.
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
            let name = sanitized_word(name.unwrap_or("unknown"));
            stamp.push_str(&format!("from {} ({name} {literal}) ", sanitized_word(helo)));
        }
        stamp.push_str(&format!("by {} with {}", sanitized_word(self.by), sanitized_word(self.with)));
        if let Some(tls) = self.tls {
            stamp.push_str(&format!(" ({})", escaped_comment(tls)));
        }
        stamp.push_str(&format!(" id {}", sanitized_word(self.id)));
        if let Some(recipient) = self.recipient {
            stamp.push_str(&format!(" for <{recipient}>"));
        }
        stamp.push_str(&format!("; {}", self.date.rfc5322()));
        field("Received", &stamp)
    }
}
