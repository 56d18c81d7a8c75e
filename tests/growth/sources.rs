//! The public functions of the crates, as declared in their sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The crates whose functions are measured.
pub(crate) const CRATES: [&str; 3] = ["message", "imap-proto", "smtp-proto"];

/// The types that the macro in `imap-proto/src/number.rs` declares.
const NUMBERS: [&str; 3] = ["SequenceNumber", "Uid", "UidValidity"];

/// Every `pub fn`: `message Outline::part` for one of a type, `message::field::find` for one without.
pub(crate) fn public_functions() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for krate in CRATES {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(krate).join("src");
        for file in files(&sources) {
            let module = file.strip_prefix(&sources).unwrap().with_extension("");
            let module: Vec<_> = module.iter().map(|part| part.to_str().unwrap()).collect();
            let module = module.iter().filter(|part| !matches!(**part, "mod" | "lib"));
            let path: Vec<_> = std::iter::once(krate.replace('-', "_"))
                .chain(module.map(|part| part.replace("r#", "")))
                .collect();
            read(&std::fs::read_to_string(&file).unwrap(), &path, &mut found);
        }
    }
    assert!(found.len() > 150, "the sources were not found: {found:?}");
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
    files
}

/// Reads the functions of one file. Sources are formatted, so the column of a word shows its role.
fn read(source: &str, path: &[String], found: &mut BTreeSet<String>) {
    let mut owner = None;
    for line in source.lines().take_while(|line| *line != "#[cfg(test)]") {
        let text = line.trim_start();
        if text.starts_with("impl") {
            owner = implemented(text);
        } else if line.starts_with('}') || text == "}" && line.len() <= 1 {
            owner = None;
        }
        let Some(declared) = text.strip_prefix("pub fn ").or_else(|| text.strip_prefix("pub const fn "))
        else {
            continue;
        };
        let name = declared.split(['(', '<']).next().unwrap_or(declared);
        match &owner {
            None => drop(found.insert(format!("{}::{name}", path.join("::")))),
            Some(owner) if owner == "$name" => {
                found.extend(NUMBERS.map(|number| format!("{} {number}::{name}", path[0])));
            }
            Some(owner) => drop(found.insert(format!("{} {owner}::{name}", path[0]))),
        }
    }
}

/// The type of an inherent implementation, without lifetimes.
fn implemented(line: &str) -> Option<String> {
    let rest = line.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { &rest[rest.find('>')? + 1..] } else { rest };
    let owner = rest.trim().strip_suffix('{')?.trim();
    if owner.contains(" for ") {
        return None;
    }
    let Some((name, arguments)) = owner.strip_suffix('>').and_then(|owner| owner.split_once('<')) else {
        return Some(owner.to_owned());
    };
    let types: Vec<_> = arguments.split(',').map(str::trim).filter(|one| !one.starts_with('\'')).collect();
    Some(if types.is_empty() { name.to_owned() } else { format!("{name}<{}>", types.join(",")) })
}
