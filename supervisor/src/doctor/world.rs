//! What was seen of the world and of this machine. All of it is plain data, so that a test can make up any world.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use address::Domain;
use handover::certificate::Facts as CertificateFacts;
use hickory_proto::rr::{Name, RData, RecordType};
pub(super) use spf::Answer;

use crate::dns::record::fqdn;
use crate::dns::records::Facts;

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
    /// Whether mail can leave: the host and what its port 25 said.
    pub(super) probe: Option<(String, Probe)>,
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

    /// The addresses under which this machine sends: those of its interfaces; behind a router that translates them, those
    /// of its name.
    pub(super) fn own_addresses(&self, facts: &Facts, host: &Name) -> Vec<IpAddr> {
        if facts.addresses.is_empty() { self.addresses(host) } else { facts.addresses.all().collect() }
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

/// Whether a text begins with a version tag such as `v=spf1`, which ends there (RFC 7208 §4.5).
fn has_version(text: &str, version: &str) -> bool {
    text.get(..version.len()).is_some_and(|start| start.eq_ignore_ascii_case(version))
        && text[version.len()..].chars().next().is_none_or(|next| next == ';' || next.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::has_version;

    #[test]
    fn a_version_ends_where_it_ends() {
        for (text, is_it) in [
            ("v=spf1 mx -all", true),
            ("V=SPF1", true),
            ("v=spf10 mx", false),
            ("v=spf", false),
            ("é=spf1", false),
        ] {
            assert_eq!(has_version(text, "v=spf1"), is_it, "{text}");
        }
        assert!(has_version("v=DMARC1; p=none", "v=DMARC1"));
    }
}
