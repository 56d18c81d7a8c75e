//! The daemons, by their roles.

use std::time::Duration;

/// One of the three daemons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reports the health of the whole server.
    Steward,
    /// Stores mail and serves it.
    Mda,
    /// Accepts mail and sends it.
    Mta,
}

impl Role {
    /// The order in which they are started. None waits for another: all that one needs of another is a socket that is
    /// open already.
    pub const START_ORDER: [Self; 3] = [Self::Steward, Self::Mda, Self::Mta];

    /// The order in which they are stopped, each when the one before has ended: the MTA delivers accepted mail to the
    /// MDA, and the steward reports their health to the end.
    pub const STOP_ORDER: [Self; 3] = [Self::Mta, Self::Mda, Self::Steward];

    /// Its name: of the role on the command line, of its configuration file, and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Steward => "steward",
            Self::Mda => "mda",
            Self::Mta => "mta",
        }
    }

    /// The time that it may take to stop before it is killed. The two with sessions give those ten seconds to end by
    /// themselves; together the three stay below the 40 seconds that the container's engine allows.
    pub fn stop_limit(self) -> Duration {
        match self {
            Self::Steward => Duration::from_secs(5),
            Self::Mda | Self::Mta => Duration::from_secs(15),
        }
    }
}
