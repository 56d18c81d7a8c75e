//! Changing zones where they are served: updates (RFC 2136), signed by a shared key (RFC 8945).
//!
//! ```text
//! Updater ── zone_of ──▶ zone ── apply ──▶ taken ── wait_until_shown ──▶ every server of the zone shows it
//! ```
//!
//! All goes over TCP to the one server that is set, the questions about it included, and all is signed: a primary that
//! nobody else may ask will answer us. Each exchange is bounded in time; no answer is believed whose signature is wrong.

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
pub use exchange::Question;
pub use fault::{Fault, UpdateError};
use key::Key;
pub use key::KeyError;

/// Changes the zones that one server holds.
#[derive(Debug, Clone)]
pub struct Updater {
    server: SocketAddr,
    key: Option<Key>,
}

impl Updater {
    /// The server is the zones' primary. Without a key it must allow our address to change them.
    pub fn new(settings: &DnsUpdate) -> Result<Self, KeyError> {
        let key = settings.key.as_ref().map(Key::new).transpose()?;
        Ok(Self { server: settings.server, key })
    }

    /// The zone that a name belongs to: the server names it by the SOA in its answer, whether the name exists or not
    /// (RFC 2308 §2).
    pub async fn zone_of(&self, name: &Name) -> Result<Name, UpdateError> {
        let mut asked = name.clone();
        loop {
            let answer = self.question(&asked, RecordType::SOA).await?;
            if let Some(zone) = zone_in(&answer, name) {
                return Ok(zone);
            }
            // An alias leads to another name's zone, so the name above is asked for.
            if !answer.answers.iter().any(|record| record.record_type() == RecordType::CNAME) {
                return Err(Fault::NoZone(name.clone()).at(self.server));
            }
            asked = asked.base_name();
        }
    }

    /// The records of a name that the server itself has: those of the type, or the alias that the name is.
    pub async fn records(&self, name: &Name, kind: RecordType) -> Result<Vec<Record>, UpdateError> {
        let answer = self.question(name, kind).await?;
        Ok(answer.answers.into_iter().filter(|record| record.name == *name).collect())
    }

    /// Makes the changes, all or none (RFC 2136 §3.4).
    pub async fn apply(&self, zone: &Name, changes: Vec<Change>) -> Result<(), UpdateError> {
        self.apply_if(zone, Vec::new(), changes).await
    }

    /// Makes the changes if the zone meets the conditions, all or none (RFC 2136 §3.2).
    pub async fn apply_if(
        &self,
        zone: &Name,
        prerequisites: Vec<Prerequisite>,
        changes: Vec<Change>,
    ) -> Result<(), UpdateError> {
        let mut message = Message::query();
        message.metadata.op_code = OpCode::Update;
        message.metadata.recursion_desired = false;
        // RFC 2136 §2.3: the zone section has the form of a question for the SOA.
        message.add_query(Query::query(zone.clone(), RecordType::SOA));
        message.add_answers(prerequisites.into_iter().map(Prerequisite::into_record));
        message.add_authorities(changes.into_iter().map(Change::into_record));
        self.exchange(message).await.map(drop)
    }

    /// A name has these records of their type afterwards, and no others of it.
    pub async fn replace(&self, name: &Name, ttl: u32, contents: Vec<RData>) -> Result<(), UpdateError> {
        let zone = self.zone_of(name).await?;
        self.apply(&zone, Change::replace(name, ttl, contents)).await
    }

    /// A name has this record afterwards, beside what it had.
    pub async fn add(&self, name: &Name, ttl: u32, content: RData) -> Result<(), UpdateError> {
        let zone = self.zone_of(name).await?;
        self.apply(&zone, vec![Change::add(name, ttl, content)]).await
    }

    /// A name does not have this record afterwards. Its others stay.
    pub async fn remove(&self, name: &Name, content: RData) -> Result<(), UpdateError> {
        let zone = self.zone_of(name).await?;
        self.apply(&zone, vec![Change::Remove(name.clone(), content)]).await
    }

    async fn question(&self, name: &Name, kind: RecordType) -> Result<Message, UpdateError> {
        let mut message = Message::query();
        message.metadata.recursion_desired = false;
        message.add_query(Query::query(name.clone(), kind));
        self.exchange(message).await
    }

    async fn exchange(&self, message: Message) -> Result<Message, UpdateError> {
        let exchanged = async { exchange::exchange(self.server, self.sign(message, exchange::now())?).await };
        exchanged.await.map_err(|fault: Fault| fault.at(self.server))
    }

    /// The message as it is sent at the moment `now`, in seconds since 1970.
    pub fn sign(&self, message: Message, now: u64) -> Result<Question, Fault> {
        Question::new(message, self.key.as_ref(), now)
    }
}

/// The zone whose SOA an authoritative answer has. A resolver's answer names a zone too, which it cannot change.
fn zone_in(answer: &Message, name: &Name) -> Option<Name> {
    let sections = answer.answers.iter().chain(&answer.authorities);
    let mut zones =
        sections.filter(|record| record.record_type() == RecordType::SOA).map(|record| &record.name);
    answer.metadata.authoritative.then(|| zones.find(|zone| zone.zone_of(name)).cloned()).flatten()
}

#[cfg(test)]
mod tests;
