//! One pass over a message's lines that finds every part (RFC 2046 §5.1).
//!
//! A stack holds the entities whose end was not seen yet, the message itself at the bottom. Each line either belongs to
//! the topmost header, or is a delimiter of one of the open multiparts, or is body that only has to be counted. A
//! delimiter ends everything above its multipart, so a missing close delimiter inside costs nothing (§5.1.2).
//!
//! ```text
//!                      empty line                                   end, or a delimiter of an entity below
//! Header ─────────────────────────────────────► Body ──────────────────────────────────────────────────────► closed
//!    │  multipart: its delimiters push parts     ▲ │ close delimiter: the rest is epilogue
//!    └─ message/rfc822: pushes a message's Header┘ └─
//! ```

use memchr::memchr;

use super::{
    Content, MAX_DEPTH, MAX_HEADER, MAX_PARTS, Outline, Part, Span, describe::Place, describe::describe,
};
use crate::{Envelope, mime::ContentType};

/// How much of a body line is looked at. A delimiter longer than that cannot be recognised (RFC 2046 allows 70).
const LOOK: usize = 998;

/// Indexes a message that comes in pieces. Holds one header and one line's beginning at a time.
#[derive(Debug)]
pub struct Indexer {
    open: Vec<Entity>,
    /// Where the current line begins.
    at: Mark,
    /// Where the previous line's text ended, before its line end: there a part ends whose delimiter comes next, since
    /// the line end before a delimiter belongs to the delimiter.
    text_end: Mark,
    /// The beginning of a line whose end did not come yet.
    pending: Vec<u8>,
    pending_length: u64,
    pending_last: u8,
    parts: usize,
    header_left: usize,
}

/// A place in the message, with all that was counted up to it.
#[derive(Debug, Clone, Copy, Default)]
struct Mark {
    offset: u64,
    lines: u64,
    lone_line_feeds: u64,
}

impl Mark {
    fn span_to(self, end: Mark) -> Span {
        let stored = end.offset - self.offset;
        Span {
            start: self.offset,
            end: end.offset,
            octets: stored + (end.lone_line_feeds - self.lone_line_feeds),
        }
    }

    fn later(self, other: Mark) -> Mark {
        if other.offset > self.offset { other } else { self }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    CrLf,
    Lf,
    /// The message ends in the line.
    Missing,
}

/// A part whose end was not seen yet.
#[derive(Debug)]
struct Entity {
    place: Place,
    header_start: Mark,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Collects the header.
    Header(Vec<u8>),
    Body(Body),
}

#[derive(Debug)]
struct Body {
    start: Mark,
    part: Part,
    /// For a message: what its own header says.
    envelope: Option<Envelope>,
    inside: Inside,
}

/// What is being found in a body.
#[derive(Debug)]
enum Inside {
    Single,
    /// The delimiter is `None` once the close delimiter was seen.
    Multipart {
        delimiter: Option<Vec<u8>>,
        parts: Vec<Part>,
        place: Place,
    },
    Message(Option<Outline>),
}

impl Default for Indexer {
    fn default() -> Self {
        Self::new()
    }
}

impl Indexer {
    /// Begins with an empty message.
    pub fn new() -> Self {
        let message =
            Entity { place: Place::Message, header_start: Mark::default(), stage: Stage::Header(Vec::new()) };
        Self {
            open: vec![message],
            at: Mark::default(),
            text_end: Mark::default(),
            pending: Vec::new(),
            pending_length: 0,
            pending_last: 0,
            parts: 1,
            header_left: MAX_HEADER,
        }
    }

    /// Takes the next piece of the message.
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

    /// The message is whole.
    pub fn finish(mut self) -> Outline {
        if self.pending_length > 0 {
            self.pending_line(LineEnd::Missing);
        }
        let end = self.at;
        self.close_above(0, end);
        match self.close_last(end) {
            Some((envelope, root)) => Outline { envelope: envelope.unwrap_or_default(), root },
            None => Outline { envelope: Envelope::default(), root: describe(b"", Place::Message) },
        }
    }

    fn keep(&mut self, octets: &[u8]) {
        let limit = match self.open.last().map(|entity| &entity.stage) {
            Some(Stage::Header(_)) => LOOK + self.header_left,
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

    /// Takes one line. `line` may be only its beginning when it is long; `length` is always the true one.
    fn line(&mut self, line: &[u8], length: u64, end: LineEnd) {
        let (end_length, line_feeds, lone) = match end {
            LineEnd::CrLf => (2, 1, 0),
            LineEnd::Lf => (1, 1, 1),
            LineEnd::Missing => (0, 0, 0),
        };
        let text_length = length - end_length;
        let text_end = Mark { offset: self.at.offset + text_length, ..self.at };
        let next = Mark {
            offset: self.at.offset + length,
            lines: self.at.lines + line_feeds,
            lone_line_feeds: self.at.lone_line_feeds + lone,
        };
        let is_delimiter = line.starts_with(b"--") && self.delimiter(line, next);
        self.at = next;
        self.text_end = if is_delimiter { next } else { text_end };
        if !is_delimiter {
            self.header_line(line, text_length == 0 && end != LineEnd::Missing);
        }
    }

    /// ```abnf
    /// delimiter         := CRLF "--" boundary *LWSP-char
    /// close-delimiter   := CRLF "--" boundary "--"
    /// ```
    /// A line that begins with the boundary is enough (RFC 2046 §5.1.1). Where one boundary begins with another the longer
    /// one is meant.
    fn delimiter(&mut self, line: &[u8], next: Mark) -> bool {
        let text = &line[2..];
        let mut found: Option<(usize, usize)> = None;
        for (depth, entity) in self.open.iter().enumerate() {
            let Some(delimiter) = entity.delimiter() else { continue };
            if text.starts_with(delimiter) && found.is_none_or(|(_, length)| delimiter.len() >= length) {
                found = Some((depth, delimiter.len()));
            }
        }
        let Some((depth, length)) = found else { return false };
        let closes = text[length..].starts_with(b"--");
        if !closes && self.parts >= MAX_PARTS {
            return false;
        }
        self.close_above(depth, self.text_end);
        let Some(Stage::Body(Body { inside: Inside::Multipart { delimiter, place, .. }, .. })) =
            self.open.last_mut().map(|entity| &mut entity.stage)
        else {
            return true;
        };
        if closes {
            *delimiter = None;
        } else {
            let place = *place;
            self.parts += 1;
            self.open.push(Entity { place, header_start: next, stage: Stage::Header(Vec::new()) });
        }
        true
    }

    /// Adds the line to the header that is being read, if one is; an empty line ends it.
    fn header_line(&mut self, line: &[u8], empty: bool) {
        let after = self.at;
        let Some(entity) = self.open.last_mut() else { return };
        let Stage::Header(header) = &mut entity.stage else { return };
        if !empty {
            let kept = line.len().min(self.header_left);
            header.extend_from_slice(&line[..kept]);
            self.header_left -= kept;
            return;
        }
        let header = std::mem::take(header);
        self.begin_body(&header, after);
    }

    /// The topmost entity's header is whole: decides what its body will be.
    fn begin_body(&mut self, header: &[u8], start: Mark) {
        let deepest = self.open.len() >= MAX_DEPTH;
        let Some(entity) = self.open.last_mut() else { return };
        let mut part = describe(header, entity.place);
        let envelope = (entity.place == Place::Message).then(|| Envelope::parse(header));
        let inside = Inside::expected(&mut part, deepest);
        let holds_message = matches!(inside, Inside::Message(_));
        entity.stage = Stage::Body(Body { start, part, envelope, inside });
        if holds_message {
            self.open.push(Entity {
                place: Place::Message,
                header_start: start,
                stage: Stage::Header(Vec::new()),
            });
        }
    }

    /// Ends every entity above the one at `depth` and hands each to the one below it.
    fn close_above(&mut self, depth: usize, end: Mark) {
        while self.open.len() > depth + 1 {
            let Some((envelope, part)) = self.close_last(end) else { return };
            let Some(Stage::Body(below)) = self.open.last_mut().map(|entity| &mut entity.stage) else {
                return;
            };
            match &mut below.inside {
                Inside::Multipart { parts, .. } => parts.push(part),
                Inside::Message(message) => {
                    *message = Some(Outline { envelope: envelope.unwrap_or_default(), root: part });
                }
                Inside::Single => {}
            }
        }
    }

    /// Takes the topmost entity off the stack. One whose header was still open has no body. A message that was still in
    /// its header brings the message within it into being, so that is closed first.
    fn close_last(&mut self, end: Mark) -> Option<(Option<Envelope>, Part)> {
        if let Some(Entity { stage: Stage::Header(header), header_start, .. }) = self.open.last_mut() {
            let (header, end) = (std::mem::take(header), header_start.later(end));
            let depth = self.open.len() - 1;
            self.begin_body(&header, end);
            self.close_above(depth, end);
        }
        let Entity { header_start, stage, .. } = self.open.pop()?;
        let Stage::Body(body) = stage else { return None };
        Some(body.close(header_start, end))
    }
}

impl Entity {
    fn delimiter(&self) -> Option<&[u8]> {
        match &self.stage {
            Stage::Body(Body { inside: Inside::Multipart { delimiter, .. }, .. }) => delimiter.as_deref(),
            _ => None,
        }
    }
}

impl Inside {
    /// What the body should hold by its type. Where it cannot, the type is replaced by one that says so: a multipart without
    /// a usable boundary is text (RFC 2045 §5.2 treats what cannot be read so), one that lies too deep is opaque.
    fn expected(part: &mut Part, deepest: bool) -> Self {
        let multipart = part.content_type.has_kind("multipart");
        let message = part.content_type.is("message", "rfc822") || part.content_type.is("message", "global");
        if !multipart && !message {
            return Self::Single;
        }
        if deepest {
            part.content_type = ContentType::plain("application", "octet-stream");
            return Self::Single;
        }
        if message {
            return Self::Message(None);
        }
        let boundary = part
            .content_type
            .parameters
            .decoded("boundary")
            .map(|(value, _)| value.trim_ascii_end().to_vec());
        match boundary.filter(|boundary| !boundary.is_empty() && boundary.len() < LOOK - 4) {
            Some(boundary) => {
                let digest = part.content_type.is("multipart", "digest");
                let place = if digest { Place::Digest } else { Place::Ordinary };
                Self::Multipart { delimiter: Some(boundary), parts: Vec::new(), place }
            }
            None => {
                part.content_type = ContentType::default_text();
                Self::Single
            }
        }
    }
}

impl Body {
    fn close(self, header_start: Mark, end: Mark) -> (Option<Envelope>, Part) {
        let end = self.start.later(end);
        let mut part = self.part;
        part.header = header_start.span_to(self.start);
        part.body = self.start.span_to(end);
        part.lines = end.lines - self.start.lines;
        part.content = match self.inside {
            Inside::Single => Content::Single,
            Inside::Multipart { parts, .. } if parts.is_empty() => {
                let mut only = describe(b"", Place::Ordinary);
                only.header = end.span_to(end);
                only.body = end.span_to(end);
                Content::Multipart(vec![only])
            }
            Inside::Multipart { parts, .. } => Content::Multipart(parts),
            Inside::Message(message) => {
                message.map_or(Content::Single, |message| Content::Message(Box::new(message)))
            }
        };
        (self.envelope, part)
    }
}
