//! The envelope of a message, before its octets arrive.

use std::collections::HashMap;

use address::{Address, ForwardPath, ReversePath};
use serve::MailId;
use smtp_proto::command::MailCommand;

use super::recipient::Destinations;
use crate::local::TargetMailbox;
use crate::queue::{BodyKind, NewRecipient, Origin};

/// A recipient of junk mail has no mailbox here.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotForwarded;

/// An envelope that is being built.
#[derive(Debug)]
pub(super) struct InboundEnvelope {
    /// The identifier of the message in logs and trace fields.
    pub(super) id: MailId,
    pub(super) sender: ReversePath,
    pub(super) body: BodyKind,
    /// The peer has declared binary octets (RFC 3030 §3).
    pub(super) is_binary: bool,
    /// The peer has declared SMTPUTF8 (RFC 6531 §3.4).
    pub(super) smtputf8: bool,
    /// The peer demands that the message travels under TLS to verified hosts only (RFC 8689).
    pub(super) requires_tls: bool,
    /// The size that the peer has declared.
    pub(super) declared_size: Option<u64>,
    /// The mailbox of each local recipient.
    pub(super) mailbox: TargetMailbox,
    /// True if every recipient is one that the policy exempts.
    pub(super) is_exempt: bool,
    /// True if a recipient that the peer named has no mailbox here.
    is_anyone_only_remote: bool,
    /// The origin, once the checks are done.
    pub(super) origin: Origin,
    /// The recipients as the peer named them.
    named: Vec<ForwardPath>,
    /// Local mailboxes, each once.
    local: Vec<Address>,
    /// Remote addresses, each once.
    remote: Vec<Address>,
    /// The alias through which a destination was reached first.
    aliases: HashMap<Address, Address>,
}

impl InboundEnvelope {
    pub(super) fn new(id: MailId, command: &MailCommand) -> Self {
        Self {
            id,
            sender: command.sender.clone(),
            body: command.body.into(),
            is_binary: command.body == smtp_proto::command::BodyKind::BinaryMime,
            smtputf8: command.smtputf8,
            requires_tls: command.requires_tls,
            declared_size: command.size,
            mailbox: TargetMailbox::Inbox,
            is_exempt: true,
            is_anyone_only_remote: false,
            origin: Origin::default(),
            named: Vec::new(),
            local: Vec::new(),
            remote: Vec::new(),
            aliases: HashMap::new(),
        }
    }

    /// Adds a recipient. A mailbox that is reached in two ways gets the message once.
    pub(super) fn add(&mut self, named: ForwardPath, destinations: Destinations) {
        self.named.push(named);
        self.is_anyone_only_remote |= destinations.local.is_empty();
        let Destinations { local, remote, alias } = destinations;
        let mut once = |list: &mut Vec<Address>, address: Address| {
            if !list.contains(&address) {
                if let Some(alias) = &alias {
                    self.aliases.insert(address.clone(), alias.clone());
                }
                list.push(address);
            }
        };
        local.into_iter().for_each(|address| once(&mut self.local, address));
        remote.into_iter().for_each(|address| once(&mut self.remote, address));
    }

    /// The recipient that was named first.
    pub(super) fn first_recipient(&self) -> Option<&ForwardPath> {
        self.named.first()
    }

    /// Makes the message junk: every recipient gets it in the Junk mailbox, and it goes to no other host, for which it
    /// would be this host's junk. Returns the remote addresses that are left out, or an error if a recipient would not
    /// get the message at all.
    pub(super) fn make_junk(&mut self) -> Result<Vec<Address>, NotForwarded> {
        if self.is_anyone_only_remote {
            return Err(NotForwarded);
        }
        self.mailbox = TargetMailbox::Junk;
        Ok(std::mem::take(&mut self.remote))
    }

    /// The number of recipients that the peer has named.
    pub(super) fn recipient_count(&self) -> usize {
        self.named.len()
    }

    /// The recipient, if the peer has named exactly one.
    pub(super) fn only_recipient(&self) -> Option<&Address> {
        match self.named.as_slice() {
            [ForwardPath::Address(address)] => Some(address),
            _ => None,
        }
    }

    /// A destination as a recipient for the queue.
    pub(super) fn recipient(&self, address: Address) -> NewRecipient {
        NewRecipient { alias: self.aliases.get(&address).cloned(), address }
    }

    pub(super) fn local(&self) -> &[Address] {
        &self.local
    }

    pub(super) fn remote(&self) -> &[Address] {
        &self.remote
    }
}
