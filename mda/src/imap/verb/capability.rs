//! CAPABILITY: what the server can do (RFC 3501 §6.1.1), which depends on how far the client has come.

use crate::imap::wire::Privacy;

/// Whether somebody has logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imap) enum Standing {
    /// Not yet.
    Guest,
    /// Yes.
    Member,
}

/// What counts from the first command on.
const ALWAYS: [&str; 4] = ["IMAP4rev1", "LITERAL+", "ID", "ENABLE"];
/// What a login opens.
const MEMBERS: [&str; 11] = [
    "IDLE",
    "NAMESPACE",
    "CHILDREN",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "UNSELECT",
    "UIDPLUS",
    "MOVE",
    "SPECIAL-USE",
    "QUOTA",
    "QUOTA=RES-STORAGE",
];

/// The names, as CAPABILITY and the code of the same name tell them.
///
/// Without TLS there is no way to log in, so none is offered (RFC 3501 §6.2.3, RFC 8314 §3).
pub(in crate::imap) fn names(privacy: Privacy, standing: Standing) -> Vec<&'static str> {
    let more: &[&str] = match (standing, privacy) {
        (Standing::Member, _) => &MEMBERS,
        (Standing::Guest, Privacy::Encrypted) => &["SASL-IR", "AUTH=PLAIN"],
        (Standing::Guest, Privacy::Clear) => &["STARTTLS", "LOGINDISABLED"],
    };
    ALWAYS.iter().chain(more).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The transcript of the word's forms: `word_quota-res-storage.txt`.
    fn file_of(word: &str) -> String {
        format!("word_{}.txt", word.to_lowercase().replace('+', "-plus").replace('=', "-"))
    }

    /// A client uses what is announced. So each word has a transcript that plays every form of its RFC, and none of them is
    /// answered BAD.
    #[test]
    fn every_announced_word_has_a_transcript_of_all_its_forms() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/transcripts/imap");
        let standings = [Standing::Guest, Standing::Member];
        let all = standings.iter().flat_map(|standing| {
            [Privacy::Clear, Privacy::Encrypted].map(|privacy| names(privacy, *standing))
        });
        let words: BTreeSet<&str> = all.flatten().collect();
        for word in &words {
            let text = fs::read_to_string(folder.join(file_of(word)))
                .unwrap_or_else(|_| panic!("{word} is announced and has no {}", file_of(word)));
            let sent = text.lines().any(|line| line.starts_with("C: "));
            let refused = text.lines().any(|line| line.starts_with('S') && line.contains(" BAD "));
            assert!(sent && !refused, "{}", file_of(word));
        }
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        let played: BTreeSet<String> = entries
            .filter_map(|name| name.into_string().ok())
            .filter(|name| name.starts_with("word_"))
            .collect();
        assert_eq!(played, words.iter().map(|word| file_of(word)).collect(), "words that are announced");
    }
}
