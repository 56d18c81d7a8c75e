use std::collections::BTreeMap;

use crate::maildir::MailboxName;

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

/// Mailboxes as LIST shows them, with the names above them that are none.
pub(super) fn listed(names: Vec<MailboxName>) -> Vec<Listed> {
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
