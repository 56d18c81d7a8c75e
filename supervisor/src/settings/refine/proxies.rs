//! The proxies whose PROXY headers are believed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::pieces;
use crate::settings::fault::SettingFault;
use crate::settings::raw::Raw;
use crate::settings::variables;

/// The shortest prefixes that are accepted: a network of load balancers is never larger, and a mistake would let every
/// host in it take any address.
const MIN_PREFIX_IPV4: u8 = 8;
const MIN_PREFIX_IPV6: u8 = 16;

/// Refines the networks of the trusted proxies.
pub(super) fn trusted_proxies(raw: &mut Raw, faults: &mut Vec<SettingFault>) -> Vec<IpNet> {
    let Some(typed) = raw.take(&variables::PROXY_TRUSTED) else { return Vec::new() };
    let mut networks = Vec::new();
    for piece in pieces(&typed.text) {
        match network(piece) {
            Ok(network) => networks.push(network),
            Err(wrong) => faults.push(typed.fault(format!("has {piece:?} in it, which {wrong}"))),
        }
    }
    networks
}

fn network(text: &str) -> Result<IpNet, &'static str> {
    let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    let network =
        address.or_else(|_| text.parse::<IpNet>()).map_err(|_| "is neither an address nor a network")?;
    let network = match network {
        IpNet::V6(mapped) if mapped.addr().to_ipv4_mapped().is_some() => {
            return Err("is a network of IPv4 in IPv6; write it as IPv4");
        }
        network => network.trunc(),
    };
    let least = if network.addr().is_ipv4() { MIN_PREFIX_IPV4 } else { MIN_PREFIX_IPV6 };
    if network.prefix_len() < least {
        return Err("is so large that any host in it could take any address; name only the proxies");
    }
    let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    if own.iter().any(|own| network.contains(own)) {
        return Err(
            "has this machine's own address, from which the server checks itself without a header; let the \
                    proxy connect from another one, such as 127.0.0.2",
        );
    }
    Ok(network)
}
