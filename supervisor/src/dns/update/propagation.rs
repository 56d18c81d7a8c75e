use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hickory_proto::rr::{Name, RData, RecordType};
use hickory_resolver::TokioResolver;

use super::Updater;
use super::fault::{UpdateError, UpdateFault};
use crate::dns::resolver;

/// The port of name servers.
const PORT: u16 = 53;
/// The first wait between two checks; it doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// The time after which a server that does not answer is ignored if another serves the record: the client that checks
/// later may not reach it either, or may have an address family that we lack.
const UNANSWERED: Duration = Duration::from_secs(15);
/// Limit of servers. Zones have two to eight servers of two addresses each; more are not meant seriously.
const MAX_SERVERS: usize = 32;

/// The state of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServerState {
    Visible,
    Missing,
    NoAnswer,
}

impl Updater {
    /// Waits until the zone's servers serve a text, so that a client that queries one of them (a certificate authority,
    /// RFC 8555 §8.4) finds it. `resolver` looks up the servers' addresses.
    pub async fn wait_until_visible(
        &self,
        resolver: &TokioResolver,
        name: &Name,
        text: &str,
        patience: Duration,
    ) -> Result<(), UpdateError> {
        let servers = self.servers_of(resolver, name).await?;
        let begin = Instant::now();
        let mut pause = PAUSE;
        loop {
            let probes = servers.iter().map(|server| probe(*server, name, text));
            let seen = futures_util::future::join_all(probes).await;
            let is_visible = seen.contains(&ServerState::Visible);
            let waits_for = |seen: &ServerState| match seen {
                ServerState::Visible => false,
                ServerState::Missing => true,
                ServerState::NoAnswer => !is_visible || begin.elapsed() < UNANSWERED,
            };
            if !seen.iter().any(waits_for) {
                return Ok(());
            }
            if begin.elapsed() + pause > patience {
                let late = servers.iter().zip(&seen).filter(|(_, seen)| **seen != ServerState::Visible);
                let servers = late.map(|(server, _)| *server).collect();
                return Err(UpdateFault::NotVisible { seconds: patience.as_secs(), servers }.at(self.server));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// The addresses of the zone's name servers. The configured server keeps its own port; it is used alone if no
    /// others are known.
    async fn servers_of(
        &self,
        resolver: &TokioResolver,
        name: &Name,
    ) -> Result<Vec<SocketAddr>, UpdateError> {
        let zone = self.zone_of(name).await?;
        let mut servers = BTreeSet::new();
        for record in self.records(&zone, RecordType::NS).await? {
            let RData::NS(host) = record.data else { continue };
            match resolver.lookup_ip(host.0.clone()).await {
                Ok(found) => servers.extend(found.iter().map(|address| {
                    if address == self.server.ip() { self.server } else { (address, PORT).into() }
                })),
                Err(error) => {
                    tracing::warn!(server = %host.0, %error, "a name server of the zone has no address");
                }
            }
        }
        if servers.is_empty() {
            servers.insert(self.server);
        }
        Ok(servers.into_iter().take(MAX_SERVERS).collect())
    }
}

/// Queries one authoritative server.
async fn probe(server: SocketAddr, name: &Name, text: &str) -> ServerState {
    let Ok(resolver) = resolver::of_one(server) else { return ServerState::NoAnswer };
    match resolver.lookup(name.clone(), RecordType::TXT).await {
        Ok(found) => {
            let is_it =
                |data: &RData| matches!(data, RData::TXT(txt) if txt.txt_data.concat() == text.as_bytes());
            if found.answers().iter().any(|record| is_it(&record.data)) {
                ServerState::Visible
            } else {
                ServerState::Missing
            }
        }
        Err(error) if resolver::is_answer(&error) => ServerState::Missing,
        Err(_) => ServerState::NoAnswer,
    }
}
