//! One message to one or more recipients.

use address::{Address, ForwardPath, ReversePath};

use super::{BodyKind, EnvelopeId, Outcome, PeerTransaction, ReplyEffect, Session, State};
use crate::{Dialect, Reply, Severity, replies};

/// The envelope of a message.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The sender.
    pub sender: ReversePath,
    /// The recipients; not empty.
    pub recipients: Vec<ForwardPath>,
    /// The exact size of the message in octets: a peer that announces CHUNKING reads this many.
    pub size: u64,
    /// The declaration of the body: `8BITMIME` if it has octets beyond ASCII.
    pub body: BodyKind,
    /// The header section is in UTF-8 (RFC 6532), and the client that sent it declared SMTPUTF8. Addresses count by
    /// themselves.
    pub has_utf8_header: bool,
    /// The demand that the message travels under TLS to verified hosts only (RFC 8689). The driver has checked that the
    /// peer is verified and accepts the demand.
    pub requires_tls: bool,
    /// Our identifier of the message, for a peer that is to use it too (ENVID, RFC 3461 §4.4).
    pub id: Option<EnvelopeId>,
    /// True if the message belongs in the Junk mailbox: for the MDA.
    pub is_junk: bool,
}

impl Envelope {
    /// True if the message can be sent to this recipient without SMTPUTF8 (RFC 6531 §3.2). A U-label is no obstacle:
    /// domains are sent as A-labels.
    pub fn is_ascii_for(&self, recipient: &ForwardPath) -> bool {
        let is_ascii = |address: Option<&Address>| address.is_none_or(Address::is_ascii);
        !self.has_utf8_header && is_ascii(self.sender.address()) && is_ascii(recipient.address())
    }
}

/// Commands that may wait for their replies at once. Bounded, so that neither side waits for the other to read
/// (RFC 2920 §3.1).
pub(super) const WINDOW: usize = 100;

/// The purpose of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To send a message.
    Send,
    /// To probe which recipients the peer would accept.
    Probe,
}

/// The command that begins the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It may be sent together with RCPT; the peer must agree before the message.
    Data,
    /// `BDAT` with the whole message as the last chunk (RFC 3030 §2). It is sent when a recipient has been accepted, with
    /// the octets behind it: this takes no more round trips than DATA with PIPELINING, one fewer than without, and no
    /// octet of the message can be taken for its end.
    Bdat,
}

/// The commands of an envelope: MAIL, one RCPT each, and DATA or BDAT unless the envelope is a probe.
#[derive(Debug)]
pub(super) struct Transaction {
    purpose: Purpose,
    envelope: Envelope,
    ending: Ending,
    /// The number of commands sent so far.
    sent: usize,
    answered: usize,
    /// The outcome of each recipient whose RCPT is answered; `None` when it was accepted.
    outcomes: Vec<Option<Outcome>>,
}

/// The replies to a message that has been written.
#[derive(Debug)]
pub(super) struct FinalReplies {
    ending: Ending,
    outcomes: Vec<Option<Outcome>>,
    /// All recipients before this index have an outcome.
    settled: usize,
}

impl FinalReplies {
    fn new(ending: Ending, outcomes: Vec<Option<Outcome>>) -> Self {
        Self { ending, outcomes, settled: 0 }
    }

    /// The first recipient without an outcome. The index only grows, so all replies together cost one pass.
    fn unsettled(&mut self) -> Option<&mut Option<Outcome>> {
        let ahead = self.outcomes[self.settled..].iter().take_while(|outcome| outcome.is_some()).count();
        self.settled += ahead;
        self.outcomes.get_mut(self.settled)
    }
}

/// Begins a transaction with a peer that has none open.
pub(super) fn begin(session: &mut Session, purpose: Purpose, envelope: Envelope) {
    let is_lmtp = session.settings.dialect == Dialect::Lmtp;
    let ending = if session.capabilities.chunking && !is_lmtp { Ending::Bdat } else { Ending::Data };
    let mut transaction =
        Transaction { purpose, envelope, ending, sent: 0, answered: 0, outcomes: Vec::new() };
    transaction.send_commands(session);
    session.state = State::Envelope(transaction);
}

/// Processes a reply to one of the envelope's commands.
pub(super) fn handle_reply(
    session: &mut Session,
    mut transaction: Transaction,
    reply: Reply,
) -> Option<ReplyEffect> {
    let index = transaction.answered;
    transaction.answered += 1;
    let data = transaction.data();
    if index == 0 {
        if reply.severity() != Severity::Completion {
            // The recipients and DATA may have been sent after it; their replies are read and ignored.
            let outcome = Outcome::of_refusal(reply);
            transaction.outcomes = vec![Some(outcome); transaction.envelope.recipients.len()];
        }
    } else if index < data {
        if transaction.outcomes.len() < index {
            transaction.outcomes.push(match (reply.severity(), transaction.purpose) {
                (Severity::Completion, Purpose::Send) => None,
                (Severity::Completion, Purpose::Probe) => Some(Outcome::Delivered(reply)),
                _ => Some(Outcome::of_refused_recipient(reply)),
            });
        }
    } else {
        return handle_data_reply(session, transaction, reply);
    }
    // All recipients were refused, or have been asked about.
    let is_decided =
        transaction.outcomes.len() + 1 == data && transaction.outcomes.iter().all(Option::is_some);
    if is_decided && transaction.sent == transaction.answered {
        return finish(session, transaction.outcomes, PeerTransaction::Open);
    }
    if !is_decided && transaction.is_chunk() && transaction.answered == data {
        session.send_line(&format!("BDAT {} LAST", transaction.envelope.size));
        session.state = State::Message(transaction);
        return None;
    }
    if !is_decided {
        transaction.send_commands(session);
    }
    session.state = State::Envelope(transaction);
    None
}

/// Processes the reply to DATA.
fn handle_data_reply(
    session: &mut Session,
    mut transaction: Transaction,
    reply: Reply,
) -> Option<ReplyEffect> {
    let accepted = transaction.outcomes.iter().any(Option::is_none);
    if reply.severity() != Severity::Intermediate {
        let refusal = Outcome::of_refusal(reply);
        transaction.outcomes.iter_mut().for_each(|outcome| _ = outcome.get_or_insert(refusal.clone()));
        return finish(session, transaction.outcomes, PeerTransaction::Open);
    }
    if accepted {
        session.state = State::Message(transaction);
        return None;
    }
    // DATA was pipelined, every recipient was refused, and the peer wants a message nevertheless: "the client SHOULD
    // send a single dot" (RFC 2920 §3.1).
    session.send_line(".");
    session.state = State::FinalReplies(FinalReplies::new(transaction.ending, transaction.outcomes));
    None
}

/// The state after the driver has written the message.
pub(super) fn written(transaction: Transaction) -> State {
    State::FinalReplies(FinalReplies::new(transaction.ending, transaction.outcomes))
}

/// Processes a reply to the end of the message: one for all recipients, or over LMTP one for each (RFC 2033 §4.2).
pub(super) fn handle_final_reply(
    session: &mut Session,
    mut final_replies: FinalReplies,
    reply: Reply,
) -> Option<ReplyEffect> {
    // After a refused chunk the transaction must be reset (RFC 3030 §2); after the end of DATA it is over.
    let left = match (final_replies.ending, reply.severity()) {
        (Ending::Data, _) | (Ending::Bdat, Severity::Completion) => PeerTransaction::Reset,
        (Ending::Bdat, _) => PeerTransaction::Open,
    };
    let outcome = Outcome::of(reply);
    if session.settings.dialect == Dialect::Lmtp {
        if let Some(first) = final_replies.unsettled() {
            *first = Some(outcome);
        }
        if final_replies.unsettled().is_some() {
            session.state = State::FinalReplies(final_replies);
            return None;
        }
    } else {
        while let Some(unknown) = final_replies.unsettled() {
            *unknown = Some(outcome.clone());
        }
    }
    finish(session, final_replies.outcomes, left)
}

fn finish(
    session: &mut Session,
    outcomes: Vec<Option<Outcome>>,
    table: PeerTransaction,
) -> Option<ReplyEffect> {
    session.state = State::Ready(table);
    Some(ReplyEffect::Finished(or_deferred(outcomes, &replies::LOCAL_ERROR)))
}

/// The outcomes, with a deferral by `reply` where one is missing.
fn or_deferred(outcomes: Vec<Option<Outcome>>, reply: &Reply) -> Vec<Outcome> {
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Outcome::Deferred(reply.clone()))).collect()
}

impl Transaction {
    /// True if the message is sent as a chunk.
    pub(super) fn is_chunk(&self) -> bool {
        self.purpose == Purpose::Send && self.ending == Ending::Bdat
    }

    /// The index of DATA among the commands.
    fn data(&self) -> usize {
        self.envelope.recipients.len() + 1
    }

    /// Sends as much as is allowed now: all commands up to the window if the peer supports pipelining, else the next
    /// one.
    fn send_commands(&mut self, session: &mut Session) {
        let window = if session.capabilities.pipelining { WINDOW } else { 1 };
        let last = match (self.purpose, self.ending) {
            (Purpose::Send, Ending::Data) => self.data(),
            (Purpose::Send, Ending::Bdat) | (Purpose::Probe, _) => self.data() - 1,
        };
        while self.sent <= last && self.sent - self.answered < window {
            let line = self.command(session, self.sent);
            session.send_line(&line);
            self.sent += 1;
        }
    }

    fn command(&self, session: &Session, index: usize) -> String {
        match index {
            0 => self.mail(session),
            _ if index == self.data() => "DATA".to_owned(),
            _ => format!("RCPT TO:{}", self.envelope.recipients[index - 1]),
        }
    }

    fn mail(&self, session: &Session) -> String {
        let mut line = format!("MAIL FROM:{}", self.envelope.sender);
        if session.capabilities.size {
            line.push_str(&format!(" SIZE={}", self.envelope.size));
        }
        // A peer without 8BITMIME gets the octets as they are: every server of today accepts them, and a message cannot
        // be re-encoded without breaking its signatures.
        if session.capabilities.eight_bit_mime && self.envelope.body == BodyKind::EightBitMime {
            line.push_str(" BODY=8BITMIME");
        }
        let needs_smtputf8 = self.envelope.recipients.iter().any(|each| !self.envelope.is_ascii_for(each));
        if session.capabilities.smtputf8 && needs_smtputf8 {
            line.push_str(" SMTPUTF8");
        }
        if session.capabilities.requiretls && self.envelope.requires_tls {
            line.push_str(" REQUIRETLS");
        }
        if let (true, Some(id)) = (session.capabilities.dsn, &self.envelope.id) {
            line.push_str(&format!(" ENVID={}", id.to_xtext()));
        }
        if session.capabilities.verdict && self.envelope.is_junk {
            line.push_str(" XVERDICT=JUNK");
        }
        line
    }

    /// The outcomes when the connection is abandoned at this point.
    pub(super) fn abandoned(mut self, reply: &Reply) -> Vec<Outcome> {
        self.outcomes.resize(self.envelope.recipients.len(), None);
        or_deferred(self.outcomes, reply)
    }
}

impl FinalReplies {
    /// The outcomes when the connection is abandoned at this point. The peer may have accepted the message all the
    /// same; it is sent again, since twice is better than never (RFC 5321 §4.5.4.1).
    pub(super) fn abandoned(self, reply: &Reply) -> Vec<Outcome> {
        or_deferred(self.outcomes, reply)
    }
}
