use accounts::change::ChangeError;
use accounts::{AppNameError, SecretError};

use super::confirmation::NotConfirmed;
use super::names::NameError;
use super::password::NewPasswordError;
use crate::exit::Exit;
use crate::volume::{AccountsFileError, OwnersError};

/// An error of a command.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperatorError {
    /// The given name is malformed.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The given name cannot be an app password's.
    #[error(transparent)]
    AppName(#[from] AppNameError),
    /// No usable password was given.
    #[error(transparent)]
    Password(#[from] NewPasswordError),
    /// A hash was given instead of a password, or one that cannot be verified.
    #[error("the secret cannot be used: {0}")]
    Secret(#[from] SecretError),
    /// The accounts do not allow it.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The accounts' file could not be locked, read or written.
    #[error(transparent)]
    File(#[from] AccountsFileError),
    /// There are no accounts to change.
    #[error(
        "there are no accounts in {0} yet: the first start creates them, with the domains of MAIL_DOMAIN; start \
         Mailstead once and try again"
    )]
    NoAccounts(std::path::PathBuf),
    /// There is not even a folder.
    #[error(
        "there is no folder {0}: --dir names the folder of a `mailstead demo`; without it, the volume must be mounted \
         there"
    )]
    NoVolume(std::path::PathBuf),
    /// There is no user to switch to.
    #[error(transparent)]
    Owners(#[from] OwnersError),
    /// The change is written, but the running daemons have not confirmed it.
    #[error(transparent)]
    NotConfirmed(#[from] NotConfirmed),
    /// Mail could not be removed.
    #[error(
        "the account was deleted, but its mail in {} could not be removed: {source}; run the same command again",
        path.display()
    )]
    Purge {
        /// The folder.
        path: std::path::PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The operator did not confirm.
    #[error("nothing was changed: {0}")]
    Declined(&'static str),
}

impl OperatorError {
    /// The exit status for the error.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Change(error) if error.is_missing() => Exit::NoSuchAccount,
            Self::Name(_)
            | Self::AppName(_)
            | Self::Password(_)
            | Self::Secret(_)
            | Self::Change(_)
            | Self::Declined(_) => Exit::Usage,
            Self::File(AccountsFileError::Write(error)) if is_forbidden(&error.source) => {
                Exit::VolumeNotWritable
            }
            Self::File(AccountsFileError::Lock { source, .. }) if is_forbidden(source) => {
                Exit::VolumeNotWritable
            }
            Self::File(AccountsFileError::Busy { .. }) | Self::NotConfirmed(_) => Exit::ChangePending,
            Self::File(_) | Self::NoVolume(_) | Self::NoAccounts(_) | Self::Purge { .. } => Exit::VolumeFault,
            Self::Owners(_) => Exit::System,
        }
    }
}

fn is_forbidden(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem)
}
