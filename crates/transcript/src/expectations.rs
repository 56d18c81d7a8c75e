//! Patterns that the lines up to the next `S~` are searched for.

use crate::pattern::{Captures, Pattern};

/// The `S+` and `S!` of one connection that are not yet ended by an `S~`.
#[derive(Debug, Default)]
pub struct Expectations {
    among: Vec<Pattern>,
    never: Vec<Pattern>,
}

impl Expectations {
    /// `S+`: one of the lines must match.
    pub fn expect(&mut self, pattern: &Pattern) {
        self.among.push(pattern.clone());
    }

    /// `S!`: no line may match.
    pub fn forbid(&mut self, pattern: &Pattern) {
        self.never.push(pattern.clone());
    }

    /// Checks the patterns at an `S~`, over all lines that were read for it.
    pub fn check(self, lines: &[Vec<u8>], captures: &mut Captures) -> Result<(), String> {
        for pattern in &self.among {
            if !lines.iter().any(|line| pattern.matches(line, captures)) {
                return Err(format!("no line matches {pattern:?} in{}", listed(lines)));
            }
        }
        for pattern in &self.never {
            if let Some(line) = lines.iter().find(|line| pattern.matches(line, &mut captures.clone())) {
                return Err(format!("unexpected line {}, which matches {pattern:?}", line.escape_ascii()));
            }
        }
        Ok(())
    }
}

fn listed(lines: &[Vec<u8>]) -> String {
    lines.iter().map(|line| format!("\n  \"{}\"", line.escape_ascii())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(among: &str, never: &str, lines: &[&str]) -> Result<(), String> {
        let mut watch = Expectations::default();
        watch.expect(&Pattern::parse(among).unwrap());
        watch.forbid(&Pattern::parse(never).unwrap());
        let lines: Vec<Vec<u8>> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        watch.check(&lines, &mut Captures::new())
    }

    #[test]
    fn one_line_must_match_and_none_may_match() {
        assert!(ended("* $# EXISTS", "* BYE$*", &["* 3 EXISTS", "a OK"]).is_ok());
        assert!(ended("* $# EXISTS", "* BYE$*", &["a OK"]).is_err());
        assert!(ended("* $# EXISTS", "* BYE$*", &["* 3 EXISTS", "* BYE"]).is_err());
    }
}
