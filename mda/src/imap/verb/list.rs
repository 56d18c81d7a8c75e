//! LIST and LSUB: the mailboxes, and the subscriptions (RFC 3501 §6.3.8 and §6.3.9). LIST with options: RFC 5258,
//! RFC 6154, RFC 5819.

mod listed_names;

use imap_proto::command::list::{Form, List, Lsub, Return, Select};
use imap_proto::mailbox::Pattern;
use imap_proto::response::mailbox::{self, Attribute};

use self::listed_names::{Listing, Names, subscribed_names};
use super::status;
use crate::imap::names;
use crate::imap::reply::{Failure, Reply};
use crate::imap::session::Outcome;
use crate::imap::wire::Wire;
use crate::mailbox::{Account, SpecialUse};

/// Lists the mailboxes, and names that exist only as parents of mailboxes.
pub(in crate::imap) async fn list(
    wire: &mut Wire,
    account: &Account,
    list: &List,
) -> Result<Outcome, Failure> {
    if list.form == Form::Basic && list.patterns.iter().all(|pattern| pattern.as_str().is_empty()) {
        mailbox::list_separator(wire.out());
        return Ok(Reply::ok("LIST completed").into());
    }
    let patterns: Vec<Pattern> =
        list.patterns.iter().map(|pattern| pattern.with_reference(&list.reference)).collect();
    let subscribed = if list.form == Form::Extended { account.subscriptions().await? } else { Vec::new() };
    let names = Names::new(account.list().await?, &subscribed);
    for listing in names.listed(&patterns, &list.select) {
        write(wire.out(), &listing, list);
        if listing.facts.is_mailbox {
            write_status(wire, account, &listing, list).await?;
        }
        wire.flush_if_large().await?;
    }
    Ok(Reply::ok("LIST completed").into())
}

fn write(out: &mut Vec<u8>, listing: &Listing, list: &List) {
    let attributes = attributes(listing, list);
    match listing.matching_below.as_slice() {
        [] => mailbox::list(out, &attributes, &listing.name),
        fitting => mailbox::list_with_childinfo(out, &attributes, &listing.name, fitting),
    }
}

/// The attributes of a LIST response. Those of CHILDREN (RFC 3348 §3) and SPECIAL-USE (RFC 6154 §2) are always sent.
/// SUBSCRIBED as a selection option implies the return option (RFC 5258 §3.1).
fn attributes(listing: &Listing, list: &List) -> Vec<Attribute> {
    let facts = &listing.facts;
    let absent = match list.form {
        Form::Basic => Attribute::Noselect,
        Form::Extended => Attribute::NonExistent,
    };
    let shows_subscribed =
        list.returns.contains(&Return::Subscribed) || list.select.contains(&Select::Subscribed);
    let children = if facts.has_children { Attribute::HasChildren } else { Attribute::HasNoChildren };
    let special = facts.special_use.map(|special| {
        Attribute::Use(match special {
            SpecialUse::Archive => imap_proto::SpecialUse::Archive,
            SpecialUse::Drafts => imap_proto::SpecialUse::Drafts,
            SpecialUse::Junk => imap_proto::SpecialUse::Junk,
            SpecialUse::Sent => imap_proto::SpecialUse::Sent,
            SpecialUse::Trash => imap_proto::SpecialUse::Trash,
        })
    });
    let absent = (!facts.is_mailbox).then_some(absent);
    let subscribed = (shows_subscribed && facts.is_subscribed).then_some(Attribute::Subscribed);
    absent.into_iter().chain(subscribed).chain([children]).chain(special).collect()
}

/// Writes the STATUS response after a mailbox's LIST response. A mailbox whose figures cannot be read gets no such
/// response (RFC 5819 §2).
async fn write_status(
    wire: &mut Wire,
    account: &Account,
    listing: &Listing,
    list: &List,
) -> Result<(), Failure> {
    let requested = list.returns.iter().find_map(|option| match option {
        Return::Status(items) => Some(items),
        _ => None,
    });
    let Some((items, name)) = requested.zip(names::from_protocol(&listing.name)) else { return Ok(()) };
    match account.status(&name).await {
        Ok(found) => mailbox::status(wire.out(), &listing.name, &status::values(&found, items)),
        Err(error) => tracing::warn!(mailbox = %name, %error, "cannot read mailbox status"),
    }
    Ok(())
}

/// Lists the subscriptions.
pub(in crate::imap) async fn lsub(
    wire: &mut Wire,
    account: &Account,
    lsub: &Lsub,
) -> Result<Outcome, Failure> {
    let pattern = lsub.pattern.with_reference(&lsub.reference);
    let subscribed = account.subscriptions().await?;
    for (name, attributes) in subscribed_names(subscribed.iter().filter_map(names::to_protocol), &pattern) {
        mailbox::lsub(wire.out(), attributes, &name);
        wire.flush_if_large().await?;
    }
    Ok(Reply::ok("LSUB completed").into())
}
