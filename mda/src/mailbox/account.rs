use super::{Incoming, Mailbox, Status, StoreError};
use crate::maildir::MailboxName;

/// One user's mail. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Account {}

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

impl Account {
    /// All mailboxes and the names that stand above them, INBOX first, then by name.
    pub async fn list(&self) -> Result<Vec<Listed>, StoreError> {
        unimplemented!()
    }

    /// The subscribed names, by name. They may be those of mailboxes that are gone (RFC 3501 §6.3.9).
    pub async fn subscriptions(&self) -> Result<Vec<MailboxName>, StoreError> {
        unimplemented!()
    }

    /// Subscribes to a name; one that is subscribed already stays so.
    pub async fn subscribe(&self, _name: &MailboxName) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Ends a subscription; one that is not there is as good as ended.
    pub async fn unsubscribe(&self, _name: &MailboxName) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Creates a mailbox. The names above it need not be mailboxes.
    pub async fn create(&self, _name: &MailboxName) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Removes a mailbox with its messages, and not those below it.
    pub async fn delete(&self, _name: &MailboxName) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Renames a mailbox and those below it. Of the INBOX, the messages move and itself stays (RFC 3501 §6.3.5).
    pub async fn rename(&self, _from: &MailboxName, _to: &MailboxName) -> Result<(), StoreError> {
        unimplemented!()
    }

    /// Whether there is such a mailbox, and so whether something can be stored in it.
    pub async fn exists(&self, _name: &MailboxName) -> Result<bool, StoreError> {
        unimplemented!()
    }

    /// Opens a mailbox, as it stands now.
    pub async fn open(&self, _name: &MailboxName) -> Result<Mailbox, StoreError> {
        unimplemented!()
    }

    /// What STATUS tells, as it stands now.
    pub async fn status(&self, _name: &MailboxName) -> Result<Status, StoreError> {
        unimplemented!()
    }

    /// Begins a message for that mailbox: write it, then append or deliver it.
    pub async fn incoming(&self, _name: &MailboxName) -> Result<Incoming, StoreError> {
        unimplemented!()
    }
}
