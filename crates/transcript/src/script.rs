//! A transcript's lines as steps.

use std::fmt;

use crate::pattern::Pattern;

/// A parsed transcript.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    /// The server that it needs.
    pub requirements: Requirements,
    /// The steps, each with its line number.
    pub steps: Vec<(usize, Step)>,
}

/// The requirements at the top of a file.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// `over tls`.
    pub over_tls: bool,
    /// `needs message-size N`.
    pub message_size: Option<u64>,
    /// `needs quota N`.
    pub quota: Option<u64>,
    /// `only pure`: not run against the daemons.
    pub only_pure: bool,
    /// `only daemons`: not run against the pure session.
    pub only_daemons: bool,
}

/// An error in a file, with its line.
#[derive(Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The line's number, from 1.
    pub line: usize,
    /// The error message.
    pub reason: String,
}

/// An action or an expectation; the number is the connection's.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// One or more neighbouring `C` lines, to be sent in one piece.
    Send(u8, Vec<Pattern>),
    /// `S:`
    Next(u8, Pattern),
    /// `S+`
    Among(u8, Pattern),
    /// `S!`
    Never(u8, Pattern),
    /// `S~`
    Until(u8, Pattern),
    /// `tls`
    Secure(u8),
    /// `closed`
    Closed(u8),
    /// `hang-up`
    HangUp(u8),
    /// `F: delivered`
    Delivered {
        /// The owner of the INBOX.
        user: String,
        /// The number of messages.
        count: usize,
    },
    /// `F: holds` and `F: lacks`
    Holds {
        /// The owner of the newest message.
        user: String,
        /// The text to look for.
        text: Pattern,
        /// True if the text must be there.
        expected: bool,
    },
}

impl fmt::Display for ScriptError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.reason)
    }
}

impl Script {
    /// Parses a file.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let mut script = Self { requirements: Requirements::default(), steps: Vec::new() };
        let mut last_sent = None;
        for (line, text) in (1..).zip(text.lines()) {
            let fault = |reason| ScriptError { line, reason };
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if script.requirements.read(text) {
                if !script.steps.is_empty() {
                    return Err(fault("allowed only at the top of a file".into()));
                }
                continue;
            }
            let step = parse_step(text).map_err(fault)?;
            match (step, script.steps.last_mut()) {
                (Step::Send(connection, mut more), Some((_, Step::Send(same, texts))))
                    if connection == *same && last_sent == Some(line - 1) =>
                {
                    texts.append(&mut more);
                }
                (step, _) => script.steps.push((line, step)),
            }
            if text.starts_with('C') {
                last_sent = Some(line);
            }
        }
        Ok(script)
    }
}

impl Requirements {
    fn read(&mut self, text: &str) -> bool {
        match text {
            "over tls" => self.over_tls = true,
            "only pure" => self.only_pure = true,
            "only daemons" => self.only_daemons = true,
            _ => {
                let Some((need, Ok(number))) = text
                    .strip_prefix("needs ")
                    .and_then(|need| need.split_once(' '))
                    .map(|(need, number)| (need, number.parse()))
                else {
                    return false;
                };
                match need {
                    "message-size" => self.message_size = Some(number),
                    "quota" => self.quota = Some(number),
                    _ => return false,
                }
            }
        }
        true
    }
}

fn parse_step(text: &str) -> Result<Step, String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "tls" => return Ok(Step::Secure(connection(rest)?)),
        "closed" => return Ok(Step::Closed(connection(rest)?)),
        "hang-up" => return Ok(Step::HangUp(connection(rest)?)),
        "F:" => return parse_fact(rest),
        _ => {}
    }
    let letter = word.get(..1).unwrap_or_default();
    let mark = word.chars().last().unwrap_or_default();
    let number = connection(word.get(1..word.len() - mark.len_utf8()).unwrap_or_default())?;
    match (letter, mark) {
        ("C", ':') => Ok(Step::Send(number, vec![Pattern::parse(&format!("{rest}\\r\\n"))?])),
        ("C", '-') => Ok(Step::Send(number, vec![Pattern::parse(rest)?])),
        ("S", ':') => Ok(Step::Next(number, Pattern::parse(rest)?)),
        ("S", '+') => Ok(Step::Among(number, Pattern::parse(rest)?)),
        ("S", '!') => Ok(Step::Never(number, Pattern::parse(rest)?)),
        ("S", '~') => Ok(Step::Until(number, Pattern::parse(rest)?)),
        _ => Err(format!("a line cannot begin with {word:?}")),
    }
}

fn connection(digit: &str) -> Result<u8, String> {
    if digit.is_empty() {
        Ok(1)
    } else {
        digit.parse().map_err(|_| format!("{digit:?} is not the number of a connection"))
    }
}

fn parse_fact(text: &str) -> Result<Step, String> {
    let mut words = text.splitn(3, ' ');
    let (Some(kind), Some(user), Some(rest)) = (words.next(), words.next(), words.next()) else {
        return Err("a fact is a word, a user and a value".into());
    };
    let user = user.to_owned();
    match kind {
        "delivered" => {
            let count = rest.parse().map_err(|_| format!("{rest:?} is not a number of messages"))?;
            Ok(Step::Delivered { user, count })
        }
        "holds" => Ok(Step::Holds { user, text: Pattern::parse(rest)?, expected: true }),
        "lacks" => Ok(Step::Holds { user, text: Pattern::parse(rest)?, expected: false }),
        _ => Err(format!("unknown fact {kind:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Requirements, Script, Step};

    #[test]
    fn neighbouring_lines_of_one_connection_are_sent_together() {
        let script = Script::parse("C: a\nC- b\n\nC: c\nC2: d\nS: e\n").unwrap();
        let sends: Vec<(u8, usize)> = script
            .steps
            .iter()
            .filter_map(|(_, step)| match step {
                Step::Send(connection, texts) => Some((*connection, texts.len())),
                _ => None,
            })
            .collect();
        assert_eq!(sends, [(1, 2), (1, 1), (2, 1)]);
    }

    #[test]
    fn requirements_are_allowed_only_at_the_top() {
        let script = Script::parse("# why\nneeds message-size 1000\nover tls\nC: x\n").unwrap();
        assert_eq!(
            script.requirements,
            Requirements { over_tls: true, message_size: Some(1000), ..Requirements::default() }
        );
        assert!(Script::parse("only daemons\nC: x\n").unwrap().requirements.only_daemons);
        assert_eq!(Script::parse("C: x\nonly pure\n").unwrap_err().line, 2);
    }

    #[test]
    fn a_malformed_line_is_reported_with_its_number() {
        for bad in ["X: x", "C x", "S? x", "F: eaten bob@example.org 1", "C: \\q"] {
            assert_eq!(Script::parse(&format!("# one\n{bad}\n")).unwrap_err().line, 2, "{bad}");
        }
    }
}
