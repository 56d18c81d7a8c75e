//! Keeps the wording of sources and documents plain: counts the words and the doc comments that `docs/language.md`
//! rules out, and compares the counts with a ceiling that may only fall.

use std::fs;
use std::path::{Path, PathBuf};

use crate::steps::repository_root;

/// The file with the ceilings: a name and a number a line.
const CEILINGS: &str = "docs/language.ceilings";

/// The words, each counted wherever it stands alone or as part of an identifier.
const WORDS: [&str; 6] = ["told", "nobody", "somebody", "anybody", "whoever", "anew"];

/// Phrases that say what a thing is not.
const PHRASES: [&str; 4] = ["to be had", "is none", "for good", "that is no "];

/// Words that a doc comment must not begin with: it would be a clause without a head.
const HEADLESS: [&str; 9] = ["What", "Who", "Whose", "Whom", "Whether", "How", "Where", "So many", "Why"];

/// The counts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    words: usize,
    headless: usize,
}

/// Fails when the tree has more odd words or headless doc comments than the file with the ceilings allows.
pub(crate) fn is_plain() -> Result<(), String> {
    eprintln!("xtask: count the words that docs/language.md rules out");
    let mut counts = Counts::default();
    for file in files(repository_root())? {
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("could not read {}: {error}", file.display()))?;
        counts.add(&text, file.extension().is_some_and(|extension| extension == "rs"));
    }
    let ceilings = fs::read_to_string(repository_root().join(CEILINGS))
        .map_err(|error| format!("could not read {CEILINGS}: {error}"))?;
    for (name, count) in [("words", counts.words), ("headless", counts.headless)] {
        let ceiling =
            ceiling(&ceilings, name).ok_or_else(|| format!("{CEILINGS} has no number for {name}"))?;
        if count > ceiling {
            return Err(format!(
                "{count} {name} where {CEILINGS} allows {ceiling}: write the new ones as docs/language.md has them"
            ));
        }
        if count < ceiling {
            eprintln!("xtask: {name}: {count}; lower the {ceiling} in {CEILINGS}");
        }
    }
    Ok(())
}

impl Counts {
    fn add(&mut self, text: &str, is_rust: bool) {
        let lower = text.to_lowercase();
        let letters = |c: char| c.is_alphabetic();
        self.words += lower.split(|c| !letters(c)).filter(|word| WORDS.contains(word)).count();
        self.words += PHRASES.iter().map(|phrase| lower.matches(phrase).count()).sum::<usize>();
        if is_rust {
            self.headless += text.lines().filter(|line| is_headless(line)).count();
        }
    }
}

/// True for the line of a doc comment that begins with one of [`HEADLESS`]. Such a line in the middle of a comment
/// counts too: few are, and none has to be.
fn is_headless(line: &str) -> bool {
    let line = line.trim_start();
    let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { return false };
    let text = text.trim_start();
    HEADLESS.iter().any(|word| {
        text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    })
}

fn ceiling(text: &str, name: &str) -> Option<usize> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// All sources and documents but the two that quote the words.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("could not list {}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                found.extend(files(&path)?);
            }
        } else if [".rs", ".md", ".sh", ".py"].iter().any(|end| name.ends_with(end))
            && !["language.md", "language.rs"].contains(&name.as_str())
        {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> Counts {
        let mut counts = Counts::default();
        counts.add(text, true);
        counts
    }

    #[test]
    fn a_word_counts_alone_and_in_an_identifier_and_not_within_another_word() {
        assert_eq!(counts("Nobody is told. fn begin_anew() {} untold retold").words, 3);
        assert_eq!(counts("a key that is not to be had; it is none").words, 2);
    }

    #[test]
    fn a_doc_comment_without_a_head_counts_and_a_noun_does_not() {
        let text = "/// Whether it is so.\n//! How it is done.\n/// Whoever\n/// The way.\n// What it is.\n    /// So many are kept.\n";
        assert_eq!(counts(text).headless, 3);
    }

    #[test]
    fn a_ceiling_is_found_by_its_name() {
        assert_eq!(ceiling("words 12\nheadless 3\n", "headless"), Some(3));
        assert_eq!(ceiling("words 12\n", "headless"), None);
    }
}
