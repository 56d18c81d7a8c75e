//! Landlock: the files and ports that a role may reach, enforced by the kernel as far as it can.
//!
//! | ABI | since Linux | what it adds for us |
//! |---|---|---|
//! | 2 | 5.19 | files |
//! | 3 | 6.2 | truncation of files |
//! | 4 | 6.7 | TCP ports |
//! | 6 | 6.12 | signals and abstract sockets of other processes |
//!
//! Newer features are not requested: they could forbid something untested.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, NetPort, RestrictionStatus,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, make_bitflags,
    path_beneath_rules,
};

use super::OURSELVES;
use super::rules::Rules;

/// The version whose rules about files we know.
const FILES: ABI = ABI::V5;
/// The first with rules about TCP.
const TCP: ABI = ABI::V4;
/// The first with scopes.
const SCOPES: ABI = ABI::V6;

/// The files that every program reads to start and to learn how many processors it may use. The libraries are for a
/// build that is linked with them, as for tests; the container has no such folders.
const PROGRAM: [&str; 8] = [
    "/proc/self",
    "/sys/fs/cgroup",
    "/sys/devices/system/cpu",
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
];

/// The restrictions that the kernel enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enforced {
    /// All of them.
    Whole(ABI),
    /// The part that this version knows.
    Part(ABI),
    /// None: the kernel has no Landlock, it is disabled, or it is too old to let files be renamed.
    Nothing,
}

/// Restricts this process, its children and the programs that it executes to the rules.
pub(super) fn restrict(rules: &Rules) -> Result<Enforced, RulesetError> {
    let read = make_bitflags!(AccessFs::{ReadFile | ReadDir});
    let run = read | AccessFs::Execute;
    let devices = make_bitflags!(AccessFs::{MakeChar | MakeBlock | MakeFifo | IoctlDev});
    let write = read | (AccessFs::from_write(FILES) & !devices);

    let ruleset = Ruleset::default()
        // Mail moves from folder to folder, and the first version cannot allow that: then no restriction is better.
        .set_compatibility(CompatLevel::SoftRequirement)
        .handle_access(AccessFs::Refer)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(FILES))?
        .handle_access(AccessNet::from_all(TCP))?
        .scope(Scope::from_all(SCOPES))?
        .create()?;
    let ports =
        rules.connect.iter().map(|port| Ok::<_, RulesetError>(NetPort::new(*port, AccessNet::ConnectTcp)));
    // A missing path gets no rule: it could not be reached with one either.
    let ruleset = ruleset
        .add_rules(path_beneath_rules([OURSELVES], run))?
        .add_rules(path_beneath_rules(PROGRAM, run))?
        .add_rules(path_beneath_rules(&rules.read, read))?
        .add_rules(path_beneath_rules(&rules.write, write))?
        .add_rules(ports)?;
    Ok(Enforced::from(&ruleset.restrict_self()?))
}

impl From<&RestrictionStatus> for Enforced {
    fn from(status: &RestrictionStatus) -> Self {
        match (&status.ruleset, status.landlock) {
            (RulesetStatus::FullyEnforced, LandlockStatus::Available { effective_abi, .. }) => {
                Self::Whole(effective_abi)
            }
            (RulesetStatus::PartiallyEnforced, LandlockStatus::Available { effective_abi, .. }) => {
                Self::Part(effective_abi)
            }
            _ => Self::Nothing,
        }
    }
}

impl Enforced {
    /// The enforced restrictions as text.
    pub(super) fn about(self) -> Option<String> {
        let (Self::Whole(abi) | Self::Part(abi)) = self else { return None };
        let mut about = vec!["files"];
        if abi >= TCP {
            about.push("TCP ports");
        }
        if abi >= SCOPES {
            about.push("signals");
        }
        Some(format!("Landlock {abi:?} ({})", about.join(", ")))
    }

    /// The missing restrictions as text.
    pub(super) fn lacks(self) -> Option<&'static str> {
        match self {
            Self::Whole(_) => None,
            Self::Part(_) => Some("the rest of Landlock, which needs a newer kernel"),
            Self::Nothing => Some("Landlock, which the kernel lacks or has only in version 1"),
        }
    }
}
