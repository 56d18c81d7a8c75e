use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::live::Live;
use super::registry::Registry;
use super::store::off_runtime;
use super::{Incoming, Mailbox, Status, StoreError};
use crate::index::UserIndex;
use crate::maildir::uid_list::UidList;
use crate::maildir::{MailboxName, layout, subscriptions};

/// One user's mail. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Account {
    home: Arc<Home>,
}

/// Where one user's mail lies.
#[derive(Debug)]
pub(super) struct Home {
    /// The Maildir.
    pub(super) root: PathBuf,
    pub(super) host: Arc<str>,
    pub(super) index: UserIndex,
    pub(super) registry: Arc<Registry>,
}

/// A mailbox as LIST shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: MailboxName,
    /// Whether it can be selected; otherwise it only stands above others (`\Noselect`, `\NonExistent`).
    pub selectable: bool,
    /// Whether others stand below it (`\HasChildren`).
    pub has_children: bool,
    /// What it is for.
    pub special_use: Option<SpecialUse>,
}

/// What a mailbox is for (RFC 6154 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    /// `\Archive`
    Archive,
    /// `\Drafts`
    Drafts,
    /// `\Junk`
    Junk,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
}

impl SpecialUse {
    /// A mailbox is known by its name what it is for.
    fn of(name: &MailboxName) -> Option<Self> {
        match name.as_str() {
            "Archive" => Some(Self::Archive),
            "Drafts" => Some(Self::Drafts),
            "Junk" => Some(Self::Junk),
            "Sent" => Some(Self::Sent),
            "Trash" => Some(Self::Trash),
            _ => None,
        }
    }
}

impl Account {
    pub(super) fn new(home: Arc<Home>) -> Self {
        Self { home }
    }

    /// All mailboxes and the names that stand above them, INBOX first, then by name.
    pub async fn list(&self) -> Result<Vec<Listed>, StoreError> {
        self.work(|home| Ok(listed(layout::list(&home.root)?))).await
    }

    /// The subscribed names, by name. They may be those of mailboxes that are gone (RFC 3501 §6.3.9).
    pub async fn subscriptions(&self) -> Result<Vec<MailboxName>, StoreError> {
        self.work(|home| {
            let mut names = subscriptions::read(&home.root)?;
            names.sort();
            names.dedup();
            Ok(names)
        })
        .await
    }

    /// Subscribes to a name; one that is subscribed already stays so.
    pub async fn subscribe(&self, name: &MailboxName) -> Result<(), StoreError> {
        let name = name.clone();
        self.work(move |home| Ok(subscriptions::set(&home.root, &home.host, &[name], true)?)).await
    }

    /// Ends a subscription; one that is not there is as good as ended.
    pub async fn unsubscribe(&self, name: &MailboxName) -> Result<(), StoreError> {
        let name = name.clone();
        self.work(move |home| Ok(subscriptions::set(&home.root, &home.host, &[name], false)?)).await
    }

    /// Creates a mailbox. The names above it need not be mailboxes.
    pub async fn create(&self, name: &MailboxName) -> Result<(), StoreError> {
        let name = name.clone();
        self.work(move |home| match name.is_inbox() || !layout::create(&home.root, &name)? {
            true => Err(StoreError::AlreadyExists(name)),
            false => Ok(()),
        })
        .await
    }

    /// Removes a mailbox with its messages, and not those below it.
    pub async fn delete(&self, name: &MailboxName) -> Result<(), StoreError> {
        if name.is_inbox() {
            return Err(StoreError::NotAllowed("removing the INBOX"));
        }
        let name = name.clone();
        self.work(move |home| {
            let folder = layout::folder(&home.root, &name);
            let guid = UidList::guid_in(&folder);
            if !layout::remove(&home.root, &name)? {
                return Err(StoreError::NoSuchMailbox(name));
            }
            home.registry.end(&folder);
            if let Some(guid) = guid {
                home.index.forget_mailbox(&guid);
            }
            Ok(())
        })
        .await
    }

    /// Renames a mailbox and those below it. Of the INBOX, the messages move and itself stays (RFC 3501 §6.3.5).
    pub async fn rename(&self, from: &MailboxName, to: &MailboxName) -> Result<(), StoreError> {
        if to.is_inbox() {
            return Err(StoreError::AlreadyExists(to.clone()));
        }
        if from.is_inbox() {
            return self.empty_inbox_into(to).await;
        }
        let (from, to) = (from.clone(), to.clone());
        self.work(move |home| rename(home, &from, &to)).await
    }

    async fn empty_inbox_into(&self, to: &MailboxName) -> Result<(), StoreError> {
        self.create(to).await?;
        let inbox = self.open(&MailboxName::inbox()).await?;
        let target = self.open(to).await?;
        let uids = inbox.snapshot().entries().map(|entry| entry.uid).collect();
        inbox.move_to(uids, &target).await.map(drop)
    }

    /// Whether there is such a mailbox, and so whether something can be stored in it.
    pub async fn exists(&self, name: &MailboxName) -> Result<bool, StoreError> {
        let name = name.clone();
        self.work(move |home| Ok(layout::exists(&home.root, &name))).await
    }

    /// Opens a mailbox, as it stands now.
    pub async fn open(&self, name: &MailboxName) -> Result<Mailbox, StoreError> {
        let name = name.clone();
        self.work(move |home| Ok(Mailbox::new(opened(home, &name)?))).await
    }

    /// What STATUS tells, as it stands now.
    pub async fn status(&self, name: &MailboxName) -> Result<Status, StoreError> {
        let name = name.clone();
        self.work(move |home| Ok(Status::of(&opened(home, &name)?.snapshot()))).await
    }

    /// Begins a message for that mailbox: write it, then append or deliver it.
    pub async fn incoming(&self, name: &MailboxName) -> Result<Incoming, StoreError> {
        if name.is_inbox() || self.exists(name).await? {
            return Ok(Incoming::new(self.home.clone(), name.clone()));
        }
        Err(StoreError::NoSuchMailbox(name.clone()))
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Home>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let home = self.home.clone();
        off_runtime(move || work(&home)).await
    }
}

/// A mailbox, as it stands now. Blocks.
pub(super) fn opened(home: &Arc<Home>, name: &MailboxName) -> Result<Arc<Live>, StoreError> {
    let folder = layout::folder(&home.root, name);
    loop {
        let mut fresh = false;
        let live = home.registry.open(&folder, || {
            fresh = true;
            Live::load(home.clone(), name)
        })?;
        if fresh {
            return Ok(live);
        }
        match live.change(|state| state.refresh()) {
            Ok(_) => return Ok(live),
            // It was removed, and perhaps made anew: the next try reads what is there now.
            Err(StoreError::Gone(_)) => {}
            Err(error) => return Err(error),
        }
    }
}

fn rename(home: &Home, from: &MailboxName, to: &MailboxName) -> Result<(), StoreError> {
    if to.is_below(from) || to == from {
        return Err(StoreError::NotAllowed("moving a mailbox to itself or below itself"));
    }
    let names = layout::list(&home.root)?;
    let mut moves = Vec::new();
    for name in names.iter().filter(|name| *name == from || name.is_below(from)) {
        let new = name.moved(from, to).map_err(|_| StoreError::NotAllowed("a name that is too long"))?;
        if names.contains(&new) {
            return Err(StoreError::AlreadyExists(new));
        }
        moves.push((name, new));
    }
    if moves.is_empty() {
        return Err(StoreError::NoSuchMailbox(from.clone()));
    }
    if names.contains(to) {
        return Err(StoreError::AlreadyExists(to.clone()));
    }
    for (old, new) in moves {
        if !layout::rename(&home.root, old, &new)? {
            return Err(StoreError::AlreadyExists(new));
        }
        home.registry.end(&layout::folder(&home.root, old));
    }
    Ok(())
}

/// Mailboxes as LIST shows them, with the names above them that are none.
fn listed(names: Vec<MailboxName>) -> Vec<Listed> {
    // Whether it can be selected, and whether others stand below it.
    let mut all: BTreeMap<MailboxName, (bool, bool)> = BTreeMap::new();
    for name in std::iter::once(MailboxName::inbox()).chain(names) {
        let mut below = name.parent();
        all.entry(name).or_default().0 = true;
        while let Some(above) = below {
            below = above.parent();
            all.entry(above).or_default().1 = true;
        }
    }
    let mut listed: Vec<Listed> = all
        .into_iter()
        .map(|(name, (selectable, has_children))| Listed {
            special_use: SpecialUse::of(&name),
            name,
            selectable,
            has_children,
        })
        .collect();
    listed.sort_by_key(|listed| !listed.name.is_inbox());
    listed
}
