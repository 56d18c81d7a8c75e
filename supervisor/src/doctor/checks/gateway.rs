use handover::notice::GATEWAY_CLIENTS;

use super::super::finding::{Finding, Id};
use super::super::world::Reason;
use super::Case;

/// Behind a bridge, strangers may arrive under the gateway's address: SPF, blocklists and the guard against guessing then
/// judge the gateway. The MTA, which meets them, says so.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(Ok(reasons)) = &case.world.machine.health else { return Vec::new() };
    let told = reasons.iter().filter(|reason| is_told(reason));
    told.map(|reason| Finding::warning(Id::GatewayClients, reason.problem.clone(), reason.fix.clone()))
        .collect()
}

/// Whether that is what the reason says.
pub(super) fn is_told(reason: &Reason) -> bool {
    reason.problem == GATEWAY_CLIENTS.problem
}
