//! The observed state: DNS and other hosts as seen from here, and this machine. It is plain data, so that a test can
//! construct any state.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use address::Domain;
use handover::certificate::CertificateFacts;
use hickory_proto::rr::{Name, RData, RecordType};
pub(super) use spf::Answer;

use crate::dns::addresses::is_public;
use crate::dns::record::{address, fqdn};
use crate::dns::records::SiteFacts;
use crate::dns::spf_text::has_version;

/// The observed state.
#[derive(Debug, Clone, Default)]
pub(super) struct ObservedState {
    /// The time of the observation, in seconds since 1970, by this machine's clock.
    pub(super) at: u64,
    /// The resolvers that were used.
    pub(super) resolvers: Vec<SocketAddr>,
    /// The answers of DNS.
    pub(super) names: BTreeMap<(Name, RecordType), Answer>,
    /// Aliases with their targets.
    pub(super) aliases: BTreeMap<Name, Name>,
    /// Names that the resolver authenticates by DNSSEC.
    pub(super) authentic: BTreeSet<Name>,
    /// Set if the resolver answers for a name with invalid signatures; `None` if that was not checked or is unknown.
    pub(super) gives_forged: Option<bool>,
    /// The reverse names of addresses, each with its own addresses.
    pub(super) reverse: BTreeMap<IpAddr, Reverse>,
    /// The names whose queries failed, with the reason: of the machine, the domains and the root.
    pub(super) faults: BTreeMap<Name, NameFault>,
    /// The host that shows if mail can leave, and the result for its port 25, for each address family.
    pub(super) probe: Option<(String, Vec<(Family, Probe)>)>,
    /// Connections to this machine by its public addresses.
    pub(super) connections: BTreeMap<(IpAddr, u16), ConnectionOutcome>,
    /// The last connections from outside by port, in seconds since 1970; `None` if the daemons did not answer.
    pub(super) last_connections: Option<BTreeMap<u16, u64>>,
    /// Other mail hosts whose port 25 does not answer, with the reason.
    pub(super) dead_exchanges: BTreeMap<Name, String>,
    /// The answers of the blocklists.
    pub(super) blocklists: Vec<Blocklist>,
    /// The MTA-STS policy served for each domain.
    pub(super) policies: BTreeMap<Domain, Result<String, FetchError>>,
    /// The results for the web servers of those domains whose own name leads here.
    pub(super) own_names: BTreeMap<Domain, Result<(), FetchError>>,
    /// The difference of this machine's clock to others', in seconds; positive if ours is ahead.
    pub(super) ahead: Option<i64>,
    /// The observed state of this machine.
    pub(super) machine: Machine,
}

/// The names of an address.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reverse {
    pub(super) names: Answer,
    /// The addresses of each name.
    pub(super) forward: BTreeMap<Name, Vec<IpAddr>>,
}

/// The result of a connection to another host's port 25.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Probe {
    /// The greeting.
    Greeted(String),
    /// No address of the host was found.
    NoAddress(String),
    /// There was no connection, or no greeting.
    Failed(String),
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// The outcome of a connection to this machine by one of its public addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConnectionOutcome {
    /// The peer has the key of this machine's certificate.
    Own,
    /// A server answers; whether it is this machine's is unknown.
    Answered,
    /// Another server, or a proxy, answers.
    Other(String),
    /// There was no connection, or no answer.
    Silent(String),
}

/// The reason why queries for a name have no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NameFault {
    /// The resolver refuses to answer (REFUSED).
    Refused,
    /// The resolver withholds its answer because the signatures are invalid (DNSSEC). With the resolver's text.
    Bogus(String),
    /// The name servers of the zone do not answer the resolver. With the resolver's text.
    Unanswered(String),
}

/// The answers of one blocklist.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Blocklist {
    pub(super) zone: Domain,
    /// The answer for 127.0.0.2, which every list has (RFC 5782 §5).
    pub(super) listed: Answer,
    /// The answer for 127.0.0.1, which no list has.
    pub(super) unlisted: Answer,
    /// The answers for our own addresses.
    pub(super) own: Vec<(IpAddr, Answer)>,
}

/// The observed state of this machine.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    /// Free octets on the volume.
    pub(super) free: Option<Result<u64, String>>,
    /// Free and total inodes of the volume; `None` if it does not count them.
    pub(super) files: Option<(u64, u64)>,
    /// Set if the volume is mounted read-only.
    pub(super) is_read_only: bool,
    /// Wrong owners and permissions on the volume, one per line.
    pub(super) foreign: Vec<String>,
    /// Folders that cannot be accessed, with reasons.
    pub(super) unreachable: Vec<String>,
    /// The certificate, and whether clients trust it.
    pub(super) certificate: Option<Result<(CertificateFacts, ChainTrust), String>>,
    /// The steward's answer, or the reason why it gave no answer.
    pub(super) health: Option<Result<Vec<HealthReason>, String>>,
    /// The listener on port 25; determined if the steward does not answer.
    pub(super) port_25: Option<PortHolder>,
}

/// The listener on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PortHolder {
    /// A process with that name and number.
    Program { name: String, id: u32 },
    /// A program that is not visible from here, outside of the container.
    Unseen,
}

/// The result of verifying the certificate chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChainTrust {
    /// It leads to an authority that clients trust.
    Trusted,
    /// An issuer's certificate is missing.
    Broken,
    /// It is complete, but clients do not trust it.
    Distrusted(Distrust),
}

/// The reason why a client does not trust a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Distrust {
    /// No trusted authority has issued it.
    Unknown,
    /// It has expired, or one in its chain has.
    Ended,
    /// It is not valid yet, or one in its chain is not.
    Early,
    /// It is for other names.
    Name,
    /// Another reason.
    Other(String),
}

/// The reason why a page could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FetchError {
    /// The web server's certificate is not trusted.
    Distrusted(Distrust),
    /// There was no connection, or no page.
    Failed(String),
}

/// A reason from the health page.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(super) struct HealthReason {
    pub(super) source: String,
    pub(super) severity: String,
    pub(super) problem: String,
    #[serde(default)]
    pub(super) fix: String,
}

impl ObservedState {
    /// The answer for a query; one that was not made is unknown.
    pub(super) fn answer(&self, name: &Name, kind: RecordType) -> &Answer {
        static NOT_QUERIED: std::sync::LazyLock<Answer> =
            std::sync::LazyLock::new(|| Answer::Failed("it was not queried in time".to_owned()));
        self.names.get(&(name.clone(), kind)).unwrap_or(&NOT_QUERIED)
    }

    /// The known addresses of a name, of both families.
    pub(super) fn addresses(&self, name: &Name) -> Vec<IpAddr> {
        let kinds = [RecordType::A, RecordType::AAAA];
        kinds.iter().flat_map(|kind| self.answer(name, *kind).records()).filter_map(address).collect()
    }

    /// The addresses from which this machine sends: those of its interfaces, and those of its name in a family that a
    /// router may translate.
    pub(super) fn own_addresses(&self, facts: &SiteFacts, host: &Name) -> Vec<IpAddr> {
        let known = &facts.addresses;
        let translated = |address: &IpAddr| {
            known.may_be_translated(address.is_ipv4()) && is_public(*address) && !self.is_elsewhere(*address)
        };
        let named = self.addresses(host).into_iter().filter(translated);
        known.all().chain(named).collect()
    }

    /// Returns true if an address leads to this machine: an interface has it, or a connection to it arrives here.
    pub(super) fn leads_here(&self, facts: &SiteFacts, address: IpAddr) -> bool {
        facts.addresses.contains(address)
            || self
                .connections
                .iter()
                .any(|((ip, _), outcome)| *ip == address && *outcome == ConnectionOutcome::Own)
    }

    /// Returns true if another server answers there.
    fn is_elsewhere(&self, address: IpAddr) -> bool {
        matches!(self.connections.get(&(address, 25)), Some(ConnectionOutcome::Other(_)))
    }

    /// The addresses of a domain's own name: this machine's, and the others.
    pub(super) fn own_name(
        &self,
        facts: &SiteFacts,
        host: &Name,
        domain: &Domain,
    ) -> (Vec<IpAddr>, Vec<IpAddr>) {
        let own = self.own_addresses(facts, host);
        let found = fqdn(domain).map(|name| self.addresses(&name)).unwrap_or_default();
        found.into_iter().partition(|address| own.contains(address))
    }

    /// The domains whose own name leads here, except the machine's name.
    pub(super) fn domains_here(&self, facts: &SiteFacts, host: &Name) -> Vec<Domain> {
        let presence = &facts.presence;
        let others = presence.domains.iter().filter(|domain| **domain != presence.hostname);
        let here = others.filter(|domain| !self.own_name(facts, host, domain).0.is_empty());
        here.filter(|_| presence.serves_web).cloned().collect()
    }

    /// The texts of a name that begin with a version.
    pub(super) fn texts(&self, name: &Name, version: &str) -> Vec<String> {
        texts(self.answer(name, RecordType::TXT), version)
    }
}

/// The texts in an answer that begin with a version.
pub(super) fn texts(answer: &Answer, version: &str) -> Vec<String> {
    texts_of(answer).into_iter().filter(|text| has_version(text, version)).collect()
}

/// The texts in an answer.
pub(super) fn texts_of(answer: &Answer) -> Vec<String> {
    answer.records().iter().filter_map(text).collect()
}

/// The joined strings of a text.
pub(super) fn text(data: &RData) -> Option<String> {
    match data {
        RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        _ => None,
    }
}
