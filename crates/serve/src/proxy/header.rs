//! The header of the PROXY protocol, versions 1 and 2 (HAProxy, `proxy-protocol.txt`, §2.1 and §2.2).
//!
//! A value: octets in, the header or the number of octets still needed out. It never asks for an octet behind the
//! header, which belongs to the session.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `%x0D.0A.0D.0A.00.0D.0A.51.55.49.54.0A`, the first octets of version 2 (§2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The first octets of version 1 (§2.1).
const PREFIX: &[u8] = b"PROXY ";
/// The largest header of version 1, with its CRLF (§2.1).
const MAX_LINE: usize = 107;
/// Signature, version and command, family and protocol, length.
const FIXED: usize = 16;
/// The largest addresses and extensions (TLV) of version 2. A proxy that passes on the names of a TLS session sends a
/// few hundred octets.
const MAX_VARIABLE: usize = 2048;

/// The progress of reading a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The header is incomplete; this many more octets belong to it for certain.
    Incomplete(usize),
    /// The header is complete.
    Complete(Source),
}

/// The origin of a connection, as its proxy states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The address of the client.
    Client(SocketAddr),
    /// The proxy itself: `LOCAL` in version 2 and `UNKNOWN` in version 1, which a health check of the proxy sends.
    Proxy,
}

/// A fault of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HeaderError {
    /// The first octets are those of neither version.
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    /// The header does not end in time.
    #[error("the PROXY header is too long")]
    TooLong,
    /// The header breaks the syntax of its version.
    #[error("the PROXY header is malformed")]
    Malformed,
    /// The header states another protocol than TCP over IPv4 or IPv6.
    #[error("the PROXY header names no client of TCP over IPv4 or IPv6")]
    NotTcp,
}

/// Reads a header from the octets received so far.
pub(super) fn read(octets: &[u8]) -> Result<Progress, HeaderError> {
    if octets.starts_with(PREFIX) {
        return read_line(octets);
    }
    // Before the first octet this must come first: version 1 may be shorter than the fixed part of version 2.
    if PREFIX.starts_with(octets) {
        return Ok(Progress::Incomplete(PREFIX.len() - octets.len()));
    }
    let compared = octets.len().min(SIGNATURE.len());
    match octets[..compared] == SIGNATURE[..compared] {
        true => read_binary(octets),
        false => Err(HeaderError::Missing),
    }
}

/// `"PROXY" SP ( "TCP4" / "TCP6" ) SP source SP destination SP port SP port CRLF`, or `"PROXY UNKNOWN" … CRLF` (§2.1).
fn read_line(octets: &[u8]) -> Result<Progress, HeaderError> {
    let Some(end) = octets.iter().position(|octet| *octet == b'\n') else {
        return match octets.len() < MAX_LINE {
            true => Ok(Progress::Incomplete(1)),
            false => Err(HeaderError::TooLong),
        };
    };
    let line = octets[..end].strip_suffix(b"\r").ok_or(HeaderError::Malformed)?;
    let line = str::from_utf8(line).map_err(|_| HeaderError::Malformed)?;
    let mut words = line.split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        return Ok(Progress::Complete(Source::Proxy));
    }
    let (Some(source), Some(destination), Some(port), Some(own_port), None) =
        (words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return Err(HeaderError::Malformed);
    };
    let address = |text: &str| -> Option<IpAddr> {
        match family {
            Some("TCP4") => text.parse::<Ipv4Addr>().ok().map(IpAddr::from),
            Some("TCP6") => text.parse::<Ipv6Addr>().ok().map(IpAddr::from),
            _ => None,
        }
    };
    let client = address(source).zip(decimal_port(port));
    let own = address(destination).zip(decimal_port(own_port));
    match (client, own) {
        (Some(client), Some(_)) => Ok(Progress::Complete(Source::Client(client.into()))),
        _ => Err(HeaderError::Malformed),
    }
}

/// A port in decimal without leading zeros (§2.1).
fn decimal_port(text: &str) -> Option<u16> {
    let is_decimal =
        text.bytes().all(|octet| octet.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_decimal)
}

/// The signature, version and command, family and protocol, length, addresses, and extensions (§2.2). The extensions are
/// skipped: none says more about the client's address, and TCP has checked the octets that a checksum would cover.
fn read_binary(octets: &[u8]) -> Result<Progress, HeaderError> {
    let Some(fixed) = octets.first_chunk::<FIXED>() else {
        return Ok(Progress::Incomplete(FIXED - octets.len()));
    };
    let [.., command, family, high, low] = *fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_VARIABLE {
        return Err(HeaderError::TooLong);
    }
    let Some(variable) = octets.get(FIXED..FIXED + length) else {
        return Ok(Progress::Incomplete(FIXED + length - octets.len()));
    };
    match command {
        0x20 => return Ok(Progress::Complete(Source::Proxy)),
        0x21 => {}
        _ => return Err(HeaderError::Malformed),
    }
    let client = match family {
        0x11 => variable.first_chunk::<12>().map(|addresses| {
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *addresses;
            SocketAddr::from(([a, b, c, d], u16::from_be_bytes([high, low])))
        }),
        0x21 => variable.first_chunk::<36>().and_then(|addresses| {
            let source: [u8; 16] = *addresses.first_chunk()?;
            Some(SocketAddr::from((source, u16::from_be_bytes([addresses[32], addresses[33]]))))
        }),
        _ => return Err(HeaderError::NotTcp),
    };
    client.map(|client| Progress::Complete(Source::Client(client))).ok_or(HeaderError::Malformed)
}

#[cfg(test)]
mod tests;
