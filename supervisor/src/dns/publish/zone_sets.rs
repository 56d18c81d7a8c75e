//! Reads the sets of records from the zones, at the server that is to change them.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use hickory_proto::rr::{Name, RData, RecordType};

use crate::dns::reconcile::{PublishedSet, WantedSet};
use crate::dns::record::address;
use crate::dns::update::{UpdateError, Updater};

/// Concurrent queries, few enough for a name server.
const AT_ONCE: usize = 8;
/// A label for which a zone has no records except by a wildcard.
const UNUSED: &str = "mailstead-no-such-name";

/// A set of records as in its zone.
#[derive(Debug)]
pub(super) struct ZoneSet {
    /// The zone of the name.
    pub(super) zone: Name,
    pub(super) present: PublishedSet,
}

/// Reads each set. A name that is in none of the server's zones is an error of its own.
pub(super) async fn read(updater: &Updater, sets: &[WantedSet<'_>]) -> Vec<Result<ZoneSet, UpdateError>> {
    let mut read = Vec::new();
    for some in sets.chunks(AT_ONCE) {
        read.extend(join_all(some.iter().map(|set| one(updater, set))).await);
    }
    read
}

async fn one(updater: &Updater, set: &WantedSet<'_>) -> Result<ZoneSet, UpdateError> {
    let zone = updater.zone_of(&set.name).await?;
    let mut present = present(updater, &set.name, set.kind).await?;
    // An answer from a wildcard is not a record of the name, and adding a record would hide the wildcard.
    if present != PublishedSet::default() && set.name != zone && !zone.is_wildcard() {
        let sibling = set.name.base_name().prepend_label(UNUSED);
        if let Ok(sibling) = sibling
            && self::present(updater, &sibling, set.kind).await? == present
        {
            present = PublishedSet::default();
        }
    }
    Ok(ZoneSet { zone, present })
}

async fn present(updater: &Updater, name: &Name, kind: RecordType) -> Result<PublishedSet, UpdateError> {
    let mut present = PublishedSet::default();
    for data in updater.records(name, kind).await? {
        match data.data {
            RData::CNAME(target) => present.alias = Some(target.0),
            data if data.record_type() == kind => present.records.push(data),
            _ => {}
        }
    }
    if kind == RecordType::CNAME && present.alias.is_none() {
        for kind in [RecordType::A, RecordType::AAAA] {
            let found = updater.records(name, kind).await?;
            present.addresses.extend(found.iter().filter_map(|record| address(&record.data)));
        }
        let others = [RecordType::TXT, RecordType::MX, RecordType::SRV, RecordType::NS];
        let mut is_used = !present.addresses.is_empty();
        for kind in others {
            is_used |= !updater.records(name, kind).await?.is_empty();
        }
        present.is_used = is_used;
    }
    Ok(present)
}

/// The sets in the order of the records.
pub(super) fn sets(
    wanted: &crate::dns::records::WantedRecords,
) -> Result<Vec<WantedSet<'_>>, hickory_proto::ProtoError> {
    let mut sets: Vec<WantedSet<'_>> = Vec::new();
    let mut places: BTreeMap<(Name, RecordType), usize> = BTreeMap::new();
    for record in wanted.all() {
        let (name, kind) = (record.owner()?, record.kind());
        let next = sets.len();
        match *places.entry((name.clone(), kind)).or_insert(next) {
            place if place < next => sets[place].records.push(record),
            _ => sets.push(WantedSet { name, kind, purpose: record.purpose, records: vec![record] }),
        }
    }
    Ok(sets)
}
