//! What is particular to a user's own mail (RFC 6409): whose it is, what it lacks, and our signature.

use accounts::{Directory, User};
use address::Address;
use message::{AddressList, compose, field};
use serve::MailId;
use smtp_proto::{Reply, replies};

use super::trace;
use crate::content::Content;
use crate::site::{Settings, Site};

/// Checks that the author is who logged in, adds Date and Message-ID where they are missing (RFC 6409 §8.1, §8.2), and
/// signs the whole. The message's own octets stay as they are.
pub(super) async fn complete(
    site: &Site,
    settings: &Settings,
    user: &User,
    id: MailId,
    content: &mut Content,
) -> Result<(), Reply> {
    let author = author(&site.directory, user, content)?;
    let mut missing = String::new();
    if field::find(content.header(), "Date").is_none() {
        missing.push_str(&compose::date_field(&trace::now()));
    }
    if field::find(content.header(), "Message-ID").is_none() {
        missing.push_str(&compose::message_id_field(id.as_str(), settings.config.hostname.as_str()));
    }
    content.prepend(missing.as_bytes());
    let Some(domain) = author.domain() else { return Ok(()) };
    let signatures = settings.signer.sign(domain, content).await.map_err(|error| {
        tracing::error!(%id, %error, "cannot sign a message");
        replies::LOCAL_ERROR
    })?;
    content.prepend(&signatures);
    Ok(())
}

/// The first author. There is one From field (RFC 5322 §3.6.2), and each address in it belongs to the login: a reader
/// sees that field and nothing of the envelope.
fn author(directory: &Directory, user: &User, content: &Content) -> Result<Address, Reply> {
    let mut fields = field::fields(content.header()).filter(|field| field.is("From"));
    let (Some(from), None) = (fields.next(), fields.next()) else { return Err(replies::BAD_FROM) };
    let list = AddressList::parse(from.value);
    let mut authors = Vec::new();
    for mailbox in list.mailboxes() {
        let address = mailbox.address().ok_or(replies::BAD_FROM)?;
        if !directory.may_send_as(user, &address) {
            return Err(replies::FROM_NOT_YOURS);
        }
        authors.push(address);
    }
    authors.into_iter().next().ok_or(replies::BAD_FROM)
}
