//! Texts with escapes, wildcards and remembered values.

use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Octet(u8),
    /// `$*`
    Any,
    /// `$#`
    Digits,
    /// `$(name)`
    Value(String),
}

pub(super) type Memory = HashMap<String, Vec<u8>>;

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, after @ ..] = rest {
            let (piece, used) = match (first, after) {
                (b'$', [b'$', ..]) => (Piece::Octet(b'$'), 2),
                (b'$', [b'*', ..]) => (Piece::Any, 2),
                (b'$', [b'#', ..]) => (Piece::Digits, 2),
                (b'$', [b'(', name @ ..]) => {
                    let end = name.iter().position(|octet| *octet == b')').ok_or("an open $(")?;
                    (Piece::Value(String::from_utf8_lossy(&name[..end]).into_owned()), end + 3)
                }
                (b'\\', [b'x', high, low, ..]) => {
                    let digits = [*high, *low];
                    let digits = std::str::from_utf8(&digits).map_err(|_| "a bad \\x")?;
                    (Piece::Octet(u8::from_str_radix(digits, 16).map_err(|_| "a bad \\x")?), 4)
                }
                (b'\\', [escaped, ..]) => {
                    let octet = match escaped {
                        b'r' => b'\r',
                        b'n' => b'\n',
                        b't' => b'\t',
                        b'0' => 0,
                        b'\\' => b'\\',
                        _ => return Err(format!("\\{} is no escape", *escaped as char)),
                    };
                    (Piece::Octet(octet), 2)
                }
                (b'$' | b'\\', _) => return Err("a lone $ or \\".to_owned()),
                (octet, _) => (Piece::Octet(*octet), 1),
            };
            pieces.push(piece);
            rest = &rest[used..];
        }
        Ok(Self(pieces))
    }

    /// The octets to be sent.
    pub(super) fn octets(&self, memory: &Memory) -> Result<Vec<u8>, String> {
        let mut octets = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Octet(octet) => octets.push(*octet),
                Piece::Value(name) => {
                    octets.extend(memory.get(name).ok_or_else(|| format!("$({name}) is not known"))?);
                }
                Piece::Any | Piece::Digits => return Err("a wildcard in what is sent".to_owned()),
            }
        }
        Ok(octets)
    }

    /// Whether a line matches; new values are remembered then.
    pub(super) fn matches(&self, line: &[u8], memory: &mut Memory) -> bool {
        let mut tried = memory.clone();
        let matched = matches(&self.0, line, &mut tried);
        if matched {
            *memory = tried;
        }
        matched
    }
}

fn matches(pieces: &[Piece], line: &[u8], memory: &mut Memory) -> bool {
    let Some((piece, pieces)) = pieces.split_first() else { return line.is_empty() };
    match piece {
        Piece::Octet(octet) => {
            line.split_first().is_some_and(|(first, line)| first == octet && matches(pieces, line, memory))
        }
        Piece::Any => (0..=line.len()).any(|length| matches(pieces, &line[length..], memory)),
        Piece::Digits => {
            let digits = line.iter().take_while(|octet| octet.is_ascii_digit()).count();
            (1..=digits).rev().any(|length| matches(pieces, &line[length..], memory))
        }
        Piece::Value(name) => match memory.get(name).cloned() {
            Some(value) => line.strip_prefix(&value[..]).is_some_and(|line| matches(pieces, line, memory)),
            None => {
                let word = line.iter().take_while(|octet| **octet != b' ').count();
                (1..=word).rev().any(|length| {
                    memory.insert(name.clone(), line[..length].to_vec());
                    let matched = matches(pieces, &line[length..], memory);
                    if !matched {
                        memory.remove(name);
                    }
                    matched
                })
            }
        },
    }
}
