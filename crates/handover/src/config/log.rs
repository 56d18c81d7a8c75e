use serde::{Deserialize, Serialize};

/// The log's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The lowest level that is logged.
    pub level: Level,
    /// The format of a line.
    pub format: Format,
}

/// The levels of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Errors that the operator must act on.
    Error,
    /// Conditions that may become errors.
    Warn,
    /// The result of each message and session.
    #[default]
    Info,
    /// The course of each message and session.
    Debug,
    /// Every step.
    Trace,
}

/// The format of a line of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For a person.
    #[default]
    Text,
    /// For a program: one JSON object a line.
    Json,
}
