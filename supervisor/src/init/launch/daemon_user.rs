//! The user that a daemon runs as.

use std::io;

use caps::CapSet;
use nix::unistd::{Gid, setgroups, setresgid, setresuid};

use crate::volume::Owner;

/// The user that a daemon runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaemonUser {
    /// The user and its own group.
    pub owner: Owner,
    /// A further group.
    pub group: Option<Gid>,
}

impl DaemonUser {
    /// Becomes the user, irrevocably and without any capability.
    pub(super) fn switch_to(self) -> io::Result<()> {
        // The bounding set can be emptied only while we still have capabilities, and only with CAP_SETPCAP. Without it
        // the set stays as the container's engine made it, and no-new-privileges keeps it from being used.
        let _ = caps::clear(None, CapSet::Bounding);
        setgroups(self.group.as_slice())?;
        let Owner { user, group } = self.owner;
        setresgid(group, group, group)?;
        setresuid(user, user, user)?;
        // Switching from root to another user has emptied the effective, permitted and ambient sets already. The
        // inheritable one is left, and that all are empty must not depend on a flag that was set before us.
        for set in [CapSet::Ambient, CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
            caps::clear(None, set).map_err(io::Error::other)?;
        }
        Ok(())
    }
}
