//! Transcripts, played against the running daemons. The crate `transcript` parses them.

mod facts;
mod play;

pub use play::play;
