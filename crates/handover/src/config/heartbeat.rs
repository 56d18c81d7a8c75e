use std::net::SocketAddr;

use address::{Address, Domain};
use serde::{Deserialize, Serialize};

use crate::confidential::Confidential;

/// `[heartbeat]` of `mta.toml` and `mda.toml`: a mailbox that is in no accounts file and that only this machine can
/// write to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatMailbox {
    /// Its address.
    pub address: Address,
    /// The hash of its password, which changes at every start.
    pub secret: String,
}

/// `[heartbeat]` of `steward.toml`: the message that the steward sends itself and reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// The interval in seconds.
    #[serde(default = "Heartbeat::every_seconds")]
    pub every_seconds: u64,
    /// Port 25 of this host.
    pub smtp: SocketAddr,
    /// Port 993 of this host.
    pub imaps: SocketAddr,
    /// The name under which this host records the results of its checks.
    pub hostname: Domain,
    /// The mailbox.
    pub address: Address,
    /// Its password.
    pub password: Confidential,
}

impl Heartbeat {
    /// Five minutes: a fault is noticed before most users have met it, and a day of heartbeats costs as much as 288
    /// small messages.
    pub fn every_seconds() -> u64 {
        300
    }
}
