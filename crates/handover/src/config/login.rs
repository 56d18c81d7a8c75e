use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// How logins are judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Login {
    /// Networks that are never taken for one party, since anybody may be behind them: this machine, and the gateway of a
    /// container, from which whatever its engine forwards without the client's address seems to come. No password is
    /// believed any sooner from there.
    pub anybody: Vec<IpNet>,
}

impl Default for Login {
    fn default() -> Self {
        let loopback = ["127.0.0.0/8", "::1/128"].map(|network| network.parse());
        Self { anybody: loopback.into_iter().map(|network| network.expect("both are networks")).collect() }
    }
}

impl Login {
    /// Whether an address is a gateway's, and so says nothing about who is behind it: one of those that are anybody's, and
    /// not this machine's own.
    pub fn is_gateway(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        !address.is_loopback() && self.anybody.iter().any(|network| network.contains(&address))
    }
}
