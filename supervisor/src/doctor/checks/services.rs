use address::Domain;

use super::super::finding::{Finding, Id};
use super::super::world::Answer;
use super::{Case, of_purpose, publish};
use crate::dns::record::{Content, Purpose, Record};

/// Where mail programs find the servers by themselves (RFC 6186). They can be told by hand, so nothing of this is bad.
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let mut missing = Vec::new();
    let mut different = Vec::new();
    for record in of_purpose(wanted, Purpose::Service) {
        let (Ok(name), Ok(data)) = (record.owner(), record.data()) else { continue };
        match case.world.answer(&name, record.kind()) {
            Answer::Found(found) if found.contains(&data) => {}
            Answer::Found(_) => different.push(record),
            // That a service is not offered may be left unsaid.
            Answer::Nothing if matches!(record.content, Content::Srv { host: None, .. }) => {}
            Answer::Nothing => missing.push(record),
            Answer::Failed(_) => {}
        }
    }
    let mut findings = Vec::new();
    if !missing.is_empty() {
        findings.push(Finding::notice(
            Id::ServiceMissing,
            format!("mail programs do not find the servers of {domain} by themselves"),
            publish(missing),
        ));
    }
    if !different.is_empty() {
        findings.push(Finding::warning(
            Id::ServiceDifferent,
            format!("mail programs of {domain} are sent elsewhere"),
            format!("in the place of what is there, {}", publish(different)),
        ));
    }
    findings
}
