//! Changes zones on their primary server, by updates (RFC 2136) signed with a shared key (RFC 8945).
//!
//! ```text
//! Updater ── zone_of ──▶ zone ── apply ──▶ accepted ── wait_until_visible ──▶ every server of the zone serves it
//! ```
//!
//! All messages, including the queries, go over TCP to the configured server and are signed: a primary that refuses
//! other clients will answer us. Each exchange is bounded in time, and an answer with a wrong signature is rejected.

mod change;
mod exchange;
mod fault;
mod key;
mod propagation;

use std::net::SocketAddr;

use handover::config::DnsUpdate;
use hickory_proto::op::{Message, OpCode, Query};
use hickory_proto::rr::{Name, RData, Record, RecordType};

pub use change::{Change, Prerequisite};
pub use exchange::SignedQuery;
pub use fault::{UpdateError, UpdateFault};
use key::Key;
pub use key::KeyError;

/// Changes the zones on one server.
#[derive(Debug, Clone)]
pub struct Updater {
    server: SocketAddr,
    key: Option<Key>,
}

impl Updater {
    /// Creates an updater. The server must be the zones' primary, and without a key it must permit our address to
    /// change them.
    pub fn new(settings: &DnsUpdate) -> Result<Self, KeyError> {
        let key = settings.key.as_ref().map(Key::new).transpose()?;
        Ok(Self { server: settings.server, key })
    }

    /// The zone of a name: the server names it by the SOA in its answer, whether the name exists or not (RFC 2308 §2).
    pub async fn zone_of(&self, name: &Name) -> Result<Name, UpdateError> {
        let mut queried = name.clone();
        loop {
            let answer = self.query(&queried, RecordType::SOA).await?;
            if let Some(zone) = zone_in(&answer, name) {
                return Ok(zone);
            }
            // An alias leads to another name's zone, so the parent name is queried.
            if !answer.answers.iter().any(|record| record.record_type() == RecordType::CNAME) {
                return Err(UpdateFault::NoZone(name.clone()).at(self.server));
            }
            queried = queried.base_name();
        }
    }

    /// The records of a name on the server: those of the type, or the alias if the name is one.
    pub async fn records(&self, name: &Name, kind: RecordType) -> Result<Vec<Record>, UpdateError> {
        let answer = self.query(name, kind).await?;
        Ok(answer.answers.into_iter().filter(|record| record.name == *name).collect())
    }

    /// Applies all changes or none (RFC 2136 §3.4).
    pub async fn apply(&self, zone: &Name, changes: Vec<Change>) -> Result<(), UpdateError> {
        self.apply_if(zone, Vec::new(), changes).await
    }

    /// Applies all changes or none, if the zone meets the conditions (RFC 2136 §3.2).
    pub async fn apply_if(
        &self,
        zone: &Name,
        prerequisites: Vec<Prerequisite>,
        changes: Vec<Change>,
    ) -> Result<(), UpdateError> {
        let mut message = Message::query();
        message.metadata.op_code = OpCode::Update;
        message.metadata.recursion_desired = false;
        // RFC 2136 §2.3: the zone section has the form of a query for the SOA.
        message.add_query(Query::query(zone.clone(), RecordType::SOA));
        message.add_answers(prerequisites.into_iter().map(Prerequisite::into_record));
        message.add_authorities(changes.into_iter().map(Change::into_record));
        self.exchange(message).await.map(drop)
    }

    /// Replaces a name's records of one type by these.
    pub async fn replace(&self, name: &Name, ttl: u32, contents: Vec<RData>) -> Result<(), UpdateError> {
        let zone = self.zone_of(name).await?;
        self.apply(&zone, Change::replace(name, ttl, contents)).await
    }

    /// Adds a record to a name and keeps the others.
    pub async fn add(&self, name: &Name, ttl: u32, content: RData) -> Result<(), UpdateError> {
        let zone = self.zone_of(name).await?;
        self.apply(&zone, vec![Change::add(name, ttl, content)]).await
    }

    /// Removes a record from a name and keeps the others.
    pub async fn remove(&self, name: &Name, content: RData) -> Result<(), UpdateError> {
        let zone = self.zone_of(name).await?;
        self.apply(&zone, vec![Change::Remove(name.clone(), content)]).await
    }

    async fn query(&self, name: &Name, kind: RecordType) -> Result<Message, UpdateError> {
        let mut message = Message::query();
        message.metadata.recursion_desired = false;
        message.add_query(Query::query(name.clone(), kind));
        self.exchange(message).await
    }

    async fn exchange(&self, message: Message) -> Result<Message, UpdateError> {
        let exchanged = async { exchange::exchange(self.server, self.sign(message, exchange::now())?).await };
        exchanged.await.map_err(|fault: UpdateFault| fault.at(self.server))
    }

    /// The signed message for the time `now`, in seconds since 1970.
    pub fn sign(&self, message: Message, now: u64) -> Result<SignedQuery, UpdateFault> {
        SignedQuery::new(message, self.key.as_ref(), now)
    }
}

/// The zone whose SOA is in an authoritative answer. A resolver's answer names a zone too, but the resolver cannot
/// change it.
fn zone_in(answer: &Message, name: &Name) -> Option<Name> {
    let sections = answer.answers.iter().chain(&answer.authorities);
    let mut zones =
        sections.filter(|record| record.record_type() == RecordType::SOA).map(|record| &record.name);
    answer.metadata.authoritative.then(|| zones.find(|zone| zone.zone_of(name)).cloned()).flatten()
}

#[cfg(test)]
mod tests;
