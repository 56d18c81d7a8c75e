//! The client's own names (RFC 7208 §5.5): `ptr`, and the macro `p`.

use hickory_proto::rr::{Name, RData, RecordType};

use super::evaluation::{Evaluation, MAX_HOSTS, Stop};
use super::{Answer, Place};

impl Evaluation<'_> {
    /// True if a validated name of the client is the target or below it. A query without an answer does not match.
    pub(super) fn is_named_below(&mut self, target: &Name, place: &Place) -> Result<bool, Stop> {
        let pointer = Name::from(self.sender.ip);
        let names = match self.query(&pointer, RecordType::PTR, place) {
            Err(Stop::Unanswered(..)) => return Ok(false),
            found => names(found?.records()),
        };
        let names = names.into_iter().filter(|name| target.zone_of(name)).collect();
        Ok(!self.validated(names)?.is_empty())
    }

    /// The value of the macro `p`: of the validated names the domain itself, else one below it, else any (RFC 7208
    /// §7.3).
    pub(super) fn client_name(&self, domain: &Name) -> Result<Option<Name>, Stop> {
        let pointer = Name::from(self.sender.ip);
        let names = match self.query_uncounted(&pointer, RecordType::PTR) {
            Err(Stop::Unanswered(..)) => return Ok(None),
            found => names(found?.records()),
        };
        let validated = self.validated(names)?;
        let below = || validated.iter().find(|name| domain.zone_of(name));
        let chosen = validated.iter().find(|name| *name == domain).or_else(below).or(validated.first());
        Ok(chosen.cloned())
    }

    /// The names that have the client's address.
    fn validated(&self, names: Vec<Name>) -> Result<Vec<Name>, Stop> {
        self.require(names.iter().map(|name| (name.clone(), self.family())))?;
        let has_address = |name: &Name| {
            let answer = self.answers.answer(&(name.clone(), self.family()));
            let found = answer.as_deref().map_or(&[][..], Answer::records);
            found.iter().filter_map(RData::ip_addr).any(|ip| ip == self.sender.ip)
        };
        Ok(names.into_iter().filter(has_address).collect())
    }
}

/// The first names of an address: further ones are not queried (RFC 7208 §4.6.4).
fn names(records: &[RData]) -> Vec<Name> {
    let name = |data: &RData| match data {
        RData::PTR(name) => Some(name.0.clone()),
        _ => None,
    };
    records.iter().filter_map(name).take(MAX_HOSTS).collect()
}
