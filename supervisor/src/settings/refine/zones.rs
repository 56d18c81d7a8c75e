//! The name servers to query, the name server to update, and the blocklists.

use std::net::{IpAddr, SocketAddr};

use address::Domain;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handover::Confidential;
use handover::config::{DnsUpdate, TsigAlgorithm, TsigKey};

use super::{is_none, pieces};
use crate::settings::fault::SettingFault;
use crate::settings::raw::{Raw, RawValue};
use crate::settings::variables;

const DNS_PORT: u16 = 53;
/// Lists that answer without a contract, for the number of queries of a small server.
const CHECK_BLOCKLISTS: [&str; 3] = ["zen.spamhaus.org", "bl.spamcop.net", "psbl.surriel.com"];

/// The name servers to query.
pub(super) fn dns_servers(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Vec<SocketAddr> {
    let Some(typed) = raw.take(&variables::DNS_SERVERS) else { return Vec::new() };
    let mut servers = Vec::new();
    for server in pieces(&typed.text) {
        match address(server) {
            Some(address) => servers.push(address),
            None => faults.push(
                typed.fault(format!("has {server:?} in it, which is not an address with or without a port")),
            ),
        }
    }
    servers
}

/// An address with or without a port.
fn address(text: &str) -> Option<SocketAddr> {
    let whole = text.parse::<SocketAddr>().ok();
    whole
        .or_else(|| text.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| (ip, DNS_PORT).into()).ok())
        .filter(|address| address.port() != 0)
}

/// The name server to send updates to.
pub(super) fn dns_update(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Option<DnsUpdate> {
    let server = raw.take(&variables::DNS_UPDATE_SERVER);
    let key = raw.take(&variables::DNS_UPDATE_KEY);
    if server.is_none() && key.is_some() {
        let wrong = "is not set, but MAIL_DNS_UPDATE_KEY is; the key is for that server";
        faults.push(SettingFault::of(&variables::DNS_UPDATE_SERVER, wrong));
    }
    let key = key.and_then(|typed| match tsig_key(typed.trimmed()) {
        Ok(key) => Some(key),
        Err(wrong) => {
            faults.push(typed.fault(wrong));
            None
        }
    });
    let typed = server?;
    let address = address(typed.trimmed());
    if address.is_none() {
        let wrong = format!("is {:?}, which is not an address with or without a port", typed.text);
        faults.push(typed.fault(wrong));
    }
    Some(DnsUpdate { server: address?, key })
}

/// `key = name ":" algorithm ":" base64`, of which nothing is quoted.
fn tsig_key(text: &str) -> Result<TsigKey, &'static str> {
    let mut parts = text.splitn(3, ':').map(str::trim);
    let (Some(name), Some(algorithm), Some(secret)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("is not a name, an algorithm and a secret, separated by colons");
    };
    let name = Domain::parse(name).map_err(|_| "does not begin with the name of a key")?;
    let algorithm = match algorithm.trim_end_matches('.').to_ascii_lowercase().as_str() {
        "hmac-sha256" => TsigAlgorithm::HmacSha256,
        "hmac-sha384" => TsigAlgorithm::HmacSha384,
        "hmac-sha512" => TsigAlgorithm::HmacSha512,
        _ => return Err("names an algorithm that is not one of hmac-sha256, hmac-sha384 and hmac-sha512"),
    };
    match STANDARD.decode(secret) {
        Ok(octets) if !octets.is_empty() => {
            Ok(TsigKey { name, algorithm, secret: Confidential::new(secret) })
        }
        _ => Err("does not end with a secret in base64"),
    }
}

/// The zones of the lists in which our own addresses are looked up.
pub(super) fn check_blocklists(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Vec<Domain> {
    match raw.take(&variables::CHECK_BLOCKLISTS) {
        None => CHECK_BLOCKLISTS.iter().filter_map(|zone| Domain::parse(zone).ok()).collect(),
        Some(typed) => blocklists(&typed, faults),
    }
}

/// The zones of blocklists, or `none`.
pub(super) fn blocklists(typed: &RawValue, faults: &mut Vec<SettingFault>) -> Vec<Domain> {
    if is_none(&typed.text) {
        return Vec::new();
    }
    let mut zones = Vec::new();
    for zone in pieces(&typed.text) {
        match Domain::parse(zone) {
            Ok(zone) if zones.contains(&zone) => {
                faults.push(typed.fault(format!("has {zone} in it twice")));
            }
            Ok(domain) if domain.labels().count() > 1 => zones.push(domain),
            _ => faults.push(typed.fault(format!("has {zone:?} in it, which is neither a zone nor `none`"))),
        }
    }
    zones
}
