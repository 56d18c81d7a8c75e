//! The changes that a set of records needs to do its work: the policy of `mailstead dns --publish`.
//!
//! Only records that are this machine's, or plainly wrong, are changed. Records of other hosts and services stay, and
//! are listed, so that the operator decides. A policy is never weakened: a DMARC record keeps its `p`, an SPF record
//! its terms and its `all`, a TLSA record stays beside the one that is added.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hickory_proto::rr::{Name, RData, RecordType};

use super::record::{Purpose, Record, address};
use super::{dmarc_text, record, spf_text};

/// The records of one name and type.
#[derive(Debug)]
pub(crate) struct WantedSet<'a> {
    pub(crate) name: Name,
    pub(crate) kind: RecordType,
    pub(crate) purpose: Purpose,
    pub(crate) records: Vec<&'a Record>,
}

/// The zone's records of one name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct PublishedSet {
    /// The target, if the name is an alias.
    pub(crate) alias: Option<Name>,
    /// The records of the wanted type.
    pub(crate) records: Vec<RData>,
    /// The addresses of a name that is to be an alias.
    pub(crate) addresses: Vec<IpAddr>,
    /// True if the name has records of some other type.
    pub(crate) is_used: bool,
}

/// Facts about this machine that distinguish its own records from foreign ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnFacts {
    /// The host name.
    pub(crate) host: Name,
    /// Its addresses: those of its interfaces, and published ones that were seen to lead here.
    pub(crate) addresses: Vec<IpAddr>,
    /// Domains whose SPF record permits this machine already.
    pub(crate) passing: BTreeSet<Name>,
    /// Domains whose MX records name this machine.
    pub(crate) mail_here: BTreeSet<Name>,
    /// Names of MTA-STS records whose policy is on another web server.
    pub(crate) foreign_policies: BTreeSet<Name>,
}

/// The changes of one set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SetChange {
    /// Records to remove.
    pub(crate) remove: Vec<RData>,
    /// Records to add.
    pub(crate) add: Vec<RData>,
    /// The reason why foreign records stay.
    pub(crate) kept: Option<&'static str>,
}

impl SetChange {
    fn kept(reason: &'static str) -> Self {
        Self { kept: Some(reason), ..Self::default() }
    }

    fn replace(remove: Vec<RData>, add: Vec<RData>) -> Self {
        let stays = |data: &RData| remove.contains(data) && add.contains(data);
        Self {
            remove: remove.iter().filter(|data| !stays(data)).cloned().collect(),
            add: add.iter().filter(|data| !stays(data)).cloned().collect(),
            kept: None,
        }
    }

    /// Returns true if nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.add.is_empty()
    }
}

/// Compares a set with the wanted one.
pub(crate) fn reconcile(set: &WantedSet<'_>, present: &PublishedSet, own: &OwnFacts) -> SetChange {
    let wanted: Vec<RData> = set.records.iter().filter_map(|record| record.data().ok()).collect();
    match (set.purpose, &present.alias) {
        (Purpose::Address, alias) => addresses(present, alias.as_ref(), own, wanted),
        (Purpose::Web, _) => web(present, own, wanted),
        // The host name's alias is removed together with its addresses.
        (_, Some(_)) if set.name == own.host => missing(&[], wanted),
        (_, Some(_)) => SetChange::kept("the name is an alias (CNAME) of another service"),
        (Purpose::Exchange, None) => exchanges(set, present, own, wanted),
        (Purpose::Spf, None) => spf(set, present, own, wanted),
        (Purpose::Dkim, None) => SetChange::replace(present.records.clone(), wanted),
        (Purpose::Dmarc, None) => dmarc(present, wanted),
        (Purpose::MtaSts, None) => mta_sts(set, present, own, wanted),
        (Purpose::TlsReporting, None) => reporting(present, wanted),
        (Purpose::Service, None) => services(present, own, wanted),
        (Purpose::Authority, None) => authority(present, wanted),
        // One matching record is enough (RFC 6698 §2.1); another may be that of the next key.
        (Purpose::Dane, None) => missing(&present.records, wanted),
    }
}

fn missing(present: &[RData], wanted: Vec<RData>) -> SetChange {
    let add = wanted.into_iter().filter(|data| !present.contains(data)).collect();
    SetChange { add, ..SetChange::default() }
}

/// Reconciles the host name's addresses. An address that leads here stays: a router may translate it.
fn addresses(present: &PublishedSet, alias: Option<&Name>, own: &OwnFacts, wanted: Vec<RData>) -> SetChange {
    if let Some(alias) = alias {
        return SetChange { remove: vec![record::alias(alias)], add: wanted, kept: None };
    }
    let leads_here = |data: &RData| address(data).is_none_or(|address| own.addresses.contains(&address));
    let remove = present.records.iter().filter(|data| !leads_here(data)).cloned().collect();
    SetChange { remove, ..missing(&present.records, wanted) }
}

/// Reconciles the names of web services. Those that lead elsewhere are left to their owner.
fn web(present: &PublishedSet, own: &OwnFacts, wanted: Vec<RData>) -> SetChange {
    let leads_here = match &present.alias {
        Some(alias) => *alias == own.host,
        None => {
            !present.addresses.is_empty()
                && present.addresses.iter().all(|address| own.addresses.contains(address))
        }
    };
    if leads_here {
        return SetChange::default();
    }
    match present.alias.is_some() || present.is_used {
        true => SetChange::kept("the name leads to another web server"),
        false => missing(&[], wanted),
    }
}

/// Returns true for a host in an MX record to which no mail can be sent.
pub(crate) fn is_impossible(exchange: &Name, owner: &Name) -> bool {
    let text = exchange.to_ascii();
    let text = text.trim_end_matches('.').to_ascii_lowercase();
    let parent = owner.to_ascii().to_ascii_lowercase();
    let twice = format!(".{}.{}", parent.trim_end_matches('.'), parent.trim_end_matches('.'));
    text.is_empty() || text == "localhost" || text.parse::<IpAddr>().is_ok() || text.ends_with(&twice)
}

fn exchanges(set: &WantedSet<'_>, present: &PublishedSet, own: &OwnFacts, wanted: Vec<RData>) -> SetChange {
    let is_wrong =
        |data: &&RData| matches!(data, RData::MX(found) if is_impossible(&found.exchange, &set.name));
    let (wrong, right): (Vec<&RData>, Vec<&RData>) = present.records.iter().partition(is_wrong);
    let wrong: Vec<RData> = wrong.into_iter().cloned().collect();
    let is_ours = |data: &RData| matches!(data, RData::MX(found) if found.exchange == own.host);
    if right.iter().any(|data| is_ours(data)) {
        let kept = right.iter().any(|data| !is_ours(data)).then_some("another host also accepts mail");
        return SetChange { remove: wrong, add: Vec::new(), kept };
    }
    if right.is_empty() {
        return SetChange { remove: wrong, add: wanted, kept: None };
    }
    SetChange::kept("mail goes to another host; to receive it here, remove that record and publish again")
}

fn texts(present: &PublishedSet) -> Vec<(RData, String)> {
    let text = |data: &RData| match data {
        RData::TXT(text) => Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned()),
        _ => None,
    };
    present.records.iter().filter_map(|data| Some((data.clone(), text(data)?))).collect()
}

/// The texts that begin with a version; others at the same name belong to other services.
fn versioned(present: &PublishedSet, version: &str) -> (Vec<RData>, Vec<String>) {
    texts(present).into_iter().filter(|(_, text)| spf_text::has_version(text, version)).unzip()
}

fn replaced_text(remove: Vec<RData>, text: &str) -> SetChange {
    SetChange::replace(remove, vec![super::record::text_data(text)])
}

fn spf(set: &WantedSet<'_>, present: &PublishedSet, own: &OwnFacts, wanted: Vec<RData>) -> SetChange {
    let (records, found) = versioned(present, "v=spf1");
    if found.is_empty() {
        return missing(&[], wanted);
    }
    if found.len() == 1 && (wanted.contains(&records[0]) || own.passing.contains(&set.name)) {
        return SetChange::default();
    }
    let pass = match (set.name == own.host, own.mail_here.contains(&set.name)) {
        (true, _) => "a".to_owned(),
        (false, true) => "mx".to_owned(),
        (false, false) => format!("a:{}", own.host.to_ascii().trim_end_matches('.')),
    };
    match spf_text::merged(&found, &pass, &own.addresses) {
        Some(text) => replaced_text(records, &text),
        None => SetChange::kept("several SPF records that cannot be merged; keep only one of them"),
    }
}

fn dmarc(present: &PublishedSet, wanted: Vec<RData>) -> SetChange {
    let (records, found): (Vec<RData>, Vec<String>) =
        texts(present).into_iter().filter(|(_, text)| dmarc_text::is_dmarc(text)).unzip();
    match dmarc_text::record_to_keep(&found) {
        None => SetChange::replace(records, wanted),
        Some(text) if found.len() == 1 && found[0] == text => SetChange::default(),
        Some(text) => match found.iter().position(|found| *found == text) {
            // The strictest of several stays unchanged.
            Some(strictest) => {
                let others = records.into_iter().enumerate().filter(|(index, _)| *index != strictest);
                SetChange { remove: others.map(|(_, data)| data).collect(), ..SetChange::default() }
            }
            None => replaced_text(records, &text),
        },
    }
}

fn mta_sts(set: &WantedSet<'_>, present: &PublishedSet, own: &OwnFacts, wanted: Vec<RData>) -> SetChange {
    if own.foreign_policies.contains(&set.name) {
        return SetChange::kept("the policy is on another web server");
    }
    SetChange::replace(versioned(present, "v=STSv1").0, wanted)
}

fn reporting(present: &PublishedSet, wanted: Vec<RData>) -> SetChange {
    let (records, found) = versioned(present, "v=TLSRPTv1");
    let is_valid = |text: &String| reports_somewhere(text);
    match found.iter().position(is_valid) {
        Some(_) if found.len() == 1 => SetChange::default(),
        Some(first) => {
            let others = records.into_iter().enumerate().filter(|(index, _)| *index != first);
            SetChange { remove: others.map(|(_, data)| data).collect(), ..SetChange::default() }
        }
        None => SetChange::replace(records, wanted),
    }
}

/// Returns true for a valid `v=TLSRPTv1; rua=mailto:…` or `https:…` (RFC 8460 §3).
pub(crate) fn reports_somewhere(text: &str) -> bool {
    let rua = text.split(';').filter_map(|field| field.trim().strip_prefix("rua="));
    let is_address = |uri: &str| {
        let uri = uri.trim();
        let mail = uri.strip_prefix("mailto:").is_some_and(|to| to.contains('@') && !to.ends_with('@'));
        mail || uri.strip_prefix("https://").is_some_and(|rest| !rest.is_empty())
    };
    rua.into_iter().any(|uris| uris.split(',').all(is_address))
}

fn services(present: &PublishedSet, own: &OwnFacts, wanted: Vec<RData>) -> SetChange {
    let (ours, foreign): (Vec<RData>, Vec<RData>) = present.records.iter().cloned().partition(
        |data| matches!(data, RData::SRV(service) if service.target == own.host || service.target.is_root()),
    );
    match foreign.is_empty() {
        true => SetChange::replace(ours, wanted),
        false if wanted.iter().all(|data| ours.contains(data)) => SetChange::default(),
        false => SetChange::kept("the service is on another host"),
    }
}

/// Adds our CAA record beside the others: removing one would forbid another authority.
fn authority(present: &PublishedSet, wanted: Vec<RData>) -> SetChange {
    let issuer = |data: &RData| match data {
        RData::CAA(caa) if caa.tag.eq_ignore_ascii_case("issue") => {
            let value = String::from_utf8_lossy(&caa.value).into_owned();
            Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        }
        _ => None,
    };
    let found: BTreeSet<String> = present.records.iter().filter_map(issuer).collect();
    let add = wanted.into_iter().filter(|data| issuer(data).is_none_or(|name| !found.contains(&name)));
    SetChange { add: add.collect(), ..SetChange::default() }
}
