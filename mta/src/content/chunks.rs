//! A message in pieces, read without blocking the runtime.

use std::io;

use bytes::Bytes;

use super::{Body, Content};

/// The pieces of a message, in order.
#[derive(Debug)]
pub struct Chunks {
    content: Content,
    /// Octets of the header section that were returned already.
    of_header: usize,
    at: u64,
}

impl Chunks {
    pub(super) fn new(content: Content) -> Self {
        Self { content, of_header: 0, at: 0 }
    }

    /// The next piece, never empty; `None` at the end.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        let header = &self.content.header()[self.of_header..];
        if !header.is_empty() {
            let piece = &header[..header.len().min(Body::CHUNK)];
            self.of_header += piece.len();
            return Ok(Some(Bytes::copy_from_slice(piece)));
        }
        let chunk = match &*self.content.body {
            body @ Body::Memory { .. } => body.chunk(self.at)?,
            Body::File { .. } => {
                let (body, at) = (self.content.body.clone(), self.at);
                tokio::task::spawn_blocking(move || body.chunk(at)).await.map_err(io::Error::other)??
            }
        };
        self.at += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }
}
