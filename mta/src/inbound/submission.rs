//! Handling of a user's own mail (RFC 6409): the check of its author, missing fields, and our signature.

use accounts::{Directory, Resolution, User};
use address::Address;
use message::{Author, author};
use serve::MailId;
use smtp_proto::{Reply, replies};

use super::fields;
use crate::content::Content;
use crate::site::{Settings, Site};

/// Checks that the author belongs to the login, removes the fields that are for this server alone, adds Date and
/// Message-ID where they are missing (RFC 6409 §8), and signs the result. The message's other octets stay as they are.
pub(super) async fn complete(
    site: &Site,
    settings: &Settings,
    user: &User,
    id: MailId,
    content: &mut Content,
) -> Result<(), Reply> {
    let author = author(&site.directory, user, content.header())?;
    fields::complete(content, id, &settings.config.hostname);
    let Some(domain) = author.first_domain() else { return Ok(()) };
    let signatures = settings.signer.sign(domain, content).await.map_err(|error| {
        tracing::error!(%id, %error, "cannot sign a message");
        replies::LOCAL_ERROR
    })?;
    content.prepend(&signatures);
    Ok(())
}

/// The author. A reader sees the fields and nothing of the envelope, so every address in From, and in the fields that
/// name a sender beside the author (RFC 6409 §6.1 leaves them to us), must belong to the login. So must every local
/// mailbox whose address is in a display name, which is all that many mail clients show.
fn author(directory: &Directory, user: &User, header: &[u8]) -> Result<Author, Reply> {
    let author = Author::of(header).map_err(|error| replies::unreadable_author("From", error))?;
    let senders =
        author::senders(header).map_err(|error| replies::unreadable_author(error.field, error.error))?;
    let authors = author.addresses().map(|address| ("From", address));
    for (field, address) in authors.chain(senders.iter().map(|(field, address)| (*field, address))) {
        if !directory.may_send_as(user, address) {
            return Err(replies::author_not_owned(field, address));
        }
    }
    let belongs_to_another = |address: &Address| {
        let is_here = !matches!(directory.resolve(address), Resolution::Unknown | Resolution::NotLocal);
        is_here && !directory.may_send_as(user, address)
    };
    match author.addresses_in_names().iter().find(|address| belongs_to_another(address)) {
        Some(address) => Err(replies::author_not_owned("From", address)),
        None => Ok(author),
    }
}
