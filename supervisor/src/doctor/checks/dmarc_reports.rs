use address::Domain;
use hickory_proto::rr::RecordType;

use super::super::finding::{Finding, FindingId};
use super::super::observed::{Answer, texts_of};
use super::{Case, unanswered};
use crate::dns::dmarc_text::{external_destinations, is_dmarc, permission};
use crate::dns::record::{TTL, fqdn};

/// Checks that other domains agree to get the reports about this one: without their record, receivers send none there
/// (RFC 9990 §4).
pub(super) fn check(case: &Case<'_>, domain: &Domain, record: &str) -> Vec<Finding> {
    let destinations = external_destinations(domain, record);
    destinations.iter().filter_map(|destination| of_destination(case, domain, destination)).collect()
}

fn of_destination(case: &Case<'_>, domain: &Domain, destination: &Domain) -> Option<Finding> {
    let name = fqdn(&permission(domain, destination)?).ok()?;
    let answer = case.observed.answer(&name, RecordType::TXT);
    if matches!(answer, Answer::Failed(_)) {
        return unanswered(case, &name, RecordType::TXT);
    }
    if texts_of(answer).iter().any(|text| is_dmarc(text)) {
        return None;
    }
    Some(Finding::notice(
        FindingId::DmarcReports,
        format!(
            "the DMARC record of {domain} sends reports to {destination}, which has not agreed to them, so receivers \
             send none there (RFC 9990 §4)"
        ),
        format!(
            "in the zone of {destination}, publish\n{name} {TTL} IN TXT \"v=DMARC1\"\nor send the reports to an address \
             in {domain}"
        ),
    ))
}
