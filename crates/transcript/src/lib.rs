//! Transcripts: dialogues in plain text, for tests. `tests/transcripts/README.md` says how they are written; this reads
//! them ([`Script`]) and compares lines ([`Pattern`], [`Watch`]). Whoever plays them has the connections.

mod pattern;
mod script;
mod watch;

pub use pattern::{Memory, Pattern};
pub use script::{Fault, Needs, Script, Step};
pub use watch::Watch;
