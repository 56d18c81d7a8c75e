//! One pass over a message's lines that finds every part (RFC 2046 §5.1).
//!
//! A stack holds the entities whose end has not been reached, the message itself at the bottom. Each line
//! either belongs to the topmost header, or is a delimiter of one of the open multiparts, or is body that
//! only has to be counted. A delimiter ends everything above its multipart, so a missing inner close delimiter
//! does no harm (§5.1.2).
//!
//! ```text
//!                      empty line                                   end, or a delimiter of an entity below
//! Header ─────────────────────────────────────► Body ──────────────────────────────────────────────────────► closed
//!    │  multipart: its delimiters push parts     ▲ │ close delimiter: the rest is epilogue
//!    └─ message/rfc822: pushes a message's Header┘ └─
//! ```

use memchr::memchr;

use super::{
    MAX_DEPTH, MAX_HEADER, MAX_PARTS, Outline, Part,
    describe::{PartContext, describe},
    entity::{Body, OpenContent, OpenPart, PartState, StreamPosition},
};
use crate::Envelope;

/// The octets of a body line that are examined. A longer delimiter cannot be recognised (RFC 2046 allows 70).
const LOOK: usize = 998;

/// Indexes a message that arrives in pieces. Holds one header and one line's beginning at a time.
#[derive(Debug)]
pub struct Indexer {
    open: Vec<OpenPart>,
    /// The position of the current line.
    at: StreamPosition,
    /// The end of the previous line's text, before its line end: a part ends there if its delimiter is the
    /// next line, since the line end before a delimiter belongs to the delimiter.
    text_end: StreamPosition,
    /// The beginning of a line whose end has not arrived.
    pending: Vec<u8>,
    pending_length: u64,
    pending_last: u8,
    parts: usize,
    header_left: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    CrLf,
    Lf,
    /// The message ends within the line.
    Missing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    /// A part begins.
    Opens,
    /// The last part ended.
    Closes,
}

impl Default for Indexer {
    fn default() -> Self {
        Self::new()
    }
}

impl Indexer {
    /// An indexer for a message, which is empty so far.
    pub fn new() -> Self {
        let message = OpenPart {
            context: PartContext::Message,
            header_start: StreamPosition::default(),
            state: PartState::Header(Vec::new()),
        };
        Self {
            open: vec![message],
            at: StreamPosition::default(),
            text_end: StreamPosition::default(),
            pending: Vec::new(),
            pending_length: 0,
            pending_last: 0,
            parts: 1,
            header_left: MAX_HEADER,
        }
    }

    /// Adds the next piece of the message.
    pub fn push(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            let Some(line_feed) = memchr(b'\n', rest) else {
                self.keep(rest);
                return;
            };
            let (line, after) = rest.split_at(line_feed + 1);
            rest = after;
            if self.pending_length == 0 {
                let end = if line.ends_with(b"\r\n") { LineEnd::CrLf } else { LineEnd::Lf };
                self.line(line, line.len() as u64, end);
            } else {
                let before = if line_feed == 0 { self.pending_last } else { line[line_feed - 1] };
                let end = if before == b'\r' { LineEnd::CrLf } else { LineEnd::Lf };
                self.keep(line);
                self.pending_line(end);
            }
        }
    }

    /// Ends the message.
    pub fn finish(mut self) -> Outline {
        if self.pending_length > 0 {
            self.pending_line(LineEnd::Missing);
        }
        let end = self.at;
        self.close_above(0, end);
        match self.close_last(end) {
            Some((envelope, root)) => Outline { envelope: envelope.unwrap_or_default(), root },
            None => Outline { envelope: Envelope::default(), root: describe(b"", PartContext::Message) },
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        let limit = match self.open.last().map(|entity| &entity.state) {
            Some(PartState::Header(_)) => LOOK + self.header_left,
            _ => LOOK,
        };
        let room = limit.saturating_sub(self.pending.len()).min(octets.len());
        self.pending.extend_from_slice(&octets[..room]);
        self.pending_length += octets.len() as u64;
        self.pending_last = octets.last().copied().unwrap_or(self.pending_last);
    }

    fn pending_line(&mut self, end: LineEnd) {
        let line = std::mem::take(&mut self.pending);
        let length = std::mem::take(&mut self.pending_length);
        self.line(&line, length, end);
        self.pending = line;
        self.pending.clear();
    }

    /// Processes one line. `line` may be only the beginning of a long one; `length` is always the true length.
    fn line(&mut self, line: &[u8], length: u64, end: LineEnd) {
        let (end_length, line_feeds, lone) = match end {
            LineEnd::CrLf => (2, 1, 0),
            LineEnd::Lf => (1, 1, 1),
            LineEnd::Missing => (0, 0, 0),
        };
        let text_length = length - end_length;
        let text_end = StreamPosition { offset: self.at.offset + text_length, ..self.at };
        let next = StreamPosition {
            offset: self.at.offset + length,
            lines: self.at.lines + line_feeds,
            lone_line_feeds: self.at.lone_line_feeds + lone,
        };
        let delimiter = line.strip_prefix(b"--").and_then(|text| self.delimiter(text, next));
        self.at = next;
        self.text_end = match delimiter {
            Some(Delimiter::Opens) => next,
            Some(Delimiter::Closes) | None => text_end,
        };
        if delimiter.is_none() {
            self.header_line(line, text_length == 0 && end != LineEnd::Missing);
        }
    }

    /// Processes the line if it is a delimiter: ends every part above its multipart, and begins the next part. A line
    /// that begins with the boundary suffices (RFC 2046 §5.1.1). If one boundary begins with another, the longer one
    /// counts.
    ///
    /// ```abnf
    /// delimiter         := CRLF "--" boundary *LWSP-char
    /// close-delimiter   := CRLF "--" boundary "--"
    /// ```
    fn delimiter(&mut self, text: &[u8], next: StreamPosition) -> Option<Delimiter> {
        let mut found: Option<(usize, usize)> = None;
        for (depth, entity) in self.open.iter().enumerate() {
            let Some(delimiter) = entity.delimiter() else { continue };
            if text.starts_with(delimiter) && found.is_none_or(|(_, length)| delimiter.len() >= length) {
                found = Some((depth, delimiter.len()));
            }
        }
        let (depth, length) = found?;
        let closes = text[length..].starts_with(b"--");
        if !closes && self.parts >= MAX_PARTS {
            return None;
        }
        self.close_above(depth, self.text_end);
        let OpenContent::Multipart { delimiter, context, .. } = self.open.last_mut()?.content_mut()? else {
            return None;
        };
        if closes {
            *delimiter = None;
            return Some(Delimiter::Closes);
        }
        let context = *context;
        self.parts += 1;
        self.open.push(OpenPart { context, header_start: next, state: PartState::Header(Vec::new()) });
        Some(Delimiter::Opens)
    }

    /// Adds the line to the header that is being read, if any; an empty line ends it.
    fn header_line(&mut self, line: &[u8], empty: bool) {
        let after = self.at;
        let Some(entity) = self.open.last_mut() else { return };
        let PartState::Header(header) = &mut entity.state else { return };
        if !empty {
            let kept = line.len().min(self.header_left);
            header.extend_from_slice(&line[..kept]);
            self.header_left -= kept;
            return;
        }
        let header = std::mem::take(header);
        self.begin_body(&header, after);
    }

    /// Ends the topmost entity's header: decides the structure of its body.
    fn begin_body(&mut self, header: &[u8], start: StreamPosition) {
        let deepest = self.open.len() >= MAX_DEPTH;
        let Some(entity) = self.open.last_mut() else { return };
        let mut part = describe(header, entity.context);
        let envelope = (entity.context == PartContext::Message).then(|| Envelope::parse(header));
        let content = OpenContent::expected(&mut part, deepest);
        let holds_message = matches!(content, OpenContent::Message(_));
        entity.state = PartState::Body(Box::new(Body { start, part, envelope, content }));
        if holds_message {
            self.open.push(OpenPart {
                context: PartContext::Message,
                header_start: start,
                state: PartState::Header(Vec::new()),
            });
        }
    }

    /// Ends every entity above the one at `depth` and passes each to the one below it. If the line end
    /// before a delimiter is also that of the empty line after a header, it belongs to the header: so no entity
    /// ends before the topmost has begun, and each contains those within it.
    fn close_above(&mut self, depth: usize, end: StreamPosition) {
        let end = self.open.last().map_or(end, |topmost| topmost.start().later(end));
        while self.open.len() > depth + 1 {
            let Some((envelope, part)) = self.close_last(end) else { return };
            let Some(PartState::Body(below)) = self.open.last_mut().map(|entity| &mut entity.state) else {
                return;
            };
            match &mut below.content {
                OpenContent::Multipart { parts, .. } => parts.push(part),
                OpenContent::Message(message) => {
                    *message = Some(Box::new(Outline { envelope: envelope.unwrap_or_default(), root: part }));
                }
                OpenContent::Single => {}
            }
        }
    }

    /// Removes the topmost entity from the stack. One whose header was still open has no body. A message
    /// whose header was still open opens the message within it, so that is closed first.
    fn close_last(&mut self, end: StreamPosition) -> Option<(Option<Envelope>, Part)> {
        if let Some(OpenPart { state: PartState::Header(header), header_start, .. }) = self.open.last_mut() {
            let (header, end) = (std::mem::take(header), header_start.later(end));
            let depth = self.open.len() - 1;
            self.begin_body(&header, end);
            self.close_above(depth, end);
        }
        let OpenPart { header_start, state, .. } = self.open.pop()?;
        let PartState::Body(body) = state else { return None };
        Some(body.close(header_start, end))
    }
}
