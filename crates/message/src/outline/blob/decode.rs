//! Decoding of the blob. It is stored on disk, so it is not trusted: lengths are checked against the remaining
//! octets, depth and counts against the indexer's own limits.

use super::{BlobError, VERSION};
use crate::{
    AddressList, Envelope, Mailbox, Outline, Part, Span,
    address_list::AddressEntry,
    mime::{ContentDisposition, ContentType, Parameter, Parameters},
    outline::{Content, MAX_DEPTH},
};

pub(super) struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(blob: &'a [u8]) -> Result<Self, BlobError> {
        match blob.split_first() {
            Some((&VERSION, rest)) => Ok(Self { rest, depth: 0 }),
            Some((other, _)) => Err(BlobError::Version(*other)),
            None => Err(BlobError::Damaged),
        }
    }

    pub(super) fn end(&self) -> Result<(), BlobError> {
        if self.rest.is_empty() { Ok(()) } else { Err(BlobError::Damaged) }
    }

    /// Reads a message whose parent's offsets, if there is one, begin at zero.
    pub(super) fn outline(&mut self) -> Result<Outline, BlobError> {
        self.message(0)
    }

    fn message(&mut self, start: u64) -> Result<Outline, BlobError> {
        Ok(Outline { envelope: self.envelope()?, root: self.part(start)? })
    }

    pub(super) fn envelope(&mut self) -> Result<Envelope, BlobError> {
        Ok(Envelope {
            date: self.optional()?,
            subject: self.optional()?,
            from: self.address_list()?,
            sender: self.address_list()?,
            reply_to: self.address_list()?,
            to: self.address_list()?,
            cc: self.address_list()?,
            bcc: self.address_list()?,
            in_reply_to: self.optional()?,
            message_id: self.optional()?,
            has_repeated_field: match self.octet()? {
                0 => false,
                1 => true,
                _ => return Err(BlobError::Damaged),
            },
        })
    }

    fn address_list(&mut self) -> Result<AddressList, BlobError> {
        let count = self.number()?;
        let entries = self.items(count / 2, |reader| match reader.octet()? {
            0 => Ok(AddressEntry::Mailbox(reader.mailbox()?)),
            1 => Ok(AddressEntry::Group { name: reader.octets()?, members: reader.list(Self::mailbox)? }),
            _ => Err(BlobError::Damaged),
        })?;
        Ok(AddressList::of(entries, count % 2 == 1))
    }

    fn mailbox(&mut self) -> Result<Mailbox, BlobError> {
        Ok(Mailbox {
            name: self.optional()?,
            route: self.optional()?,
            local: self.octets()?,
            domain: self.octets()?,
        })
    }

    fn part(&mut self, base: u64) -> Result<Part, BlobError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH + 1 {
            return Err(BlobError::Damaged);
        }
        let header = self.span(base)?;
        let body = self.span(header.end)?;
        let lines = self.number()?;
        let content_type =
            ContentType { kind: self.octets()?, subtype: self.octets()?, parameters: self.parameters()? };
        let disposition = match self.octet()? {
            0 => None,
            1 => Some(ContentDisposition { kind: self.octets()?, parameters: self.parameters()? }),
            _ => return Err(BlobError::Damaged),
        };
        let id = self.optional()?;
        let description = self.optional()?;
        let encoding = self.optional()?;
        let md5 = self.optional()?;
        let location = self.optional()?;
        let language = self.list(Self::octets)?;
        let content = match self.octet()? {
            0 => Content::Single,
            1 => Content::Multipart(self.list(|reader| reader.part(body.start))?),
            2 => Content::Message(Box::new(self.message(body.start)?)),
            _ => return Err(BlobError::Damaged),
        };
        self.depth -= 1;
        Ok(Part {
            header,
            body,
            lines,
            content_type,
            disposition,
            id,
            description,
            encoding,
            md5,
            language,
            location,
            content,
        })
    }

    fn span(&mut self, base: u64) -> Result<Span, BlobError> {
        let start = base.checked_add(self.number()?).ok_or(BlobError::Damaged)?;
        let stored = self.number()?;
        let end = start.checked_add(stored).ok_or(BlobError::Damaged)?;
        let octets = stored.checked_add(self.number()?).ok_or(BlobError::Damaged)?;
        Ok(Span { start, end, octets })
    }

    fn parameters(&mut self) -> Result<Parameters, BlobError> {
        let parameters =
            self.list(|reader| Ok(Parameter { name: reader.octets()?, value: reader.octets()? }))?;
        Ok(Parameters(parameters))
    }

    /// Reads a count and that many items.
    fn list<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T, BlobError>) -> Result<Vec<T>, BlobError> {
        let count = self.number()?;
        self.items(count, item)
    }

    /// Reads items. Each takes at least one octet, so a count cannot exceed the remaining octets, and memory grows
    /// only with what was read.
    fn items<T>(
        &mut self,
        count: u64,
        mut item: impl FnMut(&mut Self) -> Result<T, BlobError>,
    ) -> Result<Vec<T>, BlobError> {
        if count > self.rest.len() as u64 {
            return Err(BlobError::Damaged);
        }
        (0..count).map(|_| item(self)).collect()
    }

    fn octets(&mut self) -> Result<Vec<u8>, BlobError> {
        let length = self.number()?;
        self.take(length)
    }

    fn optional(&mut self) -> Result<Option<Vec<u8>>, BlobError> {
        match self.number()? {
            0 => Ok(None),
            more => self.take(more - 1).map(Some),
        }
    }

    fn take(&mut self, length: u64) -> Result<Vec<u8>, BlobError> {
        let length = usize::try_from(length).map_err(|_| BlobError::Damaged)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(BlobError::Damaged)?;
        self.rest = rest;
        Ok(taken.to_vec())
    }

    fn octet(&mut self) -> Result<u8, BlobError> {
        let (octet, rest) = self.rest.split_first().ok_or(BlobError::Damaged)?;
        self.rest = rest;
        Ok(*octet)
    }

    fn number(&mut self) -> Result<u64, BlobError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            let bits = u64::from(octet & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if octet & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(BlobError::Damaged)
    }
}
