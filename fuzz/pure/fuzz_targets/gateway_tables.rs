//! The kernel's routing tables, or any other text in their place: IPv4's, a line with a dash, IPv6's.

#![no_main]

use std::net::IpAddr;

use handover::gateway::from_tables;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|tables: &str| {
    let (ipv4, ipv6) = tables.split_once("\n-\n").unwrap_or((tables, tables));
    let gateways = from_tables(ipv4, ipv6);
    assert!(gateways.len() <= ipv4.lines().count() + ipv6.lines().count());
    for (at, gateway) in gateways.iter().enumerate() {
        assert!(!gateways[..at].contains(gateway), "each is named once");
        assert_ne!(*gateway, IpAddr::from([0; 16]), "the unspecified address is no gateway");
    }
});
