use std::collections::BTreeMap;

use crate::maildir::MailboxName;

/// A mailbox as LIST shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedMailbox {
    /// Its name.
    pub name: MailboxName,
    /// True if it can be selected; otherwise it is only a parent of others (`\Noselect`, `\NonExistent`).
    pub is_selectable: bool,
    /// True if it has children (`\HasChildren`).
    pub has_children: bool,
    /// Its special use.
    pub special_use: Option<SpecialUse>,
}

/// The special use of a mailbox (RFC 6154 §2).
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
    /// The special use of a mailbox, which its name decides.
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

/// Mailboxes as LIST shows them, including the parents that are not mailboxes.
pub(super) fn with_parents(names: Vec<MailboxName>) -> Vec<ListedMailbox> {
    // For each name: can be selected, has children.
    let mut all: BTreeMap<MailboxName, (bool, bool)> = BTreeMap::new();
    for name in std::iter::once(MailboxName::inbox()).chain(names) {
        let mut below = name.parent();
        all.entry(name).or_default().0 = true;
        while let Some(above) = below {
            below = above.parent();
            all.entry(above).or_default().1 = true;
        }
    }
    let mut listed: Vec<ListedMailbox> = all
        .into_iter()
        .map(|(name, (is_selectable, has_children))| ListedMailbox {
            special_use: SpecialUse::of(&name),
            name,
            is_selectable,
            has_children,
        })
        .collect();
    listed.sort_by_key(|listed| !listed.name.is_inbox());
    listed
}
