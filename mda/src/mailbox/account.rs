use std::path::PathBuf;
use std::sync::Arc;

use super::listed::{ListedMailbox, with_parents};
use super::live::LiveMailbox;
use super::registry::Registry;
use super::store::run_with_permit;
use super::usage::QuotaUsage;
use super::work_limits::{WorkLimits, WorkPermit};
use super::{Incoming, Mailbox, MailboxStatus, NotAllowed, StoreError};
use crate::index::UserIndex;
use crate::maildir::uid_list::UidList;
use crate::maildir::{MailboxName, layout, maildirsize, regular, renaming, subscriptions};

/// One user's mail. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Account {
    home: Arc<MailHome>,
}

/// The location of one user's mail.
#[derive(Debug)]
pub(super) struct MailHome {
    /// The Maildir.
    pub(super) root: PathBuf,
    pub(super) host: Arc<str>,
    pub(super) index: UserIndex,
    pub(super) registry: Arc<Registry>,
    pub(super) work_limits: WorkLimits,
    pub(super) usage: QuotaUsage,
    /// Folder for unnamed files of decompressed messages: on the index's volume, never among the mail.
    pub(super) scratch: PathBuf,
    /// Identity of the folder at `root` when it was prepared.
    pub(super) identity: (u64, u64),
}

impl MailHome {
    /// Returns true if the Maildir is still the one that was prepared, with its folders. Blocks.
    pub(super) fn is_current(&self) -> bool {
        regular::identity(&self.root).is_some_and(|there| there == self.identity)
            && ["cur", "new", "tmp"].iter().all(|folder| self.root.join(folder).is_dir())
    }

    /// All mailboxes but INBOX, by name: all before a rename, or all after it.
    pub(super) fn list(&self) -> Result<Vec<layout::MailboxFolder>, StoreError> {
        Ok(renaming::read_consistently(&self.root, &self.host, || layout::list(&self.root))?)
    }

    /// Creates the parents of a mailbox that was created or renamed (RFC 3501 §6.3.3, §6.3.5), so that they can be
    /// removed after it. The mailbox works without them.
    pub(super) fn create_parents(&self, name: &MailboxName) {
        let above = std::iter::successors(name.parent(), MailboxName::parent);
        for name in above.filter(|name| !name.is_inbox()) {
            if let Err(error) = layout::create(&self.root, &name) {
                tracing::warn!(mailbox = %name, %error, "cannot create parent mailbox");
            }
        }
    }
}

impl Account {
    pub(super) fn new(home: Arc<MailHome>) -> Self {
        Self { home }
    }

    /// All mailboxes and the names that are only their parents, INBOX first, then by name.
    pub async fn list(&self) -> Result<Vec<ListedMailbox>, StoreError> {
        self.run_blocking(|home| {
            Ok(with_parents(home.list()?.into_iter().map(|mailbox| mailbox.name).collect()))
        })
        .await
    }

    /// The subscribed names, by name. They may be those of mailboxes that are gone (RFC 3501 §6.3.9). INBOX is always
    /// among them: programs that show only subscribed folders would not show new mail without it.
    pub async fn subscriptions(&self) -> Result<Vec<MailboxName>, StoreError> {
        self.run_blocking(|home| {
            let mut names = subscriptions::read(&home.root)?;
            names.push(MailboxName::inbox());
            names.sort();
            names.dedup();
            Ok(names)
        })
        .await
    }

    /// Subscribes to a name. Does nothing if it is subscribed already.
    pub async fn subscribe(&self, name: &MailboxName) -> Result<(), StoreError> {
        let name = name.clone();
        self.run_blocking(move |home| Ok(subscriptions::set(&home.root, &home.host, &[name], true)?)).await
    }

    /// Removes a subscription. Does nothing if the name is not subscribed, or is INBOX.
    pub async fn unsubscribe(&self, name: &MailboxName) -> Result<(), StoreError> {
        let name = name.clone();
        self.run_blocking(move |home| Ok(subscriptions::set(&home.root, &home.host, &[name], false)?)).await
    }

    /// Creates a mailbox and its missing parents (RFC 3501 §6.3.3).
    pub async fn create(&self, name: &MailboxName) -> Result<(), StoreError> {
        let name = name.clone();
        self.run_blocking(move |home| {
            name.check_length().map_err(|_| NotAllowed::NameTooLong)?;
            if !name.is_inbox() && layout::create(&home.root, &name)? {
                home.create_parents(&name);
                return Ok(());
            }
            match layout::find(&home.root, &name)? {
                Some(_) => Err(StoreError::AlreadyExists(name)),
                None => Err(NotAllowed::NameTaken.into()),
            }
        })
        .await
    }

    /// Removes a mailbox with its messages, but not its children.
    pub async fn delete(&self, name: &MailboxName) -> Result<(), StoreError> {
        if name.is_inbox() {
            return Err(NotAllowed::RemoveInbox.into());
        }
        let name = name.clone();
        self.run_blocking(move |home| {
            let Some(folder) = layout::find(&home.root, &name)? else {
                return match home.list()?.iter().any(|mailbox| mailbox.name.is_below(&name)) {
                    true => Err(NotAllowed::HasChildren.into()),
                    false => Err(StoreError::NoSuchMailbox(name)),
                };
            };
            let guid = UidList::guid_in(&folder);
            if !layout::remove(&home.root, &folder)? {
                return Err(StoreError::NoSuchMailbox(name));
            }
            // The size of its messages is not needed until the usage is next requested.
            maildirsize::invalidate(&home.root);
            home.registry.mark_gone(&folder);
            if let Some(guid) = guid {
                home.index.forget_mailbox(&guid);
            }
            Ok(())
        })
        .await
    }

    /// Returns true if the mailbox exists, and so messages can be stored in it.
    pub async fn exists(&self, name: &MailboxName) -> Result<bool, StoreError> {
        let name = name.clone();
        self.run_blocking(move |home| Ok(layout::find(&home.root, &name)?.is_some())).await
    }

    /// Opens a mailbox in its current state.
    pub async fn open(&self, name: &MailboxName) -> Result<Mailbox, StoreError> {
        let name = name.clone();
        let permit = self.home.mailbox_permit(&name).await;
        let home = self.home.clone();
        run_with_permit(permit, move || Ok(Mailbox::new(open_current(&home, &name)?))).await
    }

    /// The figures for STATUS in the mailbox's current state.
    pub async fn status(&self, name: &MailboxName) -> Result<MailboxStatus, StoreError> {
        let name = name.clone();
        let permit = self.home.mailbox_permit(&name).await;
        let home = self.home.clone();
        run_with_permit(permit, move || Ok(MailboxStatus::of(&*open_current(&home, &name)?))).await
    }

    /// A new message for this mailbox: write it, then append or deliver it.
    pub async fn incoming(&self, name: &MailboxName) -> Result<Incoming, StoreError> {
        let (home, wanted_name) = (self.home.clone(), name.clone());
        let folder = match name.is_inbox() {
            true => Some(home.root.clone()),
            false => self.run_blocking(move |home| Ok(layout::find(&home.root, &wanted_name)?)).await?,
        };
        let folder = folder.ok_or_else(|| StoreError::NoSuchMailbox(name.clone()))?;
        Ok(Incoming::new(home, name.clone(), folder))
    }

    pub(super) fn home(&self) -> &Arc<MailHome> {
        &self.home
    }

    pub(super) async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<MailHome>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let home = self.home.clone();
        let permit = home.work_limits.permit().await;
        run_with_permit(permit, move || work(&home)).await
    }
}

impl MailHome {
    /// A permit for work that may wait for this mailbox.
    pub(super) async fn mailbox_permit(&self, name: &MailboxName) -> WorkPermit {
        let permits = self.registry.permits(&self.root.join(name.folder()));
        self.work_limits.mailbox_permit(&permits).await
    }
}

/// Number of times that a mailbox may be replaced while it is being opened, before opening fails.
const MAX_REPLACEMENTS: usize = 10;

/// A mailbox in its current state. Blocks.
pub(super) fn open_current(home: &Arc<MailHome>, name: &MailboxName) -> Result<Arc<LiveMailbox>, StoreError> {
    for _ in 0..MAX_REPLACEMENTS {
        let found = layout::find(&home.root, name)?;
        let folder = found.ok_or_else(|| StoreError::NoSuchMailbox(name.clone()))?;
        let mut fresh = false;
        let live = home.registry.open(&folder, || {
            fresh = true;
            LiveMailbox::load(home.clone(), name, folder.clone())
        });
        match live {
            Ok(live) if fresh => return Ok(live),
            Ok(live) => match live.change(|state| state.refresh()) {
                Ok(_) => return Ok(live),
                // It was removed or replaced: the next attempt reads what exists now.
                Err(StoreError::MailboxGone(_)) => {}
                Err(error) => return Err(error),
            },
            // Its UIDs were reset while it was read.
            Err(StoreError::MailboxGone(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::MailboxGone(name.clone()))
}
