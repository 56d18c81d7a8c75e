//! What was seen of the world and of this machine. All of it is plain data, so that a test can make up any world.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use address::Domain;
use handover::certificate::Facts as CertificateFacts;
use hickory_proto::rr::{Name, RData, RecordType};
pub(super) use spf::Answer;

use crate::dns::addresses::is_public;
use crate::dns::record::fqdn;
use crate::dns::records::Facts;
use crate::dns::spf_text::has_version;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    /// When, in seconds since 1970, by this machine's clock.
    pub(super) at: u64,
    /// The resolvers that were asked.
    pub(super) resolvers: Vec<SocketAddr>,
    /// What they said.
    pub(super) names: BTreeMap<(Name, RecordType), Answer>,
    /// Names that are aliases, with what they stand for.
    pub(super) aliases: BTreeMap<Name, Name>,
    /// Names whose answers the resolver vouches for, by DNSSEC.
    pub(super) authentic: BTreeSet<Name>,
    /// Whether the resolver answers for a name that is signed wrongly; nothing where that was not asked or cannot be told.
    pub(super) gives_forged: Option<bool>,
    /// Names of addresses, each with the addresses of those names.
    pub(super) reverse: BTreeMap<IpAddr, Reverse>,
    /// The names whose questions failed, with the reason: of the machine and of the domains, and of the root.
    pub(super) faults: BTreeMap<Name, Fault>,
    /// The host that shows whether mail can leave, and the greeting of its port 25, for each family of addresses.
    pub(super) probe: Option<(String, Vec<(Family, Probe)>)>,
    /// Connections to this machine by its public addresses.
    pub(super) reach: BTreeMap<(IpAddr, u16), Reach>,
    /// The last connections from outside by port, in seconds since 1970; nothing where the daemons did not answer.
    pub(super) visits: Option<BTreeMap<u16, u64>>,
    /// Other hosts that take mail, with the reason why their port 25 does not answer.
    pub(super) dead_exchanges: BTreeMap<Name, String>,
    /// What the blocklists said.
    pub(super) blocklists: Vec<Blocklist>,
    /// The MTA-STS policy that is served for each domain.
    pub(super) policies: BTreeMap<Domain, Result<String, Unfetched>>,
    /// The visits to the web servers of those domains whose own name leads here.
    pub(super) own_names: BTreeMap<Domain, Result<(), Unfetched>>,
    /// How far this machine's clock is ahead of others', in seconds.
    pub(super) ahead: Option<i64>,
    /// What was found on this machine.
    pub(super) machine: Machine,
}

/// The names of an address.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reverse {
    pub(super) names: Answer,
    /// The addresses of each of the names.
    pub(super) forward: BTreeMap<Name, Vec<IpAddr>>,
}

/// What a connection to another host's port 25 gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Probe {
    /// Its greeting.
    Greeted(String),
    /// The host has no address that could be found.
    NoAddress(String),
    /// No connection, or one that says nothing.
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
pub(super) enum Reach {
    /// The peer has the key of this machine's certificate.
    Own,
    /// A server answers; whether it is this machine's is not known.
    Answered,
    /// Another server, or a proxy, answers.
    Other(String),
    /// No connection, or no answer.
    Silent(String),
}

/// The reason why questions about a name have no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The resolver refuses to answer (REFUSED).
    Refused,
    /// The resolver has an answer and withholds it: the signatures are wrong (DNSSEC). With the resolver's words.
    Bogus(String),
    /// The name servers of the zone do not answer the resolver. With the resolver's words.
    Unanswered(String),
}

/// One blocklist's answers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Blocklist {
    pub(super) zone: Domain,
    /// About 127.0.0.2, which every list has (RFC 5782 §5).
    pub(super) listed: Answer,
    /// About 127.0.0.1, which no list has.
    pub(super) unlisted: Answer,
    /// About our own addresses.
    pub(super) own: Vec<(IpAddr, Answer)>,
}

/// What was found on this machine.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    /// Octets that are free on the volume.
    pub(super) free: Option<Result<u64, String>>,
    /// Files that can still be made on the volume, and as many as it has room for; nothing where it does not count them.
    pub(super) files: Option<(u64, u64)>,
    /// Whether the volume is mounted read-only.
    pub(super) is_read_only: bool,
    /// What is wrong with owners and rights on the volume, a line each.
    pub(super) foreign: Vec<String>,
    /// What is wrong with reaching the folders.
    pub(super) unreachable: Vec<String>,
    /// The certificate, and whether clients trust it.
    pub(super) certificate: Option<Result<(CertificateFacts, Chain), String>>,
    /// What the steward says, when it answers.
    pub(super) health: Option<Result<Vec<Reason>, String>>,
    /// Who listens on port 25 here; looked at when the steward does not answer.
    pub(super) port_25: Option<Holder>,
}

/// Who listens on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// A process with that name and number.
    Program { name: String, id: u32 },
    /// Nobody who can be seen from here: a program beside the container.
    Unseen,
}

/// Whether clients trust the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chain {
    /// It leads to an authority that they know.
    Trusted,
    /// The certificate of its issuer is not there.
    Broken,
    /// It is whole, and they do not trust it.
    Distrusted(Distrust),
}

/// Why a client does not trust a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Distrust {
    /// No authority that it knows stands behind it.
    Unknown,
    /// It has ended, or one in its chain.
    Ended,
    /// It is not valid yet, or one in its chain.
    Early,
    /// It is for other names.
    Name,
    /// Something else.
    Other(String),
}

/// Why a page cannot be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfetched {
    /// The web server shows a certificate that is not to be trusted.
    Distrusted(Distrust),
    /// No connection, or no page.
    Failed(String),
}

/// One reason of the health page.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub(super) struct Reason {
    pub(super) source: String,
    pub(super) severity: String,
    pub(super) problem: String,
    #[serde(default)]
    pub(super) fix: String,
}

impl World {
    /// What DNS said; what was not asked is not known.
    pub(super) fn answer(&self, name: &Name, kind: RecordType) -> &Answer {
        static NOT_ASKED: std::sync::LazyLock<Answer> =
            std::sync::LazyLock::new(|| Answer::Failed("it was not asked in time".to_owned()));
        self.names.get(&(name.clone(), kind)).unwrap_or(&NOT_ASKED)
    }

    /// The addresses of a name, of both families, as far as known.
    pub(super) fn addresses(&self, name: &Name) -> Vec<IpAddr> {
        let kinds = [RecordType::A, RecordType::AAAA];
        kinds.iter().flat_map(|kind| self.answer(name, *kind).records()).filter_map(address).collect()
    }

    /// The addresses under which this machine sends: those of its interfaces, and those of its name in a family that a router
    /// may translate.
    pub(super) fn own_addresses(&self, facts: &Facts, host: &Name) -> Vec<IpAddr> {
        let known = &facts.addresses;
        let translated = |address: &IpAddr| {
            known.may_be_translated(address.is_ipv4()) && is_public(*address) && !self.is_elsewhere(*address)
        };
        let named = self.addresses(host).into_iter().filter(translated);
        known.all().chain(named).collect()
    }

    /// Returns whether an address leads to this machine: an interface has it, or a connection to it ends here.
    pub(super) fn leads_here(&self, facts: &Facts, address: IpAddr) -> bool {
        facts.addresses.contains(address)
            || self.reach.iter().any(|((ip, _), reach)| *ip == address && *reach == Reach::Own)
    }

    /// Returns whether another server answers there.
    fn is_elsewhere(&self, address: IpAddr) -> bool {
        matches!(self.reach.get(&(address, 25)), Some(Reach::Other(_)))
    }

    /// The addresses of a domain's own name: those that are this machine's, then the others.
    pub(super) fn own_name(&self, facts: &Facts, host: &Name, domain: &Domain) -> (Vec<IpAddr>, Vec<IpAddr>) {
        let own = self.own_addresses(facts, host);
        let found = fqdn(domain).map(|name| self.addresses(&name)).unwrap_or_default();
        found.into_iter().partition(|address| own.contains(address))
    }

    /// The domains whose own name leads here, if not as the machine's name.
    pub(super) fn domains_here(&self, facts: &Facts, host: &Name) -> Vec<Domain> {
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
    answer.records().iter().filter_map(text).filter(|text| has_version(text, version)).collect()
}

/// The address in a record.
pub(super) fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

/// The strings of a text put together.
pub(super) fn text(data: &RData) -> Option<String> {
    match data {
        RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        _ => None,
    }
}
