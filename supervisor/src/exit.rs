//! The exit statuses of the program: one for each condition that the operator must act on.
//!
//! The numbers are those of `sysexits.h`, so that a script can distinguish a typing error from a port that another
//! program holds. The table in `docs/settings.md` is made from this file.

use std::process::ExitCode;

/// The reason why the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was asked to stop and everything stopped in time.
    Stopped,
    /// The environment or the command line is wrong; every fault was printed.
    Usage,
    /// A user, alias or app password that a command names does not exist.
    NoSuchAccount,
    /// A port could not be bound; the line names it.
    PortTaken,
    /// A daemon did not stop in time and had to be killed.
    Killed,
    /// The system refused a resource that process 1 cannot work without: the users, a socket, a signal.
    System,
    /// Another server uses the volume.
    VolumeInUse,
    /// The volume cannot be written, or has another owner that cannot be changed.
    VolumeNotWritable,
    /// A file on the volume could not be read or written although it should be: a full or broken disk.
    VolumeFault,
    /// A command's change is written, but the running daemons have not confirmed it; or another process holds the
    /// accounts.
    ChangePending,
    /// Process 1 is root without the capabilities that it needs; the line names them.
    NoCapability,
    /// The volume was written by a newer Mailstead.
    VolumeTooNew,
    /// The name server did not accept the records.
    Unpublished,
    /// `mailstead plan` or `mailstead dns --publish --dry-run` found changes.
    Changes,
    /// `mailstead check` has warnings.
    CheckWarnings,
    /// `mailstead check` has errors.
    CheckErrors,
}

impl Exit {
    /// Every exit status, in ascending order.
    pub const ALL: [Self; 16] = [
        Self::Stopped,
        Self::CheckWarnings,
        Self::CheckErrors,
        Self::Changes,
        Self::Usage,
        Self::NoSuchAccount,
        Self::PortTaken,
        Self::Killed,
        Self::System,
        Self::VolumeInUse,
        Self::VolumeNotWritable,
        Self::VolumeFault,
        Self::Unpublished,
        Self::ChangePending,
        Self::NoCapability,
        Self::VolumeTooNew,
    ];

    /// The exit status.
    pub fn status(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Usage => 64,
            Self::NoSuchAccount => 67,
            Self::PortTaken => 69,
            Self::Killed => 70,
            Self::System => 71,
            Self::VolumeInUse => 72,
            Self::VolumeNotWritable => 73,
            Self::VolumeFault => 74,
            Self::ChangePending => 76,
            Self::NoCapability => 77,
            Self::VolumeTooNew => 78,
            Self::Unpublished => 75,
            Self::Changes => 3,
            // The statuses of monitoring plugins.
            Self::CheckWarnings => 1,
            Self::CheckErrors => 2,
        }
    }

    /// The text of the documentation.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Stopped => "stopped on request, within the time limits",
            Self::Usage => "the environment or the command line is wrong; every fault is printed",
            Self::NoSuchAccount => "the user, alias or app password that a command names does not exist",
            Self::PortTaken => {
                "a port could not be bound; the last lines name each such port and what may hold it"
            }
            Self::Killed => "a daemon did not stop in time and was killed",
            Self::System => "the system refused a resource that is needed, such as the daemons' users",
            Self::VolumeInUse => "another server uses this volume, in this container or another",
            Self::VolumeNotWritable => "the volume cannot be written",
            Self::VolumeFault => "a file on the volume could not be read or written",
            Self::ChangePending => {
                "another command holds the accounts, or the running server has not confirmed a command's change in time"
            }
            Self::NoCapability => "the container lacks capabilities; the last line names them",
            Self::VolumeTooNew => "the volume was written by a newer version",
            Self::Changes => "`mailstead plan` or `mailstead dns --publish --dry-run` found changes",
            Self::CheckWarnings => {
                "`mailstead check` found warnings and no errors; or `mailstead health` found that mail is not served"
            }
            Self::CheckErrors => "`mailstead check` found errors",
            Self::Unpublished => "the name server did not accept the records of `mailstead dns --publish`",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.status())
    }
}
