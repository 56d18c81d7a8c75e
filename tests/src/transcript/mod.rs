//! Transcripts: dialogues in plain text, played against the running daemons. `tests/transcripts/README.md` says how they
//! are written; this reads them ([`script`]), compares lines ([`pattern`]) and plays them ([`play`]).

mod facts;
mod pattern;
mod play;
mod script;

pub use play::play;
pub use script::{Fault, Needs, Script};
