use std::path::PathBuf;
use std::sync::Arc;

use address::Address;

use super::{Account, StoreError};

/// All users' mail. Cloning it is cheap, and all clones share the open mailboxes.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    mail: PathBuf,
    index: PathBuf,
    host: String,
}

impl Store {
    /// The mail below `mail`, with caches below `index`. `host` stands in the names of messages' files.
    pub fn new(mail: PathBuf, index: PathBuf, host: &str) -> Self {
        Self { shared: Arc::new(Shared { mail, index, host: host.to_owned() }) }
    }

    /// One user's mail. The Maildir is made if the user has none yet.
    pub async fn account(&self, _user: &Address) -> Result<Account, StoreError> {
        unimplemented!("{:?}", self.shared)
    }
}
