use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The settings of logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Networks that are never treated as one client, since many may share their addresses: this machine, and the
    /// gateway of a container, from which every connection seems to come that its engine forwards without the client's
    /// address. They earn no trust by a good password.
    pub shared_networks: Vec<IpNet>,
    /// Networks of the proxies that must state the address of their client in a PROXY header. They are believed; no other
    /// address is.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for Login {
    fn default() -> Self {
        let loopback = ["127.0.0.0/8", "::1/128"].map(|network| network.parse());
        Self {
            shared_networks: loopback
                .into_iter()
                .map(|network| network.expect("both are networks"))
                .collect(),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Login {
    /// True for the address of a gateway, which says nothing about the client behind it: one of the shared addresses,
    /// and not this machine's own.
    pub fn is_gateway(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        !address.is_loopback() && self.shared_networks.iter().any(|network| network.contains(&address))
    }
}
