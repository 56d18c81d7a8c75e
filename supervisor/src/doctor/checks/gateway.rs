use handover::notice::GATEWAY_CLIENTS;

use super::super::finding::{Finding, FindingId};
use super::super::observed::HealthReason;
use super::Case;

/// Reports connections through a container bridge, which share the gateway's address: SPF, blocklists and the limits
/// for password guessing then apply to the gateway. The MTA, which accepts the connections, reports it.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(Ok(reasons)) = &case.observed.machine.health else { return Vec::new() };
    let reported = reasons.iter().filter(|reason| is_gateway_reason(reason));
    reported
        .map(|reason| Finding::warning(FindingId::GatewayClients, reason.problem.clone(), reason.fix.clone()))
        .collect()
}

/// Returns true if the reason is about such connections.
pub(super) fn is_gateway_reason(reason: &HealthReason) -> bool {
    reason.problem == GATEWAY_CLIENTS.problem
}
