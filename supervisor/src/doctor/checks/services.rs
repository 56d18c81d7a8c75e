use address::Domain;
use hickory_proto::rr::RData;

use super::super::finding::{Finding, FindingId};
use super::super::observed::Answer;
use super::{Case, of_purpose, publish};
use crate::dns::record::{Content, Purpose, Record};

/// The published record compared with the wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ServiceState {
    /// Equal.
    Same,
    /// There is no record. If the service is not offered, none is needed.
    Nothing { is_offered: bool },
    /// The record is `.`, although the service is offered.
    Denied,
    /// The right server with another priority.
    OtherPreference,
    /// Another server.
    Elsewhere,
}

/// Checks the records by which mail clients find the servers (RFC 6186). Users can also configure clients by hand, so
/// no finding is an error.
pub(super) fn check(case: &Case<'_>, domain: &Domain, wanted: &[Record]) -> Vec<Finding> {
    let mut found: Vec<(ServiceState, &Record)> = Vec::new();
    for record in of_purpose(wanted, Purpose::Service) {
        let (Ok(name), Ok(data)) = (record.owner(), record.data()) else { continue };
        let is_offered = !matches!(record.content, Content::NoService);
        match case.observed.answer(&name, record.kind()) {
            Answer::Found(records) => found.push((compared(records, &data), record)),
            Answer::Nothing => found.push((ServiceState::Nothing { is_offered }, record)),
            Answer::Failed(_) => {}
        }
    }
    let of = |published: ServiceState| {
        let records: Vec<&Record> =
            found.iter().filter(|(found, _)| *found == published).map(|(_, record)| *record).collect();
        (!records.is_empty()).then(|| (published, publish(records)))
    };
    let instead = |published: ServiceState| {
        let meant = found.iter().filter(|(found, _)| *found == published);
        super::replace_names(case, meant.filter_map(|(_, record)| Some((record.owner().ok()?, *record))))
    };
    let missing = of(ServiceState::Nothing { is_offered: true }).map(|(_, records)| {
        let cause = format!("mail programs do not find the servers of {domain} automatically");
        Finding::notice(FindingId::ServiceMissing, cause, records)
    });
    let denied = of(ServiceState::Denied).map(|(published, _)| {
        let cause = format!(
            "DNS denies services of {domain} that are offered: some mail programs then send without encryption"
        );
        Finding::notice(FindingId::ServiceDenied, cause, instead(published))
    });
    let preference = of(ServiceState::OtherPreference).map(|(published, _)| {
        let cause = format!("services of {domain} have a wrong priority");
        Finding::notice(FindingId::ServicePreference, cause, instead(published))
    });
    let elsewhere = of(ServiceState::Elsewhere).map(|(published, _)| {
        let cause = format!("mail programs of {domain} are sent to another host");
        Finding::warning(FindingId::ServiceDifferent, cause, instead(published))
    });
    [missing, denied, preference, elsewhere].into_iter().flatten().collect()
}

fn compared(found: &[RData], wanted: &RData) -> ServiceState {
    let RData::SRV(wanted) = wanted else { return ServiceState::Elsewhere };
    let services = || {
        found.iter().filter_map(|data| match data {
            RData::SRV(service) => Some(service),
            _ => None,
        })
    };
    let is_server = |service: &hickory_proto::rr::rdata::SRV| {
        service.target == wanted.target && service.port == wanted.port
    };
    if services().any(|service| service == wanted) {
        ServiceState::Same
    } else if services().any(is_server) {
        ServiceState::OtherPreference
    } else if services().all(|service| service.target.is_root()) {
        ServiceState::Denied
    } else {
        ServiceState::Elsewhere
    }
}
