//! Every record that the domains need: the single list that is printed, published and compared with DNS.

use std::net::{Ipv4Addr, Ipv6Addr};

use address::{Domain, DomainError};
use handover::config::{Presence, PublicSignature};

use super::addresses::Addresses;
use super::record::{Content, Priority, Purpose, Record};
use crate::mta_sts;
use crate::web_names;

/// The facts from which the records are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFacts {
    /// The settings.
    pub presence: Presence,
    /// The addresses at which other hosts reach this machine, as far as known.
    pub addresses: Addresses,
    /// The SHA-256 of the certificate's public key, if there is a certificate.
    pub key: Option<[u8; 32]>,
}

/// The ports whose certificate has TLSA records.
pub const DANE_PORTS: [u16; 5] = [25, 465, 587, 143, 993];

/// The services that mail clients look up (RFC 6186 §3, RFC 8314 §5.1). The cleartext ports are included: some clients
/// look up only these names, and send without TLS if the answer is that there is no such service.
const SERVICES: [(&str, Priority, u16); 4] = [
    ("_imaps", Priority::Preferred, 993),
    ("_imap", Priority::Fallback, 143),
    ("_submissions", Priority::Preferred, 465),
    ("_submission", Priority::Fallback, 587),
];

/// Mail services that we do not offer. Calendars and address books are not listed: they may be on another machine, and
/// our record would hide them.
const NOT_OFFERED: [&str; 2] = ["_pop3", "_pop3s"];

/// The records of this machine, then those of each domain in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedRecords {
    /// This machine's records.
    pub host: Vec<Record>,
    /// The records of each domain.
    pub domains: Vec<(Domain, Vec<Record>)>,
}

impl WantedRecords {
    /// All records.
    pub fn all(&self) -> impl Iterator<Item = &Record> {
        self.host.iter().chain(self.domains.iter().flat_map(|(_, records)| records))
    }

    /// The domains without a signing key.
    pub fn without_keys(&self) -> Vec<&str> {
        let has_key = |records: &[Record]| records.iter().any(|record| record.purpose == Purpose::Dkim);
        let domains = self.domains.iter().filter(|(_, records)| !has_key(records));
        domains.map(|(domain, _)| domain.as_str()).collect()
    }

    /// The lines of the names within a zone.
    pub fn lines_of(&self, zone: &Domain) -> String {
        let is_below = |record: &&Record| {
            let left = record.name.as_str().strip_suffix(zone.as_str());
            left.is_some_and(|left| left.is_empty() || left.ends_with('.'))
        };
        self.all().filter(is_below).map(|record| record.line() + "\n").collect()
    }

    /// Makes the list. The only error is a domain so long that a prefix exceeds the limit.
    pub fn of(facts: &SiteFacts) -> Result<Self, DomainError> {
        let domains = facts.presence.domains.iter();
        let domains = domains.map(|domain| Ok((domain.clone(), of_domain(facts, domain)?)));
        Ok(Self { host: of_host(facts)?, domains: domains.collect::<Result<_, DomainError>>()? })
    }
}

fn of_host(facts: &SiteFacts) -> Result<Vec<Record>, DomainError> {
    let SiteFacts { presence, addresses, key } = facts;
    let host = &presence.hostname;
    let record = |content, purpose| Record { name: host.clone(), content, purpose };
    let v4 = |address: &Ipv4Addr| record(Content::A(*address), Purpose::Address);
    let v6 = |address: &Ipv6Addr| record(Content::Aaaa(*address), Purpose::Address);
    let mut records: Vec<Record> = addresses.v4.iter().map(v4).chain(addresses.v6.iter().map(v6)).collect();
    // The HELO name is checked by itself (RFC 7208 §2.3), and bounces have no other name. If the machine's name is also
    // a domain, the domain's record is the one that a name may have.
    if !presence.domains.contains(host) {
        records.push(record(Content::Txt("v=spf1 a -all".to_owned()), Purpose::Spf));
    }
    // At the machine's name, and so for its aliases too (RFC 8659 §3): for their other names, the domains may use any
    // authority.
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

fn of_domain(facts: &SiteFacts, domain: &Domain) -> Result<Vec<Record>, DomainError> {
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

/// The labels of the web pages below each domain.
pub fn web_labels(presence: &Presence) -> impl Iterator<Item = &'static str> {
    web_names::LABELS.into_iter().filter(|label| presence.is_attested || *label != mta_sts::LABEL)
}

/// The text of a DKIM record. Its strings are joined without separators (RFC 6376 §3.6.1).
fn dkim(key: &PublicSignature) -> String {
    format!("v=DKIM1; k={}; p={}", key.kind, key.base64)
}

/// The authority's domain for CAA records, by the host of its ACME directory. `None` for unknown ones: a wrong domain
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
