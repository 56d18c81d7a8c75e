//! The responses to one batch of messages, made one piece at a time, so that no message is ever held in memory and
//! other sessions get their turn between two pieces. Everything here blocks.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use imap_proto::SequenceNumber;
use imap_proto::command::FetchItem;
use imap_proto::command::fetch::Section;
use imap_proto::response::fetch::Recent;

use super::rendering::{MessageInfo, Rendering};
use super::{MessageRequest, Summary};
use crate::imap::cancellation::CancellationToken;
use crate::imap::contents::{CachedFacts, Contents};
use crate::imap::flags;
use crate::index::Facts;
use crate::mailbox::{Mailbox, Snapshot, StoreError};
use crate::maildir::Uid;

/// FETCH responses in progress.
#[derive(Debug)]
pub(super) struct Responses {
    mailbox: Mailbox,
    items: Vec<FetchItem>,
    /// Has the names of the keywords.
    snapshot: Arc<Snapshot>,
    batch: VecDeque<Message>,
    /// The facts that the index has of the batch; `None` until it is queried.
    facts: Option<CachedFacts>,
    new_facts: Vec<(Uid, Facts)>,
    current: Option<Rendering>,
    summary: Summary,
    cancellation: CancellationToken,
}

/// A message of the batch.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) request: MessageRequest,
    pub(super) recent: Recent,
}

impl Responses {
    /// Responses without any message yet.
    pub(super) fn new(mailbox: Mailbox, snapshot: Arc<Snapshot>, items: &[FetchItem]) -> Self {
        Self {
            snapshot,
            mailbox,
            items: items.to_vec(),
            batch: VecDeque::new(),
            facts: None,
            new_facts: Vec::new(),
            current: None,
            summary: Summary::default(),
            cancellation: CancellationToken::default(),
        }
    }

    /// The mailbox of the messages.
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// Makes the responses stop once the work is abandoned.
    pub(super) fn set_cancellation(&mut self, cancellation: CancellationToken) {
        self.cancellation = cancellation;
    }

    /// Starts the next batch; the one before must be done.
    pub(super) fn start_batch(&mut self, batch: VecDeque<Message>) {
        self.batch = batch;
        self.facts = None;
    }

    /// Returns true once the whole batch was sent.
    pub(super) fn is_done(&self) -> bool {
        self.batch.is_empty() && self.current.is_none()
    }

    /// Returns true if anything must be read, be it from the index or from messages.
    pub(super) fn needs_reading(&self) -> bool {
        self.items.iter().any(|item| self.needs_facts(item) || is_whole(item))
    }

    pub(super) fn summary(&self) -> Summary {
        self.summary
    }

    /// Appends the next responses to `out` until that holds about `limit`. An error means that the connection has to
    /// end.
    pub(super) fn write(&mut self, limit: usize, out: &mut Vec<u8>) -> io::Result<()> {
        if self.facts.is_none() {
            let needed = self.items.iter().any(|item| self.needs_facts(item));
            let entries = self.batch.iter().map(|message| &message.request.entry);
            self.facts =
                Some(if needed { CachedFacts::read(&self.mailbox, entries) } else { CachedFacts::default() });
        }
        while out.len() < limit && !self.is_done() {
            self.cancellation.check().map_err(io::Error::other)?;
            if let Some(current) = &mut self.current {
                current.send(limit, out)?;
                if current.is_sent() {
                    self.current = None;
                }
            } else if let Some(message) = self.batch.pop_front() {
                self.current = self.render(message);
            }
        }
        if self.batch.is_empty() && !self.new_facts.is_empty() {
            self.mailbox.store_facts(&std::mem::take(&mut self.new_facts));
        }
        Ok(())
    }

    /// Returns true if facts from the index can save reading a message for this item.
    fn needs_facts(&self, item: &FetchItem) -> bool {
        match item {
            FetchItem::Flags | FetchItem::Uid => false,
            FetchItem::Rfc822Size => self.batch.iter().any(|message| message.request.entry.size().is_none()),
            item if is_whole(item) => self.batch.iter().any(|message| message.request.entry.size().is_none()),
            _ => true,
        }
    }

    fn render(&mut self, message: Message) -> Option<Rendering> {
        let Message { request, recent } = message;
        let known = MessageInfo {
            number: SequenceNumber::new(request.number)?,
            uid: imap_proto::Uid::new(request.entry.uid.value())?,
            flags: flags::names(&self.snapshot, request.entry.flags),
            recent,
        };
        // A message that became \Seen by being fetched is sent with its flags (RFC 3501 §6.4.5).
        let mut items = Cow::Borrowed(self.items.as_slice());
        if request.newly_seen && !items.contains(&FetchItem::Flags) {
            items.to_mut().push(FetchItem::Flags);
        }
        let facts = self.facts.as_mut().and_then(|facts| facts.take(request.entry.uid));
        let mut contents = Contents::new(self.mailbox.clone(), request.entry, facts)
            .with_cancellation(self.cancellation.clone());
        let rendering = Rendering::new(&known, &mut contents, &items);
        let rendering = match rendering {
            Ok(rendering) => Some(rendering),
            Err(StoreError::MessageGone) => {
                self.summary.gone += 1;
                None
            }
            Err(_) if self.cancellation.check().is_err() => None,
            Err(error) => {
                tracing::warn!(uid = %known.uid, %error, "cannot read message");
                self.summary.unreadable += 1;
                None
            }
        };
        self.new_facts.extend(contents.new_facts());
        rendering
    }
}

/// Returns true if the item is a whole message, for which its size is all that must be known.
fn is_whole(item: &FetchItem) -> bool {
    match item {
        FetchItem::Rfc822 => true,
        FetchItem::Section { section, .. } => *section == Section::default(),
        _ => false,
    }
}
