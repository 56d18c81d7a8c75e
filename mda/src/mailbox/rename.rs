use super::account::MailHome;
use super::{Account, NotAllowed, StoreError};
use crate::maildir::renaming::{self, FolderRename};
use crate::maildir::{MailboxName, layout};

impl Account {
    /// Renames a mailbox and its children, all or none. INBOX itself stays, and its messages move (RFC 3501 §6.3.5).
    pub async fn rename(&self, from: &MailboxName, to: &MailboxName) -> Result<(), StoreError> {
        if to.is_inbox() {
            return Err(StoreError::AlreadyExists(to.clone()));
        }
        if from.is_inbox() {
            return self.empty_inbox_into(to).await;
        }
        let (from, to) = (from.clone(), to.clone());
        self.run_blocking(move |home| rename(home, &from, &to)).await
    }

    /// Moves all messages or none. If they are not moved, the new mailbox stays, since a message may have arrived in
    /// it.
    async fn empty_inbox_into(&self, to: &MailboxName) -> Result<(), StoreError> {
        self.create(to).await?;
        let inbox = self.open(&MailboxName::inbox()).await?;
        let target = self.open(to).await?;
        let uids = inbox.snapshot().entries().map(|entry| entry.uid).collect();
        inbox.move_to(uids, &target).await.map(drop)
    }
}

fn rename(home: &MailHome, from: &MailboxName, to: &MailboxName) -> Result<(), StoreError> {
    if to.is_below(from) {
        return Err(NotAllowed::MoveBelowItself.into());
    }
    let mailboxes = home.list()?;
    let mut moves: Vec<FolderRename> = Vec::new();
    // By name: a parent comes before its children, and frees its name for them.
    for mailbox in &mailboxes {
        let Some(new) = mailbox.name.moved(from, to) else { continue };
        new.check_length().map_err(|_| NotAllowed::NameTooLong)?;
        let taken = mailboxes.iter().find(|other| other.name == new);
        if taken.is_some_and(|other| other.name.moved(from, to).is_none()) {
            return Err(StoreError::AlreadyExists(new));
        }
        moves.push((mailbox.folder.clone(), new.folder().into()));
    }
    if moves.is_empty() {
        return Err(StoreError::NoSuchMailbox(from.clone()));
    }
    let is_other = |mailbox: &layout::MailboxFolder| mailbox.name.moved(from, to).is_none();
    if to == from || mailboxes.iter().any(|mailbox| mailbox.name == *to && is_other(mailbox)) {
        return Err(StoreError::AlreadyExists(to.clone()));
    }
    if !renaming::rename(&home.root, &home.host, &moves)? {
        return Err(NotAllowed::NameTaken.into());
    }
    for (old, _) in moves {
        home.registry.mark_gone(&home.root.join(old));
    }
    home.create_parents(to);
    Ok(())
}
