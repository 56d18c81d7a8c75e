//! CAPABILITY (RFC 3501 §6.1.1). The list depends on the state of the session.

use crate::imap::wire::Privacy;

/// The authentication state of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::imap) enum ClientState {
    /// Not authenticated.
    NotAuthenticated,
    /// Authenticated.
    Authenticated,
}

/// Capabilities in every state.
const ALWAYS: [&str; 4] = ["IMAP4rev1", "LITERAL+", "ID", "ENABLE"];
/// Capabilities after the login.
const AUTHENTICATED: [&str; 11] = [
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

/// The capability names, as in the CAPABILITY response and the response code of this name.
///
/// Without TLS there is no way to log in, so none is offered (RFC 3501 §6.2.3, RFC 8314 §3).
pub(in crate::imap) fn names(privacy: Privacy, state: ClientState) -> Vec<&'static str> {
    let more: &[&str] = match (state, privacy) {
        (ClientState::Authenticated, _) => &AUTHENTICATED,
        (ClientState::NotAuthenticated, Privacy::Encrypted) => &["SASL-IR", "AUTH=PLAIN"],
        (ClientState::NotAuthenticated, Privacy::Clear) => &["STARTTLS", "LOGINDISABLED"],
    };
    ALWAYS.iter().chain(more).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The transcript for a capability, such as `capability_quota-res-storage.txt`.
    fn transcript_of(name: &str) -> String {
        format!("capability_{}.txt", name.to_lowercase().replace('+', "-plus").replace('=', "-"))
    }

    /// Clients use every announced capability. So each one has a transcript with every form of its RFC, and no form is
    /// answered with BAD.
    #[test]
    fn every_capability_has_a_transcript_of_all_its_forms() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/transcripts/imap");
        let states = [ClientState::NotAuthenticated, ClientState::Authenticated];
        let all = states
            .iter()
            .flat_map(|state| [Privacy::Clear, Privacy::Encrypted].map(|privacy| names(privacy, *state)));
        let words: BTreeSet<&str> = all.flatten().collect();
        for word in &words {
            let text = fs::read_to_string(folder.join(transcript_of(word))).unwrap_or_else(|_| {
                panic!("{word} is announced without a transcript {}", transcript_of(word))
            });
            let sent = text.lines().any(|line| line.starts_with("C: "));
            let refused = text.lines().any(|line| line.starts_with('S') && line.contains(" BAD "));
            assert!(sent && !refused, "{}", transcript_of(word));
        }
        let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        let transcripts: BTreeSet<String> = entries
            .filter_map(|name| name.into_string().ok())
            .filter(|name| name.starts_with("capability_"))
            .collect();
        assert_eq!(
            transcripts,
            words.iter().map(|word| transcript_of(word)).collect(),
            "transcripts of announced capabilities"
        );
    }
}
