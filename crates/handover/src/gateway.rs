//! This machine's default gateways, as listed in the kernel's routing tables.
//!
//! In a container behind a bridge, the gateway is the machine outside: connections that its engine forwards without the
//! client's own address arrive from there. So code that judges peers by their address must exempt this one, since all
//! clients share it.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Columns of `/proc/net/route`: interface, destination, gateway, flags, and more; the numbers are hexadecimal, and the
/// addresses have the octets in the machine's own order.
const IPV4: &str = "/proc/net/route";
/// Columns of `/proc/net/ipv6_route`: destination and its length, source and its length, gateway, metric, references,
/// uses, flags, interface; all hexadecimal, the addresses in the order of the network.
const IPV6: &str = "/proc/net/ipv6_route";

/// The route leads through a gateway (`RTF_GATEWAY`, route(8)).
const THROUGH_GATEWAY: u32 = 0x2;

/// The default gateways of this network namespace. A table that cannot be read counts as empty.
pub fn default_gateways() -> Vec<IpAddr> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    from_tables(&read(IPV4), &read(IPV6))
}

/// The default gateways in the texts of both tables, each once.
pub fn from_tables(ipv4: &str, ipv6: &str) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = Vec::new();
    let four = ipv4.lines().filter_map(ipv4_gateway).map(IpAddr::from);
    let six = ipv6.lines().filter_map(ipv6_gateway).map(IpAddr::from);
    for gateway in four.chain(six) {
        if !found.contains(&gateway) {
            found.push(gateway);
        }
    }
    found
}

fn ipv4_gateway(line: &str) -> Option<Ipv4Addr> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [_, destination, gateway, flags, _, _, _, mask, ..] = fields.as_slice() else { return None };
    let is_default = number(destination)? == 0 && number(mask)? == 0;
    let is_gateway = number(flags)? & THROUGH_GATEWAY != 0;
    (is_default && is_gateway).then_some(Ipv4Addr::from(number(gateway)?.to_ne_bytes()))
}

fn ipv6_gateway(line: &str) -> Option<Ipv6Addr> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let [destination, length, _, _, gateway, _, _, _, flags, ..] = fields.as_slice() else { return None };
    let is_default = address(destination)?.is_unspecified() && number(length)? == 0;
    let is_gateway = number(flags)? & THROUGH_GATEWAY != 0;
    let gateway = address(gateway)?;
    (is_default && is_gateway && !gateway.is_unspecified()).then_some(gateway)
}

fn number(hexadecimal: &str) -> Option<u32> {
    u32::from_str_radix(hexadecimal, 16).ok()
}

fn address(hexadecimal: &str) -> Option<Ipv6Addr> {
    (hexadecimal.len() == 32)
        .then(|| u128::from_str_radix(hexadecimal, 16).ok())
        .flatten()
        .map(Ipv6Addr::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a container on Docker's bridge sees it (a little-endian machine wrote it).
    const BRIDGE_IPV4: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010012AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
";

    const BRIDGE_IPV6: &str = "\
fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
00000000000000000000000000000001 80 00000000000000000000000000000000 00 00000000000000000000000000000000 00000000 00000002 00000000 80200001       lo
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_gateway_is_that_of_the_default_route() {
        let expected: [IpAddr; 2] = ["172.18.0.1".parse().unwrap(), "fd00::1".parse().unwrap()];
        assert_eq!(from_tables(BRIDGE_IPV4, BRIDGE_IPV6), expected);
        assert_eq!(from_tables(&BRIDGE_IPV4.repeat(2), &BRIDGE_IPV6.repeat(2)), expected);
    }

    #[test]
    fn a_malformed_routing_table_has_no_gateway() {
        for text in ["", "\n\n", "Iface", "eth0 0 0 zz 0 0 0 0", "eth0\t00000000", "é", &"0 ".repeat(20)] {
            assert_eq!(from_tables(text, text), [] as [IpAddr; 0], "{text:?}");
        }
        // A device instead of a gateway: a tunnel.
        assert_eq!(
            from_tables("tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0", ""),
            [] as [IpAddr; 0]
        );
    }
}
