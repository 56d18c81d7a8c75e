use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use super::failure::Failure;
use crate::volume::{Folders, Owner, Owners};

/// Whose accounts.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Where {
    /// The folder of a `mailstead demo`; without it, the accounts are those of this container.
    #[arg(long, value_name = "DIR", global = true)]
    dir: Option<PathBuf>,
}

/// Where the accounts lie, and whose the files are.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folders: Folders,
    owners: Option<Owners>,
}

impl Where {
    pub(super) fn find(&self) -> Result<Place, Failure> {
        match &self.dir {
            Some(folder) => Ok(Place::of(folder)),
            None => {
                let owners = Uid::effective().is_root().then(Owners::look_up).transpose()?;
                Ok(Place { folders: Folders::of_container(), owners })
            }
        }
    }
}

impl Place {
    /// As the demo has it: the volume is the folder itself, and all belongs to whoever started it.
    pub(super) fn of(folder: &Path) -> Self {
        Self { folders: Folders { volume: folder.to_owned(), runtime: folder.join("run") }, owners: None }
    }

    /// Who may read the accounts.
    pub(super) fn readers(&self) -> Option<nix::unistd::Gid> {
        self.owners.map(|owners| owners.shared)
    }

    /// Whose the mail is; nobody's in particular in the demo.
    pub(super) fn postman(&self) -> Option<Owner> {
        self.owners.map(|owners| owners.vmail)
    }
}
