//! The capabilities that process 1 needs as root, checked before anything is done.

use caps::{CapSet, Capability};

/// Without any of these the daemons do not start, or cannot be stopped: root without KILL may not signal another user's
/// process. A capability that is missing to bind ports is reported when a port is refused.
const NEEDED: [Capability; 4] =
    [Capability::CAP_CHOWN, Capability::CAP_KILL, Capability::CAP_SETGID, Capability::CAP_SETUID];

/// The names of the missing ones, in the form of `cap_add`.
pub(super) fn missing() -> Vec<String> {
    let has = |capability| caps::has_cap(None, CapSet::Effective, capability).unwrap_or(false);
    let missing = NEEDED.into_iter().filter(|capability| !has(*capability));
    missing.map(|capability| capability.to_string().trim_start_matches("CAP_").to_owned()).collect()
}
