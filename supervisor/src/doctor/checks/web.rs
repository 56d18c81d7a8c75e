use address::Domain;
use hickory_proto::rr::RecordType;

use super::super::finding::{Finding, Id};
use super::{Case, of_purpose, publish, unanswered};
use crate::dns::record::{Purpose, Record};

/// The names under which pages are served lead here, as an alias or by addresses.
pub(super) fn check(case: &Case<'_>, _domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    of_purpose(wanted, Purpose::Web).filter_map(|record| of_name(case, record)).collect()
}

fn of_name(case: &Case<'_>, record: &Record) -> Option<Finding> {
    let name = record.owner().ok()?;
    if let Some(finding) = unanswered(case, &name, RecordType::A) {
        return Some(finding);
    }
    let seen = case.world.addresses(&name);
    if seen.is_empty() {
        return Some(Finding::warning(
            Id::WebMissing,
            format!(
                "{} has no address, so there is no certificate for it and no page can be fetched",
                record.name
            ),
            publish([record]),
        ));
    }
    let known = &case.facts.addresses;
    let hosts = case.world.addresses(&case.host);
    let is_ours = |address| if known.is_empty() { hosts.contains(address) } else { known.contains(*address) };
    let strange: Vec<String> =
        seen.iter().filter(|address| !is_ours(address)).map(ToString::to_string).collect();
    (!strange.is_empty()).then(|| {
        Finding::warning(
            Id::WebElsewhere,
            format!("{} leads to {}, which is not this machine", record.name, strange.join(" and ")),
            format!("in the place of what is there, {}", publish([record])),
        )
    })
}
