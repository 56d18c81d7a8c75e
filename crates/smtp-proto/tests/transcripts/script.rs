//! Reading a transcript.

use super::pattern::Pattern;

#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) over_tls: bool,
    pub(super) message_size: Option<u64>,
    /// Each with its line's number.
    pub(super) steps: Vec<(usize, Step)>,
}

/// A line; the number is the connection's.
#[derive(Debug)]
pub(super) enum Step {
    /// Sent with CRLF, or without.
    Send(u8, Pattern, bool),
    Next(u8, Pattern),
    Among(u8, Pattern),
    Never(u8, Pattern),
    Until(u8, Pattern),
    Tls(u8),
    Closed(u8),
    HangUp(u8),
    Delivered(String, usize),
    Holds(String, Pattern),
    Lacks(String, Pattern),
}

pub(super) fn parse(text: &str) -> Result<Script, String> {
    let mut script = Script::default();
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.starts_with('#') || line == "only pure" {
            continue;
        }
        match line {
            "over tls" => script.over_tls = true,
            _ => match line.strip_prefix("needs message-size ") {
                Some(size) => {
                    script.message_size = Some(size.parse().map_err(|_| format!("{number}: no size"))?)
                }
                None => {
                    script.steps.push((number, step(line).map_err(|fault| format!("{number}: {fault}"))?))
                }
            },
        }
    }
    Ok(script)
}

fn step(line: &str) -> Result<Step, String> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let connection = |text: &str| match text {
        "" => Ok(1),
        text => text.parse().map_err(|_| format!("{text:?} is no connection")),
    };
    match word {
        "tls" => return connection(rest).map(Step::Tls),
        "closed" => return connection(rest).map(Step::Closed),
        "hang-up" => return connection(rest).map(Step::HangUp),
        "F:" => return fact(rest),
        _ => {}
    }
    let (side, sign) = word.split_at(word.len().saturating_sub(1));
    let number = connection(side.get(1..).unwrap_or_default())?;
    let pattern = Pattern::parse(rest)?;
    match (side.chars().next(), sign) {
        (Some('C'), ":") => Ok(Step::Send(number, pattern, true)),
        (Some('C'), "-") => Ok(Step::Send(number, pattern, false)),
        (Some('S'), ":") => Ok(Step::Next(number, pattern)),
        (Some('S'), "+") => Ok(Step::Among(number, pattern)),
        (Some('S'), "!") => Ok(Step::Never(number, pattern)),
        (Some('S'), "~") => Ok(Step::Until(number, pattern)),
        _ => Err(format!("{word:?} begins no line")),
    }
}

fn fact(text: &str) -> Result<Step, String> {
    let mut words = text.splitn(3, ' ');
    let (Some(verb), Some(user), Some(rest)) = (words.next(), words.next(), words.next()) else {
        return Err("half a fact".to_owned());
    };
    match verb {
        "delivered" => {
            Ok(Step::Delivered(user.to_owned(), rest.parse().map_err(|_| format!("{rest:?} is no number"))?))
        }
        "holds" => Ok(Step::Holds(user.to_owned(), Pattern::parse(rest)?)),
        "lacks" => Ok(Step::Lacks(user.to_owned(), Pattern::parse(rest)?)),
        _ => Err(format!("{verb:?} is no fact")),
    }
}
