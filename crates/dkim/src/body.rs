//! The hash of a body in canonical form (RFC 6376 §3.4.3, §3.4.4, §3.7), from pieces of any size.
//!
//! A line ends with CRLF. A lone CR or LF is an octet like any other.

use aws_lc_rs::digest::{Context, Digest, SHA256};
use memchr::{memchr, memchr3};

use crate::Canonicalization;

/// The octets that are collected before they are hashed, since words are short.
const BUFFER: usize = 4 * 1024;

/// The hash of a whole body.
#[derive(Clone, Copy, Debug)]
pub struct BodyHash {
    pub(crate) digest: Digest,
    /// The number of octets in canonical form, which `l=` counts.
    pub(crate) length: u64,
}

impl BodyHash {
    /// The octets of the hash.
    pub fn octets(&self) -> &[u8] {
        self.digest.as_ref()
    }
}

/// Hashes a body.
#[derive(Clone)]
pub struct BodyHasher {
    form: Canonicalization,
    context: Context,
    buffer: Vec<u8>,
    length: u64,
    /// Line ends that are hashed only if text follows them.
    line_ends: u64,
    /// White space that is hashed only if text follows it in its line (relaxed).
    space: bool,
    /// True if the last piece ended with a CR, whose meaning depends on the next octet.
    carriage_return: bool,
}

impl BodyHasher {
    /// A hasher at the beginning of a body.
    pub fn new(form: Canonicalization) -> Self {
        Self {
            form,
            context: Context::new(&SHA256),
            buffer: Vec::with_capacity(BUFFER),
            length: 0,
            line_ends: 0,
            space: false,
            carriage_return: false,
        }
    }

    /// The canonicalization of the body.
    pub fn canonicalization(&self) -> Canonicalization {
        self.form
    }

    /// Adds the next octets of the body.
    pub fn update(&mut self, mut octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        if std::mem::take(&mut self.carriage_return) {
            match octets.strip_prefix(b"\n") {
                Some(rest) => {
                    self.end_line();
                    octets = rest;
                }
                None => self.text(b"\r"),
            }
        }
        while !octets.is_empty() {
            let (text, rest) = octets.split_at(self.text_length(octets));
            if !text.is_empty() {
                self.text(text);
            }
            octets = self.gap(rest);
        }
    }

    /// Returns the hash at the end of the body. A line end is added to an unfinished last line.
    pub fn finish(mut self) -> BodyHash {
        if self.carriage_return {
            self.text(b"\r");
        }
        // An empty body is one line end in simple form and nothing in relaxed form.
        if self.length > 0 || self.form == Canonicalization::Simple {
            self.emit(b"\r\n");
        }
        self.context.update(&self.buffer);
        BodyHash { digest: self.context.finish(), length: self.length }
    }

    /// The length of the octets up to the next white space or CR that is not copied as it is.
    fn text_length(&self, octets: &[u8]) -> usize {
        if self.form == Canonicalization::Simple {
            return memchr(b'\r', octets).unwrap_or(octets.len());
        }
        let mut at = 0;
        while let Some(found) = memchr3(b' ', b'\t', b'\r', &octets[at..]) {
            at += found;
            // A single space between words is kept. One at the beginning may belong to white space of the last piece.
            let stays = at > 0
                && octets[at] == b' '
                && octets.get(at + 1).is_some_and(|next| !matches!(next, b' ' | b'\t' | b'\r'));
            if !stays {
                return at;
            }
            at += 1;
        }
        octets.len()
    }

    /// Processes white space or a CR at the beginning of the octets, and returns the rest.
    fn gap<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        match octets {
            [b'\r', b'\n', rest @ ..] => {
                self.end_line();
                rest
            }
            [b'\r'] => {
                self.carriage_return = true;
                &[]
            }
            [b'\r', rest @ ..] => {
                self.text(b"\r");
                rest
            }
            [b' ' | b'\t', ..] => {
                self.space = true;
                let end = octets.iter().position(|octet| !matches!(octet, b' ' | b'\t'));
                &octets[end.unwrap_or(octets.len())..]
            }
            // Only text remains, which the caller handles.
            rest => rest,
        }
    }

    fn end_line(&mut self) {
        self.space = false;
        self.line_ends += 1;
    }

    /// Adds octets that count, and with them everything that was held back.
    fn text(&mut self, octets: &[u8]) {
        for _ in 0..std::mem::take(&mut self.line_ends) {
            self.emit(b"\r\n");
        }
        if std::mem::take(&mut self.space) {
            self.emit(b" ");
        }
        self.emit(octets);
    }

    fn emit(&mut self, octets: &[u8]) {
        self.length += octets.len() as u64;
        if self.buffer.len() + octets.len() > BUFFER {
            self.context.update(&self.buffer);
            self.buffer.clear();
        }
        if octets.len() > BUFFER {
            self.context.update(octets);
        } else {
            self.buffer.extend_from_slice(octets);
        }
    }
}

impl std::fmt::Debug for BodyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyHasher")
            .field("form", &self.form)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
