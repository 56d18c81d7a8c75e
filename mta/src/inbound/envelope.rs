//! The envelope of a message, before its octets arrive.

use address::{Address, ForwardPath, ReversePath};
use serve::MailId;
use smtp_proto::command::MailCommand;

use super::recipient::Destinations;
use crate::queue::BodyKind;

/// An envelope that is being built.
#[derive(Debug)]
pub(super) struct InboundEnvelope {
    /// The identifier of the message in logs and trace fields.
    pub(super) id: MailId,
    pub(super) sender: ReversePath,
    pub(super) body: BodyKind,
    /// The size that the peer has declared.
    pub(super) declared_size: Option<u64>,
    /// True if every recipient is one that the policy exempts.
    pub(super) is_exempt: bool,
    /// The recipients as the peer named them.
    named: Vec<ForwardPath>,
    /// Local mailboxes, each once.
    local: Vec<Address>,
    /// Remote addresses, each once.
    remote: Vec<Address>,
}

impl InboundEnvelope {
    pub(super) fn new(id: MailId, command: &MailCommand) -> Self {
        let body = match command.body {
            smtp_proto::command::BodyKind::SevenBit => BodyKind::SevenBit,
            smtp_proto::command::BodyKind::EightBitMime => BodyKind::EightBitMime,
        };
        Self {
            id,
            sender: command.sender.clone(),
            body,
            declared_size: command.size,
            is_exempt: true,
            named: Vec::new(),
            local: Vec::new(),
            remote: Vec::new(),
        }
    }

    /// Adds a recipient. A mailbox that is reached in two ways gets the message once.
    pub(super) fn add(&mut self, named: ForwardPath, destinations: Destinations) {
        self.named.push(named);
        let once = |list: &mut Vec<Address>, address: Address| {
            if !list.contains(&address) {
                list.push(address);
            }
        };
        destinations.local.into_iter().for_each(|address| once(&mut self.local, address));
        destinations.remote.into_iter().for_each(|address| once(&mut self.remote, address));
    }

    /// The recipient that was named first.
    pub(super) fn first_recipient(&self) -> Option<&ForwardPath> {
        self.named.first()
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

    pub(super) fn local(&self) -> &[Address] {
        &self.local
    }

    pub(super) fn remote(&self) -> &[Address] {
        &self.remote
    }
}
