//! A problem that the operator can fix.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A problem and its fix. In the log and in print it is one line, the fix after a semicolon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// The problem, in plain words.
    pub problem: Cow<'static, str>,
    /// The fix.
    pub fix: Cow<'static, str>,
}

impl Concern {
    /// A concern.
    pub fn new(problem: impl Into<Cow<'static, str>>, fix: impl Into<Cow<'static, str>>) -> Self {
        Self { problem: problem.into(), fix: fix.into() }
    }

    /// A concern with fixed texts.
    pub const fn constant(problem: &'static str, fix: &'static str) -> Self {
        Self { problem: Cow::Borrowed(problem), fix: Cow::Borrowed(fix) }
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.fix)
    }
}
