use super::super::finding::{Finding, Id};
use super::Case;

/// Behind a bridge, strangers may arrive under the gateway's address: SPF, blocklists and the guard against guessing then
/// judge the gateway.
pub(super) fn check(case: &Case<'_>) -> Vec<Finding> {
    let clients = case.world.machine.gateway_clients;
    if clients == 0 {
        return Vec::new();
    }
    vec![Finding::warning(
        Id::GatewayClients,
        format!(
            "{clients} connections came under the address of the container's gateway: who they are is not known"
        ),
        "use the machine's own network (network_mode: host, as in compose.yaml), or an engine from version 27 on with \
         IPv6 in the container's network (compose.bridge.yaml)",
    )]
}
