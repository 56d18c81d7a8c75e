use super::account::Home;
use super::{Account, StoreError};
use crate::maildir::{MailboxName, layout};

impl Account {
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
