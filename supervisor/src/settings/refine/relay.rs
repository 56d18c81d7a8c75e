//! The smarthost.
//!
//! ```text
//! relay    = scheme "://" [ userinfo "@" ] host [ ":" port ] [ "/" ]
//! scheme   = "smtp" / "submission" / "submissions"
//! userinfo = user ":" password                     ; percent-encoded (RFC 3986 §2.1)
//! ```
//!
//! Nothing of it is ever quoted: whatever its fault, the text may contain a password.

use address::{Domain, Host};
use handover::Confidential;
use handover::config::{Relay, RelayCredentials, RelaySecurity};

use crate::settings::fault::SettingFault;
use crate::settings::host_and_port::HostAndPort;
use crate::settings::raw::Raw;
use crate::settings::variables;

use super::path;

/// The relay for all outgoing mail, if it does not go to its destinations.
pub(super) fn relay(
    raw: &mut Raw,
    hostname: Option<&Domain>,
    faults: &mut Vec<SettingFault>,
) -> Option<Relay> {
    let url = raw.take(&variables::RELAY_URL);
    let authorities = path(raw, &variables::RELAY_CA_FILE, faults);
    let relay = url
        .as_ref()
        .and_then(|typed| parse(typed.trimmed()).map_err(|wrong| faults.push(typed.fault(wrong))).ok());
    if let (Some(relay), Some(typed)) = (&relay, &url)
        && is_ourselves(relay, hostname)
    {
        faults.push(typed.fault("leads to this server itself, and mail would loop; name another host"));
    }
    if authorities.is_some() {
        let useless = match &relay {
            None if url.is_none() => Some("is set, but MAIL_RELAY_URL is not; one needs the other"),
            Some(Relay { security: RelaySecurity::Opportunistic, .. }) => Some(
                "is set, but MAIL_RELAY_URL begins with smtp://, by which no certificate is verified; use submission:// or \
                 submissions://",
            ),
            _ => None,
        };
        faults.extend(useless.map(|wrong| SettingFault::of(&variables::RELAY_CA_FILE, wrong)));
    }
    relay.map(|relay| Relay { authorities, ..relay })
}

/// True for a port on which this server itself accepts mail, under its own name or as seen from within. Another port
/// may belong to another program.
fn is_ourselves(relay: &Relay, hostname: Option<&Domain>) -> bool {
    let is_here = match &relay.host {
        Host::Domain(name) => Some(name) == hostname || name.as_str() == "localhost",
        Host::Literal(ip) => ip.is_loopback() || ip.is_unspecified(),
    };
    is_here && [25, 465, 587].contains(&relay.port)
}

fn parse(text: &str) -> Result<Relay, &'static str> {
    const SCHEMES: &str = "does not begin with smtp://, submission:// or submissions://";
    let (scheme, rest) = text.split_once("://").ok_or(SCHEMES)?;
    let (security, port) = match scheme.to_ascii_lowercase().as_str() {
        "smtp" => (RelaySecurity::Opportunistic, 25),
        "submission" => (RelaySecurity::StartTls, 587),
        "submissions" => (RelaySecurity::ImplicitTls, 465),
        _ => return Err(SCHEMES),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    // The last `@`: one in a password or in a login that is an address needs no encoding.
    let (userinfo, host) = match rest.rsplit_once('@') {
        Some((userinfo, host)) => (Some(userinfo), host),
        None => (None, rest),
    };
    let credentials = userinfo.map(credentials).transpose()?;
    if credentials.is_some() && security == RelaySecurity::Opportunistic {
        return Err(
            "has a password in it, which smtp:// may send in the clear; use submission:// or submissions://",
        );
    }
    let HostAndPort { host, port } = HostAndPort::parse_with(host, port).ok_or_else(|| wrong(host))?;
    Ok(Relay { host, port, security, credentials, authorities: None })
}

/// The fault of a text that is not a host and a port.
fn wrong(host: &str) -> &'static str {
    let is_host = |text: &str| HostAndPort::parse_with(text, 25).is_some();
    if host.split_once(['/', '?', '#']).is_some_and(|(before, _)| is_host(before)) {
        "has something after the host and the port; remove it"
    } else if host.rsplit_once(':').is_some_and(|(name, _)| is_host(name)) {
        "has an invalid port; write a number from 1 to 65535, or leave it out with its colon"
    } else {
        "has no host in it that is a name or an address"
    }
}

fn credentials(userinfo: &str) -> Result<RelayCredentials, &'static str> {
    let (user, password) = userinfo.split_once(':').ok_or("has a user without a password in it")?;
    let (user, password) = (decoded(user)?, decoded(password)?);
    if user.is_empty() || password.is_empty() {
        return Err("has an empty user or password in it");
    }
    Ok(RelayCredentials { user, password: Confidential::new(password) })
}

/// `pct-encoded = "%" HEXDIG HEXDIG` (RFC 3986 §2.1).
fn decoded(text: &str) -> Result<String, &'static str> {
    let mut octets = Vec::with_capacity(text.len());
    let mut pieces = text.split('%');
    octets.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).unwrap_or_default();
        let octet = Some(digits).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let octet = octet.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        octets.push(octet.ok_or("has a % in it without two hexadecimal digits after it; write %25 for %")?);
        octets.extend_from_slice(rest.as_bytes());
    }
    let text =
        String::from_utf8(octets).map_err(|_| "has a user or password in it that is not UTF-8 text")?;
    if text.contains(char::is_control) {
        return Err("has a control character in the user or password");
    }
    Ok(text)
}
