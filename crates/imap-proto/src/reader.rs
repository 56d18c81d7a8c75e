//! From octets to commands, with a limit on the memory held.
//!
//! A command is lines, joined by literals (RFC 3501 §4.3). Small literals are collected with their command. The message
//! of an APPEND is announced to the server first, which accepts or refuses it; its octets then pass through in pieces.
//!
//! ```text
//!             line whole ─────────────► Command, Malformed
//!            ┌──────────┐
//!   ┌──────► │   Line   │ ◄────────────────────────────────────────────────┐
//!   │        └────┬─────┘                                                   │
//!   │ {n} octets  │ a line ends with {n}                                    │
//!   │ collected   ├─────────────► Collecting ──┐                            │
//!   └─────────────┼────────────────────────────┘                            │
//!                 │ it is APPEND's message                                  │
//!                 ├─────────────► Announced ─ take ─► Passing ─► Closing ───┤ Append ends
//!                 │                    └───── refuse ─┐                     │
//!                 │ too long, or broken               ▼                     │
//!                 └──────────────────────────────► Draining ─► Skipping ────┘
//!
//!   Line ─ expect_continuation_response ─► ContinuationResponse ─ line whole ─► Line        (AUTHENTICATE, IDLE)
//! ```
//!
//! After any fault the reader finds the start of the next command by itself: a synchronising literal that is refused
//! never comes (RFC 3501 §7.5), a non-synchronising one is drained (RFC 7888 §4).
//!
//! A bare LF also ends a line ([`quirk_bare_newline`]).

use crate::command::{self, Append, Command, CommandError, LiteralHeader, Malformed, id};
use crate::cursor::{Cursor, SyntaxError};

/// The longest response to a continuation request, large enough for SASL tokens (RFC 4954 §4 has the same limit for
/// SMTP).
const MAX_CONTINUATION_RESPONSE: usize = 12_288;

/// An event for the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'r> {
    /// A whole command.
    Command(Command),
    /// A malformed command. The reader is already at the next one.
    Malformed(Malformed),
    /// The client waits for a continuation request (`+`) before it sends a literal.
    Continue,
    /// An APPEND with its message announced. The server calls [`Reader::accept_message`] or [`Reader::refuse_message`].
    Append(Append),
    /// The next octets of the APPEND's message.
    Octets(&'r [u8]),
    /// The end of an APPEND: the message was complete. An error means that unexpected octets followed it.
    AppendEnd(Result<(), CommandError>),
    /// The line in response to a continuation request, without its end.
    ContinuationResponse(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReaderState {
    /// Reading a line of a command.
    Line,
    /// A collected literal that is not complete yet.
    Collecting { left: usize },
    /// The server has not accepted or refused the message yet.
    Announced(LiteralHeader),
    /// The message passes through.
    Passing { left: u64 },
    /// The end of an APPEND's line.
    Closing,
    /// A literal that is discarded.
    Draining { left: u64 },
    /// The rest of a line that is discarded.
    Skipping,
    /// A line in response to a continuation request.
    ContinuationResponse,
}

/// Parses octets into commands. Feed it more octets when it has no event left.
#[derive(Debug)]
pub struct Reader {
    /// The octets fed; those before `start` are consumed.
    input: Vec<u8>,
    start: usize,
    /// The part of the command, or of the line, read so far.
    command: Vec<u8>,
    state: ReaderState,
    /// True if a literal was accepted that the client does not send before a continuation request.
    continue_is_due: bool,
    limit: usize,
}

impl Reader {
    /// A reader at the start of a connection. `limit` bounds a command's octets with all its collected literals.
    pub fn new(limit: usize) -> Reader {
        Reader {
            input: Vec::new(),
            start: 0,
            command: Vec::new(),
            state: ReaderState::Line,
            continue_is_due: false,
            limit,
        }
    }

    /// Sets the limit for the commands that follow: a client that has logged in may send longer ones.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The buffer to which octets from the connection are appended. An idle connection keeps no buffer.
    pub fn input_buffer(&mut self) -> &mut Vec<u8> {
        if self.start == self.input.len() {
            self.input = Vec::new();
        } else {
            self.input.drain(..self.start);
        }
        self.start = 0;
        &mut self.input
    }

    /// Adds octets.
    pub fn feed(&mut self, octets: &[u8]) {
        self.input_buffer().extend_from_slice(octets);
    }

    /// The octets not yet consumed by an event.
    pub fn unread(&self) -> &[u8] {
        &self.input[self.start..]
    }

    /// Accepts the message of the announced APPEND: its octets follow as events.
    pub fn accept_message(&mut self) {
        if let ReaderState::Announced(message) = self.state {
            self.state = ReaderState::Passing { left: message.size };
            self.continue_is_due = message.synchronising;
        }
    }

    /// Refuses the message of the announced APPEND: it is not requested, or drained if it comes unrequested. May also
    /// be called when some of it has passed; the rest is drained then.
    pub fn refuse_message(&mut self) {
        match self.state {
            ReaderState::Announced(message) => self.reject_literal(message),
            ReaderState::Passing { left } => self.state = ReaderState::Draining { left },
            _ => {}
        }
    }

    /// Returns true while the client sends a literal that passes through, accepted or not: it may be long.
    pub fn passes_message(&self) -> bool {
        matches!(self.state, ReaderState::Passing { .. } | ReaderState::Draining { .. })
    }

    /// Reads the next line as the response to a continuation request, not as a command.
    pub fn expect_continuation_response(&mut self) {
        self.state = ReaderState::ContinuationResponse;
    }

    /// The next event, or `None` when more octets are needed.
    pub fn next_event(&mut self) -> Option<Event<'_>> {
        loop {
            if std::mem::take(&mut self.continue_is_due) {
                return Some(Event::Continue);
            }
            match self.state {
                ReaderState::Line => {
                    if let Some(event) = self.read_line()? {
                        return Some(event);
                    }
                }
                ReaderState::Collecting { left } => self.collect(left)?,
                ReaderState::Announced(_) => return None,
                ReaderState::Passing { left: 0 } => self.state = ReaderState::Closing,
                ReaderState::Passing { left } => return self.pass(left),
                ReaderState::Closing => return self.close(),
                ReaderState::Draining { left: 0 } => self.state = ReaderState::Skipping,
                ReaderState::Draining { left } => self.drain(left)?,
                ReaderState::Skipping => self.skip()?,
                ReaderState::ContinuationResponse => return self.continuation_response(),
            }
        }
    }

    /// Number of pending octets, limited to `left`.
    fn available(&self, left: u64) -> usize {
        usize::try_from(left).map_or(self.unread().len(), |left| left.min(self.unread().len()))
    }

    fn pass(&mut self, left: u64) -> Option<Event<'_>> {
        let count = self.available(left);
        if count == 0 {
            return None;
        }
        self.state = ReaderState::Passing { left: left - count as u64 };
        let from = self.start;
        self.start += count;
        Some(Event::Octets(&self.input[from..self.start]))
    }

    fn drain(&mut self, left: u64) -> Option<()> {
        let count = self.available(left);
        self.start += count;
        self.state = ReaderState::Draining { left: left - count as u64 };
        (count > 0).then_some(())
    }

    fn collect(&mut self, left: usize) -> Option<()> {
        let count = left.min(self.unread().len());
        self.command.extend_from_slice(&self.input[self.start..self.start + count]);
        self.start += count;
        if count < left {
            self.state = ReaderState::Collecting { left: left - count };
            return None;
        }
        self.state = ReaderState::Line;
        Some(())
    }

    /// Reads the end of an APPEND, after its message.
    fn close(&mut self) -> Option<Event<'static>> {
        let end = self.line(self.limit)?.and_then(|()| Ok(Cursor::new(&self.command).end()?));
        match end {
            Ok(()) => drop(self.finish()),
            Err(CommandError::TooLong { .. }) => self.command.clear(),
            Err(_) => self.discard_line(),
        }
        Some(Event::AppendEnd(end))
    }

    fn skip(&mut self) -> Option<()> {
        match self.line(self.limit)? {
            Ok(()) => self.discard_line(),
            Err(_) => self.command.clear(),
        }
        Some(())
    }

    fn continuation_response(&mut self) -> Option<Event<'static>> {
        Some(match self.line(MAX_CONTINUATION_RESPONSE)? {
            Ok(()) => Event::ContinuationResponse(self.finish()),
            Err(fault) => self.fail(fault),
        })
    }

    /// Moves octets to the command up to the end of a line, which is left out. `None` if the line is not complete yet;
    /// a fault if it exceeds the limit, in which case the rest of it is skipped.
    fn line(&mut self, limit: usize) -> Option<Result<(), CommandError>> {
        let found = memchr::memchr(b'\n', self.unread());
        let count = found.unwrap_or(self.unread().len());
        let limit = self.limit_for(limit, count);
        let room = limit.saturating_sub(self.command.len());
        if count > room {
            // Enough of the line is kept to find the tag; the rest is skipped.
            self.command.extend_from_slice(&self.input[self.start..self.start + room]);
            self.start += room;
            self.state = ReaderState::Skipping;
            return Some(Err(CommandError::TooLong { limit }));
        }
        self.command.extend_from_slice(&self.input[self.start..self.start + count]);
        self.start += count + usize::from(found.is_some());
        found?;
        quirk_bare_newline(&mut self.command);
        Some(Ok(()))
    }

    /// The limit of the current command if `more` octets follow: an ID may be longer than other commands.
    fn limit_for(&self, limit: usize, more: usize) -> usize {
        if limit >= id::MAX_OCTETS || self.command.len().saturating_add(more) <= limit {
            return limit;
        }
        let head: Vec<u8> = self.command.iter().chain(self.unread()).take(id::HEAD).copied().collect();
        if id::begins(&head) { id::MAX_OCTETS } else { limit }
    }

    /// Reads to the end of a line of a command, and checks its end. The inner `None` means that a literal follows that
    /// is collected.
    fn read_line(&mut self) -> Option<Option<Event<'static>>> {
        if let Err(fault) = self.line(self.limit)? {
            return Some(Some(self.fail(fault)));
        }
        let Some(literal) = announced_at_end(&self.command) else {
            let command = self.finish();
            return Some(Some(match command::parse(&command) {
                Ok(command) => Event::Command(command),
                Err(malformed) => Event::Malformed(malformed),
            }));
        };
        match command::append::parse_header(&self.command) {
            Ok(Some(append)) => {
                self.command.clear();
                self.state = ReaderState::Announced(literal);
                Some(Some(Event::Append(append)))
            }
            Err(malformed) => {
                self.reject_literal(literal);
                Some(Some(Event::Malformed(malformed)))
            }
            Ok(None) => Some(self.start_collecting(literal)),
        }
    }

    fn start_collecting(&mut self, literal: LiteralHeader) -> Option<Event<'static>> {
        let size = usize::try_from(literal.size).ok();
        let limit = self.limit_for(self.limit, size.unwrap_or(usize::MAX));
        let room = limit.saturating_sub(self.command.len());
        match size.filter(|size| *size <= room) {
            Some(left) => {
                self.command.extend_from_slice(b"\r\n");
                self.state = ReaderState::Collecting { left };
                self.continue_is_due = literal.synchronising;
                None
            }
            None => {
                let tag = command::tag_of(&self.command);
                self.reject_literal(literal);
                Some(Event::Malformed(Malformed { tag, error: CommandError::TooLong { limit } }))
            }
        }
    }

    /// Ends the command, whose literal is not accepted.
    fn reject_literal(&mut self, literal: LiteralHeader) {
        self.command.clear();
        self.state = if literal.synchronising {
            ReaderState::Line
        } else {
            ReaderState::Draining { left: literal.size }
        };
    }

    /// Discards the whole line. It may announce one more literal, whose octets are not commands either.
    fn discard_line(&mut self) {
        match announced_at_end(&self.command) {
            Some(literal) => self.reject_literal(literal),
            None => drop(self.finish()),
        }
    }

    fn fail(&mut self, error: CommandError) -> Event<'static> {
        let tag = command::tag_of(&self.command);
        self.command.clear();
        Event::Malformed(Malformed { tag, error })
    }

    /// Returns the whole line and moves on to the next command.
    fn finish(&mut self) -> Vec<u8> {
        self.state = ReaderState::Line;
        std::mem::take(&mut self.command)
    }
}

/// The literal announced at the end of the octets, if there is one.
///
/// A line that ends so within a quoted string is malformed anyway, since a quoted string cannot contain a line's end.
fn announced_at_end(octets: &[u8]) -> Option<LiteralHeader> {
    let start = memchr::memrchr(b'{', octets).filter(|_| octets.ends_with(b"}"))?;
    let mut cursor = Cursor::new(&octets[start..]);
    let literal: Result<LiteralHeader, SyntaxError> = cursor.literal_header();
    literal.ok().filter(|_| cursor.end().is_ok())
}

/// Removes the CR of a line's end. It may be missing: people who test by hand with netcat need this, and in IMAP a bare
/// LF cannot split anything that passes through us in two, since messages are counted.
fn quirk_bare_newline(line: &mut Vec<u8>) {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
}

#[cfg(test)]
mod tests;
