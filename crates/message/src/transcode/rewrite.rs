//! The third reading: writes the message with its changes.

use std::collections::VecDeque;

use super::encode::Encoder;
use super::{Change, Edit};

/// Writes a changed message while the original is read once more.
#[derive(Debug)]
pub struct Rewriter {
    edits: VecDeque<Edit>,
    encoder: Option<Encoder>,
    at: u64,
    last: u8,
}

impl Rewriter {
    pub(super) fn new(edits: Vec<Edit>) -> Self {
        Self { edits: edits.into(), encoder: None, at: 0, last: 0 }
    }

    /// Reads the next octets of the original, and appends what the changed message has for them.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut rest = piece;
        while !rest.is_empty() {
            let until = |place: u64| usize::try_from(place - self.at).unwrap_or(usize::MAX).min(rest.len());
            let taken = match self.edits.front() {
                Some(edit) if self.at >= edit.range.start => {
                    let (octets, _) = rest.split_at(until(edit.range.end));
                    if let Change::Encode(scheme) = edit.change {
                        self.encoder.get_or_insert_with(|| Encoder::new(scheme)).push(octets, out);
                    }
                    octets.len()
                }
                edit => {
                    let (octets, _) = rest.split_at(edit.map_or(rest.len(), |edit| until(edit.range.start)));
                    out.extend_from_slice(octets);
                    octets.len()
                }
            };
            self.at += taken as u64;
            rest = &rest[taken..];
            self.end_edit(out);
        }
        self.last = out.last().copied().unwrap_or(self.last);
    }

    /// Completes the edit that ends here.
    fn end_edit(&mut self, out: &mut Vec<u8>) {
        if let Some(edit) = self.edits.pop_front_if(|edit| edit.range.end <= self.at) {
            if let Some(encoder) = self.encoder.take() {
                encoder.finish(out);
            }
            if let Change::Replace(octets) = edit.change {
                out.extend_from_slice(&octets);
            }
        }
    }

    /// Appends the rest. The message's last line ends with CRLF.
    pub fn finish(self, out: &mut Vec<u8>) {
        if out.last().copied().unwrap_or(self.last) != b'\n' {
            out.extend_from_slice(b"\r\n");
        }
    }
}
