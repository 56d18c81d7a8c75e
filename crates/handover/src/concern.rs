//! Something that is wrong and that a person can put right.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What is wrong, and what to do about it. In the log and in print it is one line, the fix behind a semicolon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// What is wrong, in plain words.
    pub problem: Cow<'static, str>,
    /// What to do about it.
    pub fix: Cow<'static, str>,
}

impl Concern {
    /// A concern.
    pub fn new(problem: impl Into<Cow<'static, str>>, fix: impl Into<Cow<'static, str>>) -> Self {
        Self { problem: problem.into(), fix: fix.into() }
    }

    /// One that is always told in the same words.
    pub const fn constant(problem: &'static str, fix: &'static str) -> Self {
        Self { problem: Cow::Borrowed(problem), fix: Cow::Borrowed(fix) }
    }
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.fix)
    }
}
