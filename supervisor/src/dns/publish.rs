//! Putting the records into their zones: what is there is compared with what is wanted, and only what differs is
//! changed, zone by zone, each in one update.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use futures_util::future::join_all;
use hickory_proto::ProtoError;
use hickory_proto::rr::{Name, RData, Record as Found, RecordType};

use super::record::{Content, Record, TTL};
use super::records::Wanted;
use super::update::{Change, Fault, UpdateError, Updater};
use crate::exit::Exit;
use crate::settings::Settings;

/// Questions at one time: a name server sees no flood in them.
const AT_ONCE: usize = 8;

/// The records of one name and type.
struct Set<'a> {
    name: Name,
    kind: RecordType,
    records: Vec<&'a Record>,
}

/// What a zone has of a set.
struct Present<'a> {
    zone: Name,
    set: &'a Set<'a>,
    found: Vec<Found>,
}

/// Publishes at the server of the settings, and says what was done.
pub(super) fn run(wanted: &Wanted) -> Result<String, (Exit, String)> {
    let settings = Settings::read(std::env::vars_os()).map_err(|faults| (Exit::Usage, faults.to_string()))?;
    let Some(update) = settings.dns_update else {
        let message =
            "nowhere to publish: set MAIL_DNS_UPDATE_SERVER, and MAIL_DNS_UPDATE_KEY if it wants one";
        return Err((Exit::Usage, message.to_owned()));
    };
    let updater = Updater::new(&update).map_err(|error| (Exit::Usage, error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| (Exit::System, format!("cannot publish: {error}")))?;
    runtime.block_on(publish(&updater, wanted)).map_err(|error| (Exit::Unpublished, error.to_string()))
}

/// Why records are not published. Those of other zones may be.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The server refuses, or is not there.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// Some names are in no zone of the server.
    #[error(
        "{told}not published, since MAIL_DNS_UPDATE_SERVER has no zone for them or refuses the key; publish them where \
         their zone is:\n{names}"
    )]
    Elsewhere {
        /// What was done.
        told: String,
        /// The names, one a line.
        names: String,
    },
    /// A name that DNS cannot have.
    #[error("a record cannot be written: {0}")]
    Record(#[from] ProtoError),
}

/// Publishes, and says zone by zone what was done.
pub async fn publish(updater: &Updater, wanted: &Wanted) -> Result<String, PublishError> {
    let sets = sets(wanted)?;
    let mut zones: BTreeMap<Name, Vec<Present<'_>>> = BTreeMap::new();
    let mut elsewhere = BTreeSet::new();
    for some in sets.chunks(AT_ONCE) {
        let looks = some.iter().map(async |set| {
            let zone = updater.zone_of(&set.name).await?;
            let found = updater.records(&set.name, set.kind).await?;
            Ok::<_, UpdateError>(Present { zone, set, found })
        });
        for (look, set) in join_all(looks).await.into_iter().zip(some) {
            match look {
                Ok(present) => zones.entry(present.zone.clone()).or_default().push(present),
                // One domain may be with another provider; the others are published all the same.
                Err(UpdateError {
                    fault: Fault::NoZone(_) | Fault::Refused | Fault::NotAuthoritative,
                    ..
                }) => {
                    elsewhere.insert(set.name.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    let mut told = String::new();
    for (zone, present) in zones {
        let changes: Vec<Change> = present.iter().flat_map(changes).collect();
        let records: usize = present.iter().map(|present| present.set.records.len()).sum();
        let added = changes.iter().filter(|change| matches!(change, Change::Add(_))).count();
        if !changes.is_empty() {
            updater.apply(&zone, changes).await?;
        }
        // Writing to a string does not fail.
        let _ =
            writeln!(told, "{zone} {added} records were published, {} were right already", records - added);
    }
    if elsewhere.is_empty() {
        return Ok(told);
    }
    Err(PublishError::Elsewhere { told, names: elsewhere.into_iter().collect::<Vec<_>>().join("\n") })
}

fn sets(wanted: &Wanted) -> Result<Vec<Set<'_>>, ProtoError> {
    let mut sets: Vec<Set<'_>> = Vec::new();
    for record in wanted.all() {
        let (name, kind) = (record.owner()?, record.kind());
        match sets.iter_mut().find(|set| set.name == name && set.kind == kind) {
            Some(set) => set.records.push(record),
            None => sets.push(Set { name, kind, records: vec![record] }),
        }
    }
    Ok(sets)
}

/// What has to be changed so that a name has the records of one type.
fn changes(present: &Present<'_>) -> Vec<Change> {
    let Present { set, found, .. } = present;
    let name = &set.name;
    let wanted: Vec<RData> = set.records.iter().filter_map(|record| record.data().ok()).collect();
    let has = |data: &RData| found.iter().any(|record| record.data == *data);
    let of_kind = found.iter().filter(|record| record.record_type() == set.kind);
    let add = |data: &RData| Change::add(name, TTL, data.clone());
    match set.kind {
        RecordType::TXT => {
            let texts = of_kind.map(|record| &record.data);
            let outdated = texts.filter(|data| !wanted.contains(data) && takes_place_of(set, data));
            let removals = outdated.map(|data| Change::Remove(name.clone(), data.clone()));
            removals.chain(wanted.iter().filter(|data| !has(data)).map(add)).collect()
        }
        // An alias has no other records (RFC 2181 §10.1); a server would not add it to them.
        RecordType::CNAME if wanted.iter().all(has) => Vec::new(),
        RecordType::CNAME => {
            [Change::RemoveName(name.clone())].into_iter().chain(wanted.iter().map(add)).collect()
        }
        _ if wanted.iter().all(has) && of_kind.count() == wanted.len() => Vec::new(),
        kind => {
            let alias = Change::RemoveSet(name.clone(), RecordType::CNAME);
            let old = Change::RemoveSet(name.clone(), kind);
            [alias, old].into_iter().chain(wanted.iter().map(add)).collect()
        }
    }
}

/// Whether a text that is there is an older form of one that is wanted: those of the same version tag, of which a name
/// must have one only (RFC 7208 §4.5, RFC 7489 §6.6.3). Others' texts at the same name are none of our business.
fn takes_place_of(set: &Set<'_>, data: &RData) -> bool {
    let RData::TXT(text) = data else { return false };
    let text = text.txt_data.concat();
    set.records.iter().any(|record| match &record.content {
        Content::Txt(wanted) => {
            let version = wanted.split([';', ' ']).next().unwrap_or_default();
            let start = text.get(..version.len()).unwrap_or_default();
            // What follows must end the tag: `v=spf10` is something else.
            let ends = text.get(version.len()).is_none_or(|octet| b"; \t".contains(octet));
            start.eq_ignore_ascii_case(version.as_bytes()) && ends
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests;
