//! Transcripts, played against the running daemons. The crate `transcript` reads them.

mod facts;
mod play;

pub use play::play;
