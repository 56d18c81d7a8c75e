use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use super::failure::OperatorError;
use crate::volume::{Folders, Owner, Owners};

/// The option for the location of the accounts.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LocationOption {
    /// The folder of a `mailstead demo`; without it, the accounts are those of this container.
    #[arg(long, value_name = "DIR", global = true)]
    dir: Option<PathBuf>,
}

/// The location of the accounts, and the owners of the files.
#[derive(Debug)]
pub(super) struct VolumeLocation {
    pub(super) folders: Folders,
    owners: Option<Owners>,
}

impl LocationOption {
    pub(super) fn find(&self) -> Result<VolumeLocation, OperatorError> {
        match &self.dir {
            Some(folder) => Ok(VolumeLocation::of(folder)),
            None => {
                let owners = Uid::effective().is_root().then(Owners::look_up).transpose()?;
                Ok(VolumeLocation { folders: Folders::of_container(), owners })
            }
        }
    }
}

impl VolumeLocation {
    /// The location of a demo: the volume is the folder itself, and everything belongs to the user that started it.
    pub(super) fn of(folder: &Path) -> Self {
        Self { folders: Folders { volume: folder.to_owned(), runtime: folder.join("run") }, owners: None }
    }

    /// The group that may read the accounts.
    pub(super) fn readers(&self) -> Option<nix::unistd::Gid> {
        self.owners.map(|owners| owners.shared)
    }

    /// The owner of the mail; `None` in the demo.
    pub(super) fn mail_owner(&self) -> Option<Owner> {
        self.owners.map(|owners| owners.vmail)
    }
}
