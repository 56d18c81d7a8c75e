//! The message of every event is a constant, in all crates; all other text is in fields, which are escaped.

use std::fs;
use std::path::{Path, PathBuf};

/// Reports of several lines about the operator's own settings, which the operator reads in a terminal. None of their
/// text comes over the network.
const REPORTS: [&str; 4] = [
    "mailstead {role}: {error}",
    "mailstead cannot start: {error}",
    "mailstead cannot start: {wrong}",
    "reload refused, the old settings stay in force: {reason}",
];

const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "event"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the tree") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "target" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The string literals among a macro's own arguments, and its text; `code` begins after the opening parenthesis.
fn arguments(code: &str) -> (Vec<String>, &str) {
    let (mut literals, mut depth, mut literal) = (Vec::new(), 1, None::<String>);
    let mut characters = code.char_indices();
    while let Some((at, character)) = characters.next() {
        match (&mut literal, character) {
            (Some(text), '\\') => text.extend(characters.next().map(|(_, escaped)| escaped)),
            (Some(text), '"') => {
                if depth == 1 {
                    literals.push(std::mem::take(text));
                }
                literal = None;
            }
            (Some(text), _) => text.push(character),
            (None, '"') => literal = Some(String::new()),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, _) => {}
        }
        if depth == 0 {
            return (literals, &code[..at]);
        }
    }
    panic!("a macro without an end: {code}");
}

/// The events in a source file that break the rule, and the number of all events.
fn faults(code: &str) -> (Vec<String>, usize) {
    let (mut faults, mut events) = (Vec::new(), 0);
    for level in LEVELS {
        for (at, name) in code.match_indices(&format!("tracing::{level}!(")) {
            let (literals, text) = arguments(&code[at + name.len()..]);
            events += 1;
            let is_constant = |literal: &String| !literal.contains('{') || REPORTS.contains(&&**literal);
            let has_message = literals
                .last()
                .is_some_and(|last| text.trim_end_matches([',', ' ', '\n']).ends_with(&format!("{last}\"")));
            if !literals.iter().all(is_constant) || !has_message || text.contains("message =") {
                faults.push(text.to_owned());
            }
        }
        if code.contains(&format!("use tracing::{level}")) {
            faults.push(format!("{level}! without its path is not checked"));
        }
    }
    (faults, events)
}

#[test]
fn messages_are_constants() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in ["mta/src", "mda/src", "supervisor/src", "crates"] {
        sources(&root.join(folder), &mut files);
    }
    let mut events = 0;
    for file in files.iter().filter(|file| !file.ends_with("serve/tests/messages.rs")) {
        let (faults, some) = faults(&fs::read_to_string(file).expect("a source file"));
        assert!(faults.is_empty(), "{}: {faults:#?}", file.display());
        events += some;
    }
    assert!(events > 100, "{events} events");
}

#[test]
fn a_formatted_message_is_found() {
    for code in [
        "tracing::warn!(\"{concern}\");",
        "tracing::info!(%id, peer = %x.y(1), \"refused {}\", reply);",
        "tracing::info!(id);",
        "tracing::info!(message = %reply, \"x\");",
        "use tracing::warn;",
    ] {
        assert_eq!(faults(code).0.len(), 1, "{code}");
    }
    let code =
        "tracing::info!(names = names.join(\", \"), text = format!(\"{x}\"), ?fault, \"a constant\",);";
    assert_eq!(faults(code), (vec![], 1));
}
