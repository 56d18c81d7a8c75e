//! The faults of the environment, each with a fix.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::variables::{self, Variable};

/// One fault of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The variable's name, as it was set.
    pub variable: String,
    /// The file that it names, if the fault is in there.
    pub file: Option<PathBuf>,
    /// The fault. A secret never appears here.
    pub wrong: String,
    /// A line that would be accepted, if there is one.
    pub example: Option<String>,
}

impl Fault {
    /// A fault of a known variable.
    pub fn of(variable: &Variable, wrong: impl fmt::Display) -> Self {
        Self {
            variable: variable.name.to_owned(),
            file: None,
            wrong: wrong.to_string(),
            example: Some(format!("{}={}", variable.name, variable.example)),
        }
    }

    /// Replaces the line of the example.
    pub(super) fn with_line(self, line: String) -> Self {
        Self { example: Some(line), ..self }
    }

    /// Replaces the value of the example: the variable's own may be the very value that is wrong here.
    pub(super) fn with_example(self, value: &str) -> Self {
        Self { example: Some(format!("{}={value}", self.variable)), ..self }
    }

    /// An unknown variable.
    pub fn unknown(name: &str, meant: Option<&str>) -> Self {
        let wrong = match meant {
            Some(meant) => format!("is not a setting; did you mean {meant}?"),
            None => "is not a setting; remove it, or see docs/settings.md".to_owned(),
        };
        Self { variable: name.to_owned(), file: None, wrong, example: None }
    }

    /// The position of the variable on the reference page; unknown ones come first.
    pub(super) fn position(&self) -> usize {
        let has_the_name = |variable: &&Variable| {
            variable.name == self.variable || variable.file.is_some_and(|file| file.name == self.variable)
        };
        variables::ALL.iter().position(has_the_name).map_or(0, |position| position + 1)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.variable)?;
        if let Some(file) = &self.file {
            write!(f, " ({file:?})")?;
        }
        write!(f, " {}", self.wrong)?;
        match &self.example {
            Some(example) => write!(f, "\n    for example: {example}"),
            None => Ok(()),
        }
    }
}

/// All faults of the environment, in the order in which the variables are documented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "one setting is wrong:")?,
            several => write!(f, "{several} settings are wrong:")?,
        }
        let mut of_each: BTreeMap<&str, usize> = BTreeMap::new();
        for fault in &self.0 {
            let count = of_each.entry(&fault.variable).or_default();
            *count += 1;
            if *count <= MOST_OF_ONE {
                write!(f, "\n  {fault}")?;
            }
        }
        for (variable, count) in of_each.into_iter().filter(|(_, count)| *count > MOST_OF_ONE) {
            write!(f, "\n  {variable}: {} more of this kind", count - MOST_OF_ONE)?;
        }
        Ok(())
    }
}

/// The most faults of one variable that are shown. A file of a hundred thousand entries for the wrong domain has as
/// many.
const MOST_OF_ONE: usize = 20;

impl std::error::Error for Faults {}
