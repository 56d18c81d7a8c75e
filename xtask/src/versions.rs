//! Checks that the compiler's version is the same in the four places that different tools read.

use std::fs;

use crate::steps::repository_root;

/// Each place: the file, the text before the version, and the number of its parts given there.
const PLACES: [(&str, &str); 4] = [
    ("rust-toolchain.toml", "channel = \""),
    ("Cargo.toml", "rust-version = \""),
    ("image/Dockerfile", "ARG RUST_IMAGE=rust:"),
    ("compose.yaml", "${RUST_IMAGE:-rust:"),
];

/// Fails when two places have different versions, and names both.
pub(crate) fn agree() -> Result<(), String> {
    eprintln!("xtask: the compiler's version is the same everywhere");
    let mut found = Vec::new();
    for (file, before) in PLACES {
        let text = fs::read_to_string(repository_root().join(file))
            .map_err(|error| format!("could not read {file}: {error}"))?;
        let version = version_after(&text, before)
            .ok_or_else(|| format!("{file} names no version after {before:?}"))?;
        found.push((file, version));
    }
    let (first_file, first) = &found[0];
    match found.iter().find(|(_, version)| !same(first, version)) {
        None => Ok(()),
        Some((file, version)) => Err(format!("{first_file} names Rust {first}, but {file} names {version}")),
    }
}

fn version_after(text: &str, before: &str) -> Option<String> {
    let rest = &text[text.find(before)? + before.len()..];
    let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    if version.is_empty() { None } else { Some(version) }
}

/// `1.95` and `1.95.0` are the same: only the numbers that both give are compared.
fn same(left: &str, right: &str) -> bool {
    left.split('.').zip(right.split('.')).all(|(left, right)| left == right)
}

#[cfg(test)]
mod tests {
    use super::{same, version_after};

    #[test]
    fn a_version_ends_where_its_numbers_end() {
        assert_eq!(version_after("ARG RUST_IMAGE=rust:1.95.0-slim", "rust:").as_deref(), Some("1.95.0"));
        assert_eq!(version_after("nothing here", "rust:"), None);
    }

    #[test]
    fn versions_are_compared_in_the_numbers_that_both_give() {
        assert!(same("1.95.0", "1.95"));
        assert!(!same("1.95.0", "1.96"));
    }
}
