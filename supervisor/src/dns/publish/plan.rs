//! The changes of all zones, shown first and then applied.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::net::IpAddr;

use hickory_proto::rr::{Name, RData, RecordType};

use super::PublishError;
use super::zone_sets::{ZoneSet, read, sets};
use crate::dns::reconcile::{OwnFacts, PublishedSet, SetChange, WantedSet, reconcile};
use crate::dns::record::{self, Purpose, TTL, address, line_of};
use crate::dns::records::WantedRecords;
use crate::dns::update::{Change, Prerequisite, UpdateError, UpdateFault, Updater};

/// The changes, zone by zone.
#[derive(Debug, Default)]
pub struct PublishPlan {
    zones: BTreeMap<Name, Vec<PlannedSet>>,
    elsewhere: BTreeSet<String>,
}

/// The changes of one set.
#[derive(Debug)]
struct PlannedSet {
    name: Name,
    kind: RecordType,
    count: usize,
    /// The machine's name.
    host: Name,
    present: PublishedSet,
    change: SetChange,
}

impl PublishPlan {
    /// Reads the zones and compares them. `passing` are the domains whose SPF record permits this machine already;
    /// `reached` are the addresses of its name that lead to it although no interface has them.
    pub async fn read(
        updater: &Updater,
        wanted: &WantedRecords,
        passing: BTreeSet<Name>,
        reached: &[IpAddr],
    ) -> Result<Self, PublishError> {
        let sets = sets(wanted)?;
        let mut plan = Self::default();
        let mut found: Vec<(&WantedSet<'_>, ZoneSet)> = Vec::new();
        for (set, read) in sets.iter().zip(read(updater, &sets).await) {
            match read {
                Ok(read) => found.push((set, read)),
                // One domain may be hosted elsewhere; the others are published nevertheless.
                Err(UpdateError {
                    fault: UpdateFault::NoZone(_) | UpdateFault::Refused | UpdateFault::NotAuthoritative,
                    ..
                }) => {
                    plan.elsewhere.insert(set.name.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        let own = own(wanted, &found, passing, reached);
        for (set, ZoneSet { zone, present }) in found {
            let change = reconcile(set, &present, &own);
            let of_set = PlannedSet {
                name: set.name.clone(),
                kind: set.kind,
                count: set.records.len(),
                host: own.host.clone(),
                present,
                change,
            };
            plan.zones.entry(zone).or_default().push(of_set);
        }
        Ok(plan)
    }

    /// Returns true if there are no changes.
    pub fn is_empty(&self) -> bool {
        self.zones.values().flatten().all(|of_set| of_set.change.is_empty())
    }

    /// Applies the changes, each zone in one update, and returns a report by zone.
    pub async fn apply(&self, updater: &Updater) -> Result<String, PublishError> {
        let mut outcome = String::new();
        for (zone, sets) in &self.zones {
            let changed = || sets.iter().filter(|of_set| !of_set.change.is_empty());
            let changes: Vec<Change> = changed().flat_map(PlannedSet::changes).collect();
            let prerequisites: Vec<Prerequisite> = changed().flat_map(PlannedSet::prerequisites).collect();
            if !changes.is_empty()
                && let Err(source) = updater.apply_if(zone, prerequisites, changes).await
            {
                return Err(PublishError::Update { outcome, source });
            }
            let added: usize = sets.iter().map(|of_set| of_set.change.add.len()).sum();
            let removed: usize = sets.iter().map(|of_set| of_set.change.remove.len()).sum();
            let kept: usize =
                sets.iter().filter(|of_set| of_set.change.kept.is_some()).map(|of_set| of_set.count).sum();
            let right = sets.iter().map(|of_set| of_set.count).sum::<usize>().saturating_sub(added + kept);
            // Writing to a string does not fail.
            let _ =
                writeln!(outcome, "{zone} {added} records published, {removed} removed, {right} unchanged");
        }
        match self.names_elsewhere() {
            Some(names) => Err(PublishError::Elsewhere { outcome, names }),
            None => Ok(outcome),
        }
    }

    /// The names that were left out because the server has no zone for them, or refuses the key, one per line.
    pub(super) fn names_elsewhere(&self) -> Option<String> {
        let names = self.elsewhere.iter().cloned().collect::<Vec<_>>().join("\n");
        (!names.is_empty()).then_some(names)
    }
}

/// The facts about this machine that the sets contain.
fn own(
    wanted: &WantedRecords,
    found: &[(&WantedSet<'_>, ZoneSet)],
    passing: BTreeSet<Name>,
    reached: &[IpAddr],
) -> OwnFacts {
    let mut own = OwnFacts { passing, ..OwnFacts::default() };
    let mx =
        wanted.all().find(|record| record.purpose == Purpose::Exchange).and_then(|record| record.data().ok());
    if let Some(RData::MX(exchange)) = mx {
        own.host = exchange.exchange;
    }
    let interfaces = wanted.host.iter().filter(|record| record.purpose == Purpose::Address);
    let interfaces = interfaces.filter_map(|record| record.data().ok());
    own.addresses = interfaces.filter_map(|data| address(&data)).chain(reached.iter().copied()).collect();
    for (set, read) in found {
        match set.purpose {
            Purpose::Exchange => {
                let change = reconcile(set, &read.present, &own);
                let comes = read.present.records.iter().chain(&change.add);
                let is_ours = |data: &RData| matches!(data, RData::MX(found) if found.exchange == own.host);
                if comes.into_iter().any(is_ours) {
                    own.mail_here.insert(set.name.clone());
                }
            }
            Purpose::Web if reconcile(set, &read.present, &own).kept.is_some() => {
                let label = format!("_{}", crate::mta_sts::LABEL);
                if set.name.iter().next() == Some(crate::mta_sts::LABEL.as_bytes())
                    && let Ok(name) = set.name.base_name().prepend_label(label)
                {
                    own.foreign_policies.insert(name);
                }
            }
            _ => {}
        }
    }
    own
}

impl PlannedSet {
    fn changes(&self) -> impl Iterator<Item = Change> + '_ {
        let removed = self.change.remove.iter().map(|data| Change::Remove(self.name.clone(), data.clone()));
        removed.chain(self.change.add.iter().map(|data| Change::add(&self.name, TTL, data.clone())))
    }

    /// The prerequisite that the set is unchanged since it was read.
    fn prerequisites(&self) -> Vec<Prerequisite> {
        let (name, present) = (&self.name, &self.present);
        if let Some(alias) = &present.alias {
            return vec![Prerequisite::Has(name.clone(), record::alias(alias))];
        }
        if self.kind == RecordType::CNAME {
            return vec![Prerequisite::Unused(name.clone())];
        }
        if present.records.is_empty() {
            return vec![Prerequisite::HasNot(name.clone(), self.kind)];
        }
        let all = present.records.iter();
        all.map(|data| Prerequisite::Has(name.clone(), data.clone())).collect()
    }
}

impl fmt::Display for PublishPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let added = |name: &Name, data: &RData| {
            let line = line_of(name, data);
            line.replacen(" IN ", &format!(" {TTL} IN "), 1)
        };
        for (zone, sets) in &self.zones {
            let is_shown = |of_set: &&PlannedSet| !of_set.change.is_empty() || of_set.change.kept.is_some();
            if !sets.iter().any(|of_set| is_shown(&of_set)) {
                continue;
            }
            writeln!(f, "zone {zone}")?;
            for of_set in sets.iter().filter(is_shown) {
                for data in &of_set.change.remove {
                    writeln!(f, "  remove  {}", line_of(&of_set.name, data))?;
                }
                for data in &of_set.change.add {
                    writeln!(f, "  add     {}", added(&of_set.name, data))?;
                }
                if let Some(why) = of_set.change.kept {
                    of_set.write_kept(f, why)?;
                }
            }
        }
        Ok(())
    }
}

impl PlannedSet {
    fn write_kept(&self, f: &mut fmt::Formatter<'_>, why: &str) -> fmt::Result {
        let alias = self.present.alias.as_ref().map(record::alias);
        let is_foreign = |data: &&RData| !matches!(data, RData::MX(found) if found.exchange == self.host);
        let kept = self.present.records.iter().filter(is_foreign).chain(alias.as_ref());
        let lines: Vec<String> = kept.map(|data| line_of(&self.name, data)).collect();
        if lines.is_empty() {
            return writeln!(f, "  keep    {}: {why}", self.name);
        }
        for line in lines {
            writeln!(f, "  keep    {line}: {why}")?;
        }
        Ok(())
    }
}
