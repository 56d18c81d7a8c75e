//! The header section: its fields in canonical form (RFC 6376 §3.4.1, §3.4.2) and which of them are signed (§5.4.2).

use std::collections::HashMap;
use std::ops::Range;

use aws_lc_rs::digest::{Context, Digest, SHA256};
use message::field::{self, Field};

use crate::Canonicalization;
use crate::signature::{Signature, SignatureError};

const SIGNATURE: &str = "DKIM-Signature";

/// The fields of one message, as [`message::field`] reads them: white space before the colon is not part of a name.
#[derive(Debug)]
pub struct HeaderSection<'a> {
    octets: &'a [u8],
    fields: Vec<Field<'a>>,
    /// The positions of the fields in the list by their name in lower case, from the top down.
    by_name: HashMap<Vec<u8>, Vec<usize>>,
}

/// A field with a signature.
#[derive(Clone, Copy, Debug)]
pub struct SignatureField<'a> {
    pub(crate) at: usize,
    field: Field<'a>,
    /// The whole field without its line end.
    raw: &'a [u8],
}

impl<'a> HeaderSection<'a> {
    /// Reads a header section. A body may follow, which is not read.
    pub fn parse(octets: &'a [u8]) -> Self {
        let fields: Vec<_> = field::fields(octets).collect();
        let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        for (at, field) in fields.iter().enumerate() {
            by_name.entry(field.name.to_ascii_lowercase()).or_default().push(at);
        }
        Self { octets, fields, by_name }
    }

    /// The number of fields called `name`.
    pub fn count(&self, name: &str) -> usize {
        self.positions(name.as_bytes()).len()
    }

    /// The fields with a signature, from the top down.
    pub fn signatures(&self) -> impl Iterator<Item = SignatureField<'a>> {
        self.positions(SIGNATURE.as_bytes()).iter().map(|at| {
            let field = self.fields[*at];
            SignatureField { at: *at, field, raw: without_line_end(self.raw(&field)) }
        })
    }

    /// The digest over which a signature is made (RFC 6376 §3.7): the signed fields, then the signature's own field
    /// without the value of `b=`.
    ///
    /// For a name that is listed several times, fields are used from the bottom up; a name without a field left adds
    /// nothing. The signature's own field did not exist when it was made, so no name refers to it. `signature` is one
    /// of this section.
    pub fn digest(&self, signature: &Signature) -> Digest {
        let mut context = Context::new(&SHA256);
        let mut canonical = Vec::new();
        for at in self.signed(signature.names(), Some(signature.at)) {
            canonical.clear();
            self.canonicalize(&self.fields[at], signature.header_canonicalization(), &mut canonical);
            context.update(&canonical);
        }
        context.update(signature.own_field());
        context.finish()
    }

    /// The digest for a new signature in relaxed form: `field` is its name and value, with an empty `b=`.
    pub(crate) fn digest_to_sign(&self, names: &[&str], field: (&str, &str)) -> Digest {
        let mut context = Context::new(&SHA256);
        let mut canonical = Vec::new();
        for at in self.signed(names.iter().copied(), None) {
            canonical.clear();
            self.canonicalize(&self.fields[at], Canonicalization::Relaxed, &mut canonical);
            context.update(&canonical);
        }
        canonical.clear();
        relaxed(field.0.as_bytes(), field.1.as_bytes(), &mut canonical);
        context.update(&canonical);
        context.finish()
    }

    /// The positions of the fields that the names refer to, in the order of the names.
    fn signed<N: AsRef<[u8]>>(
        &self,
        names: impl Iterator<Item = N>,
        own: Option<usize>,
    ) -> impl Iterator<Item = usize> {
        let mut left: HashMap<Vec<u8>, &[usize]> = HashMap::new();
        names.filter_map(move |name| {
            let name = name.as_ref().to_ascii_lowercase();
            let positions = self.by_name.get(&name)?;
            let left = left.entry(name).or_insert(positions);
            loop {
                let (last, rest) = left.split_last()?;
                *left = rest;
                if Some(*last) != own {
                    return Some(*last);
                }
            }
        })
    }

    fn positions(&self, name: &[u8]) -> &[usize] {
        self.by_name.get(&name.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    fn raw(&self, field: &Field<'_>) -> &'a [u8] {
        &self.octets[field.start..field.end]
    }

    fn canonicalize(&self, field: &Field<'_>, form: Canonicalization, canonical: &mut Vec<u8>) {
        match form {
            Canonicalization::Simple => {
                let raw = self.raw(field);
                canonical.extend_from_slice(raw);
                if !raw.ends_with(b"\n") {
                    canonical.extend_from_slice(b"\r\n");
                }
            }
            Canonicalization::Relaxed => {
                relaxed(field.name, field.value, canonical);
                canonical.extend_from_slice(b"\r\n");
            }
        }
    }
}

impl<'a> SignatureField<'a> {
    /// Reads the signature.
    pub fn read(&self) -> Result<Signature, SignatureError> {
        Signature::parse(self)
    }

    pub(crate) fn value(&self) -> &'a [u8] {
        self.field.value
    }

    /// The field as it is hashed last: without a part of its value and without its line end (RFC 6376 §3.7).
    pub(crate) fn canonical_without(&self, part: Range<usize>, form: Canonicalization) -> Vec<u8> {
        let mut value = self.field.value.to_vec();
        value.drain(part);
        match form {
            Canonicalization::Simple => {
                [&self.raw[..self.raw.len() - self.field.value.len()], &value].concat()
            }
            Canonicalization::Relaxed => {
                let mut canonical = Vec::with_capacity(self.raw.len());
                relaxed(self.field.name, &value, &mut canonical);
                canonical
            }
        }
    }
}

/// A field in relaxed form, without its line end: the name in lower case, no white space around the colon and at the
/// end, unfolded, each run of white space a single space.
fn relaxed(name: &[u8], value: &[u8], canonical: &mut Vec<u8>) {
    canonical.extend(name.iter().map(u8::to_ascii_lowercase));
    canonical.push(b':');
    let begin = canonical.len();
    let mut space = false;
    let mut octets = value.iter().peekable();
    while let Some(octet) = octets.next() {
        match octet {
            b' ' | b'\t' => space = true,
            b'\n' => {}
            b'\r' if octets.peek() == Some(&&b'\n') => {}
            octet => {
                if std::mem::take(&mut space) && canonical.len() > begin {
                    canonical.push(b' ');
                }
                canonical.push(*octet);
            }
        }
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests;
