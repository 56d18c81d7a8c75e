//! LIST and LSUB: which mailboxes there are, and which are subscribed (RFC 3501 §6.3.8 and §6.3.9).

use std::collections::BTreeMap;

use imap_proto::MailboxName as Spoken;
use imap_proto::command::List;
use imap_proto::mailbox::Pattern;
use imap_proto::response::mailbox::{self, Attribute};

use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Turn;
use crate::imap::wire::Wire;
use crate::mailbox::{Account, Listed, SpecialUse};

/// Lists the mailboxes, and the names that only stand above some.
pub(in crate::imap) async fn list(wire: &mut Wire, account: &Account, wish: &List) -> Result<Turn, Failure> {
    if wish.pattern.as_str().is_empty() {
        mailbox::list_separator(wire.out());
        return Ok(Reply::done("That is the separator").into());
    }
    let pattern = wish.pattern.from_reference(&wish.reference);
    for listed in account.list().await? {
        if let Some(name) = names::spoken(&listed.name).filter(|name| pattern.matches(name)) {
            mailbox::list(wire.out(), &attributes(&listed), &name);
            wire.relieve().await?;
        }
    }
    Ok(Reply::done("That is all").into())
}

/// CHILDREN (RFC 3348 §3) and SPECIAL-USE (RFC 6154 §2) tell their attributes in plain LIST.
fn attributes(listed: &Listed) -> Vec<Attribute> {
    let children = if listed.has_children { Attribute::HasChildren } else { Attribute::HasNoChildren };
    let special = listed.special_use.map(|special| {
        Attribute::Use(match special {
            SpecialUse::Archive => imap_proto::SpecialUse::Archive,
            SpecialUse::Drafts => imap_proto::SpecialUse::Drafts,
            SpecialUse::Junk => imap_proto::SpecialUse::Junk,
            SpecialUse::Sent => imap_proto::SpecialUse::Sent,
            SpecialUse::Trash => imap_proto::SpecialUse::Trash,
        })
    });
    let level = (!listed.selectable).then_some(Attribute::Noselect);
    level.into_iter().chain([children]).chain(special).collect()
}

/// Lists the subscriptions.
pub(in crate::imap) async fn lsub(wire: &mut Wire, account: &Account, wish: &List) -> Result<Turn, Failure> {
    let pattern = wish.pattern.from_reference(&wish.reference);
    let subscribed = account.subscriptions().await?;
    for (name, attributes) in subscribed_names(subscribed.iter().filter_map(names::spoken), &pattern) {
        mailbox::lsub(wire.out(), attributes, &name);
        wire.relieve().await?;
    }
    Ok(Reply::done("That is all").into())
}

/// RFC 3501 §6.3.9: with `%`, a name that is not subscribed but stands above one that is, and that the pattern would
/// have reached had it not stopped there, is listed with `\Noselect`.
fn subscribed_names(
    subscribed: impl Iterator<Item = Spoken>,
    pattern: &Pattern,
) -> BTreeMap<Spoken, &'static [Attribute]> {
    let mut told: BTreeMap<Spoken, &'static [Attribute]> = BTreeMap::new();
    for name in subscribed {
        if pattern.matches(&name) {
            told.insert(name, &[]);
        } else if pattern.as_str().contains('%') {
            let above = std::iter::successors(name.parent(), Spoken::parent);
            for level in above.filter(|level| pattern.matches(level)) {
                told.entry(level).or_insert(&[Attribute::Noselect]);
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(subscribed: &[&str], pattern: &str) -> Vec<(String, bool)> {
        let names = subscribed.iter().filter_map(|name| Spoken::new(name));
        let pattern = Pattern::decode(pattern.as_bytes()).unwrap();
        let told = subscribed_names(names, &pattern);
        told.into_iter().map(|(name, attributes)| (name.to_string(), attributes.is_empty())).collect()
    }

    /// RFC 3501 §6.3.9, its example with `foo/bar`.
    #[test]
    fn a_name_above_a_subscribed_one_is_told_for_a_percent_sign_only() {
        assert_eq!(told(&["foo.bar"], "%"), [("foo".to_owned(), false)]);
        assert_eq!(told(&["foo.bar"], "*"), [("foo.bar".to_owned(), true)]);
        assert_eq!(told(&["foo.bar", "foo"], "%"), [("foo".to_owned(), true)]);
        assert_eq!(told(&["a.b.c"], "a.%"), [("a.b".to_owned(), false)]);
        assert_eq!(told(&["a.b.c"], "x%"), []);
    }
}
