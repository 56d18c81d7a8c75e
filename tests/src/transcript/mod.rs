//! Transcripts, run against the daemons. The crate `transcript` parses them.

mod facts;
mod runner;

pub use runner::run;
