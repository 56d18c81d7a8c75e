//! The profiles that Callgrind writes.

use std::collections::BTreeSet;
use std::path::Path;

/// The work between two calls.
pub(crate) struct Measured {
    /// The number of executed instructions.
    pub(crate) instructions: u64,
    /// The functions of our crates that were called, named as [`crate::sources`] names them.
    pub(crate) functions: BTreeSet<String>,
}

/// Reads one profile.
pub(crate) fn read(path: &Path) -> Measured {
    let profile = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut measured = Measured { instructions: 0, functions: BTreeSet::new() };
    for line in profile.lines() {
        if let Some(total) = line.strip_prefix("totals: ") {
            measured.instructions = total.trim().parse().unwrap();
        } else if let Some(name) = line.strip_prefix("fn=") {
            measured.functions.extend(function(name));
        }
    }
    assert!(measured.instructions > 0, "{} counts nothing", path.display());
    measured
}

/// Shortens `message::section::<impl message::outline::Outline>::part` to `message Outline::part`; a function outside
/// of types keeps its whole path.
fn function(name: &str) -> Option<String> {
    let name = name.split('\'').next().unwrap_or(name);
    let krate = crate::sources::CRATES.iter().map(|krate| krate.replace('-', "_"));
    let krate = krate.into_iter().find(|krate| name.starts_with(&format!("{krate}::")))?;
    let (path, function) = name.rsplit_once("::")?;
    let owner = match path.split_once("<impl ") {
        Some((_, owner)) => owner.strip_suffix('>')?,
        None => path,
    };
    let owner = without_modules(owner);
    Some(if owner.is_empty() { name.to_owned() } else { format!("{krate} {owner}::{function}") })
}

/// A type's name without its modules, also between angle brackets.
fn without_modules(path: &str) -> String {
    let mut short = String::new();
    let mut word = String::new();
    for letter in path.chars() {
        if letter.is_alphanumeric() || letter == '_' || letter == ':' {
            word.push(letter);
        } else {
            push_type(&mut short, &word);
            word.clear();
            short.push(letter);
        }
    }
    push_type(&mut short, &word);
    short
}

/// Appends the name if it is a type's: only types begin with a capital letter.
fn push_type(short: &mut String, path: &str) {
    let last = path.rsplit("::").next().unwrap_or(path);
    if last.starts_with(char::is_uppercase) {
        short.push_str(last);
    }
}
