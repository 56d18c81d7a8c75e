//! Every record that the domains need: the one list that is printed, published and compared with what the world sees.

use std::net::{Ipv4Addr, Ipv6Addr};

use address::{Domain, DomainError};
use handover::config::{Presence, PublicSignature};

use super::addresses::Addresses;
use super::record::{Content, Priority, Purpose, Record};
use crate::mta_sts;
use crate::web_names;

/// What the records are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What the settings say.
    pub presence: Presence,
    /// The addresses under which others reach this machine, as far as they are known.
    pub addresses: Addresses,
    /// The SHA-256 of the certificate's public key, when there is a certificate.
    pub key: Option<[u8; 32]>,
}

/// The ports on which the certificate is shown to who may ask DNS about it.
pub const DANE_PORTS: [u16; 5] = [25, 465, 587, 143, 993];

/// The services that mail programs look for by themselves (RFC 6186 §3, RFC 8314 §5.1). The cleartext ports are there
/// too: some programs read only these names and send without TLS when the answer is that there is no such service.
const SERVICES: [(&str, Priority, u16); 4] = [
    ("_imaps", Priority::Preferred, 993),
    ("_imap", Priority::Fallback, 143),
    ("_submissions", Priority::Preferred, 465),
    ("_submission", Priority::Fallback, 587),
];

/// Mail services that no port of ours has. Calendars and address books are not among them: they may be on another
/// machine, and a record of ours would hide them.
const NOT_OFFERED: [&str; 2] = ["_pop3", "_pop3s"];

/// The records of this machine, then those of each domain in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// This machine's.
    pub host: Vec<Record>,
    /// Each domain's.
    pub domains: Vec<(Domain, Vec<Record>)>,
}

impl Wanted {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Record> {
        self.host.iter().chain(self.domains.iter().flat_map(|(_, records)| records))
    }

    /// The domains for which no signing key is there yet.
    pub fn without_keys(&self) -> Vec<&str> {
        let has_key = |records: &[Record]| records.iter().any(|record| record.purpose == Purpose::Dkim);
        let domains = self.domains.iter().filter(|(_, records)| !has_key(records));
        domains.map(|(domain, _)| domain.as_str()).collect()
    }

    /// The lines of those names that belong to a zone.
    pub fn lines_of(&self, zone: &Domain) -> String {
        let is_below = |record: &&Record| {
            let left = record.name.as_str().strip_suffix(zone.as_str());
            left.is_some_and(|left| left.is_empty() || left.ends_with('.'))
        };
        self.all().filter(is_below).map(|record| record.line() + "\n").collect()
    }

    /// Makes the list. The one thing that can go wrong is a domain so long that a prefix makes it too long.
    pub fn of(facts: &Facts) -> Result<Self, DomainError> {
        let domains = facts.presence.domains.iter();
        let domains = domains.map(|domain| Ok((domain.clone(), of_domain(facts, domain)?)));
        Ok(Self { host: of_host(facts)?, domains: domains.collect::<Result<_, DomainError>>()? })
    }
}

fn of_host(facts: &Facts) -> Result<Vec<Record>, DomainError> {
    let Facts { presence, addresses, key } = facts;
    let host = &presence.hostname;
    let record = |content, purpose| Record { name: host.clone(), content, purpose };
    let v4 = |address: &Ipv4Addr| record(Content::A(*address), Purpose::Address);
    let v6 = |address: &Ipv6Addr| record(Content::Aaaa(*address), Purpose::Address);
    let mut records: Vec<Record> = addresses.v4.iter().map(v4).chain(addresses.v6.iter().map(v6)).collect();
    // What the machine says in HELO is checked by itself (RFC 7208 §2.3), and bounces have no other name. Where the
    // machine has the domain's own name, the domain's record is the one that a name may have.
    if !presence.domains.contains(host) {
        records.push(record(Content::Txt("v=spf1 a -all".to_owned()), Purpose::Spf));
    }
    // At the machine's name, and so for the names that are its aliases too (RFC 8659 §3): the domain's other names may
    // have certificates of whomever they want.
    if let Some(authority) = presence.acme_directory.as_deref().and_then(authority) {
        records.push(record(Content::Caa(authority), Purpose::Authority));
    }
    if let Some(key) = key.filter(|_| !presence.is_local) {
        for port in DANE_PORTS {
            let name = host.with_prefix(&format!("_{port}._tcp"))?;
            records.push(Record { name, content: Content::Tlsa(key), purpose: Purpose::Dane });
        }
    }
    Ok(records)
}

fn of_domain(facts: &Facts, domain: &Domain) -> Result<Vec<Record>, DomainError> {
    let presence = &facts.presence;
    let host = &presence.hostname;
    let mut records = Vec::new();
    let mut add = |name: Domain, content, purpose| records.push(Record { name, content, purpose });
    let text = |text: &str| Content::Txt(text.to_owned());
    add(domain.clone(), Content::Mx(host.clone()), Purpose::Exchange);
    add(domain.clone(), text("v=spf1 mx -all"), Purpose::Spf);
    for key in presence.signatures.iter().filter(|key| key.domain == *domain) {
        add(
            domain.with_prefix(&format!("{}._domainkey", key.selector))?,
            Content::Txt(dkim(key)),
            Purpose::Dkim,
        );
    }
    let policy = format!("v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}");
    add(domain.with_prefix("_dmarc")?, Content::Txt(policy), Purpose::Dmarc);
    if presence.serves_web && presence.is_attested {
        add(domain.with_prefix("_mta-sts")?, Content::Txt(mta_sts::record(host)), Purpose::MtaSts);
    }
    let reports = format!("v=TLSRPTv1; rua=mailto:postmaster@{domain}");
    add(domain.with_prefix("_smtp._tls")?, Content::Txt(reports), Purpose::TlsReporting);
    for (service, priority, port) in SERVICES {
        let content = Content::Srv { priority, port, host: host.clone() };
        add(domain.with_prefix(&format!("{service}._tcp"))?, content, Purpose::Service);
    }
    for service in NOT_OFFERED {
        add(domain.with_prefix(&format!("{service}._tcp"))?, Content::NoService, Purpose::Service);
    }
    if presence.serves_web {
        let content = Content::Srv { priority: Priority::Preferred, port: 443, host: host.clone() };
        add(domain.with_prefix("_autodiscover._tcp")?, content, Purpose::Service);
        for label in web_labels(presence) {
            let name = domain.with_prefix(label)?;
            if name != *host {
                add(name, Content::Cname(host.clone()), Purpose::Web);
            }
        }
    }
    Ok(records)
}

/// The names below each domain under which pages are served.
pub fn web_labels(presence: &Presence) -> impl Iterator<Item = &'static str> {
    web_names::LABELS.into_iter().filter(|label| presence.is_attested || *label != mta_sts::LABEL)
}

/// RFC 6376 §3.6.1: the strings of a record are put together again without anything in between.
fn dkim(key: &PublicSignature) -> String {
    format!("v=DKIM1; k={}; p={}", key.kind, key.base64)
}

/// What an authority calls itself in CAA records, by the host of its ACME directory. Nothing for others: a wrong name
/// would keep them from issuing.
fn authority(directory: &str) -> Option<Domain> {
    let host = directory.strip_prefix("https://")?.split(['/', ':']).next()?;
    let known = [
        ("api.letsencrypt.org", "letsencrypt.org"),
        ("zerossl.com", "sectigo.com"),
        ("pki.goog", "pki.goog"),
        ("api.buypass.com", "buypass.com"),
    ];
    let is_below = |above: &str| {
        host.strip_suffix(above).is_some_and(|left| left.is_empty() || left.ends_with(['.', '-']))
    };
    let name = known.iter().find(|(above, _)| is_below(above)).map(|(_, name)| *name);
    // `acme-v02.api.letsencrypt.org`, `dv.acme-v02.api.pki.goog`, `acme.zerossl.com`
    name.and_then(|name| Domain::parse(name).ok())
}

#[cfg(test)]
pub(crate) mod tests;
