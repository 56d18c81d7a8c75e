//! Transcripts: dialogues in plain text, for tests. `tests/transcripts/README.md` describes their syntax; this crate
//! parses them ([`Script`]) and compares lines ([`Pattern`], [`Expectations`]). The caller that runs them has the
//! connections.

mod expectations;
mod pattern;
mod script;

pub use expectations::Expectations;
pub use pattern::{Captures, Pattern};
pub use script::{Requirements, Script, ScriptError, Step};
