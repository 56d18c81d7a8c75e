//! The faults of the environment, each with a fix.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use super::variables::{self, Variable};

/// One fault of one variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFault {
    /// The variable's name, as it was set.
    pub variable: String,
    /// The file that it names, if the fault is in there.
    pub file: Option<PathBuf>,
    /// The fault. A secret never appears here.
    pub wrong: String,
    /// A line that would be accepted, if there is one.
    pub example: Option<String>,
}

impl SettingFault {
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

    /// A variable that has another name now.
    pub(super) fn renamed(name: &str, present: &'static Variable) -> Self {
        let wrong = format!("is called {} now; rename it", present.name);
        Self { variable: name.to_owned(), ..Self::of(present, wrong) }
    }

    /// The position of the variable on the reference page; unknown ones come first.
    pub(super) fn position(&self) -> usize {
        let has_the_name = |variable: &&Variable| {
            variable.name == self.variable || variable.file.is_some_and(|file| file.name == self.variable)
        };
        variables::ALL.iter().position(has_the_name).map_or(0, |position| position + 1)
    }
}

impl SettingFault {
    /// The fault without its example, of at most [`MAX_STATEMENT`] characters: an entry may be megabytes long.
    fn statement(&self) -> String {
        let file = self.file.as_ref().map(|file| format!(" ({file:?})")).unwrap_or_default();
        let statement = format!("{}{file} {}", self.variable, self.wrong);
        match statement.char_indices().nth(MAX_STATEMENT) {
            Some((end, _)) => format!("{}…", &statement[..end]),
            None => statement,
        }
    }
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.statement())?;
        match &self.example {
            Some(example) => write!(f, "\n    for example: {example}"),
            None => Ok(()),
        }
    }
}

/// All faults of the environment, in the order in which the variables are documented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFaults(pub Vec<SettingFault>);

impl fmt::Display for SettingFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: BTreeSet<&str> = self.0.iter().map(|fault| fault.variable.as_str()).collect();
        match variables.len() {
            1 => write!(f, "one setting is wrong:")?,
            several => write!(f, "{several} settings are wrong:")?,
        }
        let mut of_each: BTreeMap<&str, usize> = BTreeMap::new();
        let mut examples = BTreeSet::new();
        for fault in &self.0 {
            let count = of_each.entry(&fault.variable).or_default();
            *count += 1;
            if *count <= MAX_PER_VARIABLE {
                write!(f, "\n  {}", fault.statement())?;
                // One example is enough for many faults of one kind.
                if let Some(example) = fault.example.as_ref().filter(|example| examples.insert(*example)) {
                    write!(f, "\n    for example: {example}")?;
                }
            }
        }
        for (variable, count) in of_each.into_iter().filter(|(_, count)| *count > MAX_PER_VARIABLE) {
            write!(f, "\n  {variable}: {} more of this kind", count - MAX_PER_VARIABLE)?;
        }
        Ok(())
    }
}

/// The most characters of one fault that are shown.
const MAX_STATEMENT: usize = 1000;

/// The most faults of one variable that are shown. A file of a hundred thousand entries for the wrong domain has as
/// many.
const MAX_PER_VARIABLE: usize = 20;

impl std::error::Error for SettingFaults {}
