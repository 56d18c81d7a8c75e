//! Paths of source files in documents.

use std::fs;
use std::path::Path;

use crate::steps::repository_root;

/// The documents that name source files.
const DOCUMENTS: [&str; 4] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "docs"];

/// The folders in which a path from the root begins.
const FOLDERS: [&str; 7] = ["supervisor/", "mta/", "mda/", "crates/", "tests/", "xtask/", "image/"];

/// Fails when a document names a source file or folder that does not exist.
pub(crate) fn check_documents() -> Result<(), String> {
    eprintln!("xtask: the paths in documents exist");
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        check(&repository_root().join(document), &mut missing)?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("these paths do not exist; name the files by their present paths:\n{}", missing.join("\n")))
}

fn check(path: &Path, missing: &mut Vec<String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    if path.is_dir() {
        for entry in fs::read_dir(path).map_err(failed)? {
            check(&entry.map_err(failed)?.path(), missing)?;
        }
        return Ok(());
    }
    if path.extension().is_none_or(|extension| extension != "md") {
        return Ok(());
    }
    let text = fs::read_to_string(path).map_err(failed)?;
    let absent = missing_in(&text, &|named| repository_root().join(named).exists());
    missing.extend(absent.into_iter().map(|named| format!("{}: {named}", path.display())));
    Ok(())
}

/// The paths between backticks that do not exist. A path without one of [`FOLDERS`] continues the line's last path: it
/// is below the same folder, or below a folder above.
fn missing_in(text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut missing = Vec::new();
    for line in text.lines() {
        let mut last: Option<&str> = None;
        for named in line.split('`').skip(1).step_by(2) {
            let is_plain = named.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
            let begins_at_root = FOLDERS.iter().any(|folder| named.starts_with(folder));
            if !is_plain || !(named.ends_with(".rs") || begins_at_root) {
                continue;
            }
            if begins_at_root {
                last = Some(named);
                if !exists(named) {
                    missing.push(named.to_owned());
                }
            } else if let Some(last) = last {
                let above = last.match_indices('/').map(|(end, _)| &last[..=end]);
                if !above.clone().any(|folder| exists(&format!("{folder}{named}"))) {
                    missing.push(format!("{named} beside {last}"));
                }
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_path_is_found_alone_and_beside_another() {
        let exists = |path: &str| ["mta/src/a.rs", "mta/src/b/c.rs", "mta/src/b/"].contains(&path);
        let missing = |text: &str| missing_in(text, &exists);
        assert!(missing("`mta/src/a.rs`, `b/c.rs`, `mta/src/b/` and `x.toml`").is_empty());
        assert!(missing("`mta/src/b/c.rs`, `a.rs`").is_empty());
        assert_eq!(missing("`mta/src/d.rs`"), ["mta/src/d.rs"]);
        assert_eq!(missing("`mta/src/a.rs`, `c.rs`"), ["c.rs beside mta/src/a.rs"]);
        assert!(missing("a file `main.rs` without a folder, and `mta/src/*.rs`").is_empty());
    }
}
