//! Patterns that lines are compared with: octets, gaps, and captured values.

use std::collections::HashMap;

/// The values captured from earlier lines.
pub type Captures = HashMap<String, Vec<u8>>;

/// A parsed text of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Exactly these octets.
    Octets(Vec<u8>),
    /// `$*`: any octets, or none.
    Anything,
    /// `$#`: digits, at least one.
    Digits,
    /// `$(name)`: the captured value, or at least one octet other than a space, to be captured.
    Value(String),
}

impl Pattern {
    /// Parses a text; the error is a message for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut octets = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            match character {
                '\\' => octets.push(escaped(&mut rest)?),
                '$' => {
                    let piece = match rest.next() {
                        Some('$') => {
                            octets.push(b'$');
                            continue;
                        }
                        Some('*') => Piece::Anything,
                        Some('#') => Piece::Digits,
                        Some('(') => {
                            let name: String = rest.by_ref().take_while(|c| *c != ')').collect();
                            Piece::Value(name)
                        }
                        other => return Err(format!("`$` before {other:?}")),
                    };
                    if !octets.is_empty() {
                        pieces.push(Piece::Octets(std::mem::take(&mut octets)));
                    }
                    pieces.push(piece);
                }
                plain => octets.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !octets.is_empty() {
            pieces.push(Piece::Octets(octets));
        }
        Ok(Self { pieces })
    }

    /// The octets that the pattern stands for, if all of its values are known.
    pub fn octets(&self, captures: &Captures) -> Result<Vec<u8>, String> {
        let mut whole = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Octets(octets) => whole.extend_from_slice(octets),
                Piece::Value(name) => {
                    whole.extend_from_slice(
                        captures.get(name).ok_or(format!("no value was captured as {name}"))?,
                    );
                }
                Piece::Anything | Piece::Digits => return Err("a gap in a text to be sent".into()),
            }
        }
        Ok(whole)
    }

    /// True if a line matches; then new values are captured.
    pub fn matches(&self, line: &[u8], captures: &mut Captures) -> bool {
        let mut found = Vec::new();
        if !matches(&self.pieces, line, captures, &mut found) {
            return false;
        }
        captures.extend(found);
        true
    }
}

/// The octet after a backslash.
fn escaped(rest: &mut std::str::Chars<'_>) -> Result<u8, String> {
    match rest.next() {
        Some('r') => Ok(b'\r'),
        Some('n') => Ok(b'\n'),
        Some('t') => Ok(b'\t'),
        Some('0') => Ok(0),
        Some('\\') => Ok(b'\\'),
        Some('x') => {
            let digits: String = rest.take(2).collect();
            u8::from_str_radix(&digits, 16).map_err(|_| format!("`\\x{digits}` is not an octet"))
        }
        other => Err(format!("a backslash before {other:?}")),
    }
}

/// Tries every length of each gap, the shortest first; a value named twice in one line must be the same.
fn matches(pieces: &[Piece], line: &[u8], captures: &Captures, found: &mut Vec<(String, Vec<u8>)>) -> bool {
    let Some((piece, after)) = pieces.split_first() else {
        return line.is_empty();
    };
    match piece {
        Piece::Octets(octets) => {
            line.strip_prefix(octets.as_slice()).is_some_and(|rest| matches(after, rest, captures, found))
        }
        Piece::Anything => (0..=line.len()).any(|length| matches(after, &line[length..], captures, found)),
        Piece::Digits => {
            let most = line.iter().take_while(|octet| octet.is_ascii_digit()).count();
            (1..=most).rev().any(|length| matches(after, &line[length..], captures, found))
        }
        Piece::Value(name) => {
            let known = found.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone());
            if let Some(value) = known.or_else(|| captures.get(name).cloned()) {
                return line
                    .strip_prefix(value.as_slice())
                    .is_some_and(|rest| matches(after, rest, captures, found));
            }
            let most = line.iter().take_while(|octet| **octet != b' ').count();
            (1..=most).rev().any(|length| {
                found.push((name.clone(), line[..length].to_vec()));
                let fits = matches(after, &line[length..], captures, found);
                if !fits {
                    found.pop();
                }
                fits
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Captures, Pattern};

    fn matches(pattern: &str, line: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(line.as_bytes(), &mut Captures::new())
    }

    #[test]
    fn plain_text_matches_itself_case_sensitively() {
        assert!(matches("250 OK", "250 OK"));
        assert!(!matches("250 OK", "250 ok"));
        assert!(!matches("250 OK", "250 OK."));
        assert!(matches(r"a\x00\tb$$", "a\0\tb$"));
    }

    #[test]
    fn gaps_match_any_fitting_text() {
        assert!(matches("* $# EXISTS", "* 12 EXISTS"));
        assert!(!matches("* $# EXISTS", "*  EXISTS"));
        assert!(matches("250$*", "250"));
        assert!(matches("$*[UIDVALIDITY $#]$*", "* OK [UIDVALIDITY 7] fine"));
    }

    #[test]
    fn a_value_is_captured_and_then_expected() {
        let mut captures = Captures::new();
        assert!(
            Pattern::parse("[APPENDUID $(validity) $(uid)]")
                .unwrap()
                .matches(b"[APPENDUID 7 12]", &mut captures)
        );
        assert_eq!(captures["uid"], b"12");
        assert!(Pattern::parse("UID $(uid)").unwrap().matches(b"UID 12", &mut captures));
        assert!(!Pattern::parse("UID $(uid)").unwrap().matches(b"UID 13", &mut captures));
        assert_eq!(Pattern::parse("FETCH $(uid)").unwrap().octets(&captures).unwrap(), b"FETCH 12");
    }

    #[test]
    fn a_captured_value_has_no_space() {
        assert!(!matches("a $(word) b", "a x y b"));
    }
}
