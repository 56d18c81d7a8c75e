//! A message in pieces, read without blocking the runtime.

use std::io;

use bytes::Bytes;

use super::{Body, Content};

/// The pieces of a message, in order.
#[derive(Debug)]
pub struct Chunks {
    /// What is left of the header section, and the body.
    content: Content,
    at: u64,
}

impl Chunks {
    pub(super) fn new(content: Content) -> Self {
        Self { content, at: 0 }
    }

    /// The next piece, never empty; none at the end.
    pub async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if !self.content.header.is_empty() {
            return Ok(Some(std::mem::take(&mut self.content.header).into()));
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
