//! The capabilities that process 1 needs as root, looked for before anything is done without one.

use caps::{CapSet, Capability};

/// Without any of these the daemons do not start, or cannot be stopped: root that lacks KILL may not signal another
/// user's process. What is needed to bind ports is told when a port is refused.
const NEEDED: [Capability; 4] =
    [Capability::CAP_CHOWN, Capability::CAP_KILL, Capability::CAP_SETGID, Capability::CAP_SETUID];

/// The names of those that are missing, as `cap_add` takes them.
pub(super) fn missing() -> Vec<String> {
    let has = |capability| caps::has_cap(None, CapSet::Effective, capability).unwrap_or(false);
    let missing = NEEDED.into_iter().filter(|capability| !has(*capability));
    missing.map(|capability| capability.to_string().trim_start_matches("CAP_").to_owned()).collect()
}
