//! Folder names of mailboxes in a Maildir++, which begin with a dot.
//!
//! | mailbox   | folder                                                                          |
//! |-----------|---------------------------------------------------------------------------------|
//! | `2024/25` | `.2024.25`: a dot divides levels                                                |
//! | `Büro`    | `.B&APw-ro`: each level is in modified UTF-7                                    |
//! | `Dr. Who` | `.Dr^2e Who`: a dot within a level is [`ESCAPE`] and its code, as is the escape |
//! | `~ann`    | `.^7eann`: so is a tilde that begins a level                                    |
//!
//! Dovecot reads and writes the same with `separator = /` and this escape character. Every name has exactly one such
//! folder.
//!
//! Other programs name folders differently: in UTF-8, with a bare `&`, with a bare escape character. Those are read as
//! far as they make sense ([`decode`]), and the rest is named by its octets ([`escape_octets`]).

use super::{MailboxName, modified_utf7};

/// The character between the levels of a folder's name.
pub const SEPARATOR: char = '.';
/// The character that begins an escape. It is in few names, means nothing to IMAP, to a shell, or to Dovecot's
/// settings, and every file system allows it.
const ESCAPE: char = '^';
/// Octets of a text that is read as a folder's name. No file system allows this many.
const MAX_LEN: usize = 1024;

/// The mailbox name of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderName {
    /// The folder is the one that we would create for this mailbox.
    Canonical(MailboxName),
    /// We would have created another folder for this mailbox.
    NonCanonical(MailboxName),
}

impl FolderName {
    /// The mailbox's name.
    pub fn name(&self) -> &MailboxName {
        match self {
            Self::Canonical(name) | Self::NonCanonical(name) => name,
        }
    }
}

/// The folder's name for a mailbox, without the leading dot.
pub fn encode(name: &MailboxName) -> String {
    let levels: Vec<String> = name.as_str().split(MailboxName::SEPARATOR).map(encode_level).collect();
    levels.join(".")
}

fn encode_level(level: &str) -> String {
    let mut encoded = String::with_capacity(level.len());
    for (at, c) in modified_utf7::encode(level).char_indices() {
        if matches!(c, SEPARATOR | ESCAPE) || (c == '~' && at == 0) {
            encoded.push_str(&format!("{ESCAPE}{:02x}", u32::from(c)));
        } else {
            encoded.push(c);
        }
    }
    encoded
}

/// Reads a folder's name without its leading dot. `None` if it is not a name, or is INBOX, which is the Maildir itself.
pub fn decode(folder: &str) -> Option<FolderName> {
    if folder.len() > MAX_LEN {
        return None;
    }
    let levels: Vec<String> = folder.split(SEPARATOR).map(decode_level).collect();
    // A separator within a level cannot be shown.
    if levels.iter().any(|level| level.contains(MailboxName::SEPARATOR)) {
        return None;
    }
    let name = MailboxName::parse(&levels.join("/")).ok().filter(|name| !name.is_inbox())?;
    Some(if encode(&name) == folder { FolderName::Canonical(name) } else { FolderName::NonCanonical(name) })
}

fn decode_level(level: &str) -> String {
    let mut unescaped = String::with_capacity(level.len());
    let mut rest = level;
    while let Some(at) = rest.find(ESCAPE) {
        unescaped.push_str(&rest[..at]);
        let (c, length) = match rest.get(at + 1..at + 3) {
            Some("2e" | "2E") => (SEPARATOR, 3),
            Some("5e" | "5E") => (ESCAPE, 3),
            Some("7e" | "7E") => ('~', 3),
            _ => (ESCAPE, 1),
        };
        unescaped.push(c);
        rest = &rest[at + length..];
    }
    unescaped.push_str(rest);
    decode_shifts(&unescaped)
}

/// Decodes modified UTF-7, and leaves the rest: `R&D` and `Büro` stand for themselves.
fn decode_shifts(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        let shift = rest[at..].find('-').map(|end| &rest[at..=at + end]);
        match shift.and_then(|shift| Some((modified_utf7::decode(shift)?, shift.len()))) {
            Some((text, length)) => {
                decoded.push_str(&text);
                rest = &rest[at + length..];
            }
            None => {
                decoded.push('&');
                rest = &rest[at + 1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// A name for a folder whose own is not valid, or is that of another folder: each octet that could be read in two ways
/// is [`ESCAPE`] and its code, as in Dovecot's `mailbox_list_visible_escape_char`.
pub fn escape_octets(folder: &[u8]) -> Option<MailboxName> {
    let first = folder.split(|octet| *octet == b'.').next().unwrap_or_default();
    // A second INBOX, or children of one in another case.
    let is_inbox = first.eq_ignore_ascii_case(b"INBOX");
    let mut shown = String::with_capacity(folder.len());
    for (at, octet) in folder.iter().enumerate() {
        match octet {
            b'.' if shown.is_empty() || shown.ends_with('/') || at + 1 == folder.len() => {
                shown.push_str("^2e")
            }
            b'.' => shown.push(MailboxName::SEPARATOR),
            b'&' | b'^' => shown.push_str(&format!("{ESCAPE}{octet:02x}")),
            b' '..=b'~' if at > 0 || !is_inbox => shown.push(char::from(*octet)),
            _ => shown.push_str(&format!("{ESCAPE}{octet:02x}")),
        }
    }
    MailboxName::parse(&shown).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> MailboxName {
        MailboxName::parse(text).unwrap()
    }

    /// The folders that Dovecot 2.3.19 made, with `separator = /` and `listescape_char = ^`.
    #[test]
    fn folders_are_named_as_dovecot_names_them() {
        for (mailbox, folder) in [
            ("Dr. Who", "Dr^2e Who"),
            ("2024/25", "2024.25"),
            ("~x", "^7ex"),
            ("a/~b", "a.^7eb"),
            ("a~b", "a~b"),
            ("a/.b", "a.^2eb"),
            ("a^b", "a^5eb"),
            ("^", "^5e"),
            ("Büro & Co.", "B&APw-ro &- Co^2e"),
            ("..x", "^2e^2ex"),
            ("x..", "x^2e^2e"),
            ("inbox/Kid", "INBOX.Kid"),
            ("R&D", "R&-D"),
            ("x*y%z", "x*y%z"),
            ("ü.ü/ü", "&APw-^2e&APw-.&APw-"),
            ("^2e", "^5e2e"),
        ] {
            assert_eq!(encode(&name(mailbox)), folder);
            assert_eq!(decode(folder), Some(FolderName::Canonical(name(mailbox))));
        }
    }

    #[test]
    fn folders_named_by_other_programs_are_decoded_as_far_as_possible() {
        for (folder, mailbox) in [
            ("Büro", "Büro"),
            ("R&D", "R&D"),
            ("R&D &- B&APw-ro", "R&D & Büro"),
            ("&APw-&APw-", "üü"),
            ("&AGE-", "&AGE-"),
            ("&", "&"),
            ("a^b", "a^b"),
            ("a^2", "a^2"),
            ("a^ü", "a^ü"),
            ("a^2Eb", "a.b"),
            ("a^41", "a^41"),
            ("a^2fb", "a^2fb"),
            ("~x", "~x"),
            ("inbox.Kid", "INBOX/Kid"),
            ("^49NBOX", "^49NBOX"),
        ] {
            assert_eq!(decode(folder), Some(FolderName::NonCanonical(name(mailbox))), "{folder}");
        }
    }

    #[test]
    fn an_undecodable_folder_is_named_by_its_octets() {
        for (folder, mailbox) in [
            (&b"b\xfcro"[..], "b^fcro"),
            (b"a..b", "a/^2eb"),
            (b"a.", "a^2e"),
            (b"a\nb", "a^0ab"),
            (b"INBOX", "^49NBOX"),
            (b"inbox.Kid", "^69nbox/Kid"),
            (b"R&D^", "R^26D^5e"),
            (b"B\xc3\xbcro.x", "B^c3^bcro/x"),
        ] {
            assert_eq!(escape_octets(folder), Some(name(mailbox)), "{folder:?}");
        }
        for folder in ["INBOX", "inbox", "a..b", "a.", "a\nb", "&AAo-", "a/b"] {
            assert_eq!(decode(folder), None, "{folder:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_name_has_one_folder_and_back(text in "([.^~&/ü-]|2e|5e|[ -~]|.){1,12}") {
            if let Ok(name) = MailboxName::parse(&text) && !name.is_inbox() {
                let folder = name.folder();
                proptest::prop_assert!(!folder.contains('/') && !folder.starts_with("..") && folder != ".");
                proptest::prop_assert_eq!(decode(&folder[1..]), Some(FolderName::Canonical(name)));
            }
        }

        #[test]
        fn every_folder_has_a_name(folder in proptest::collection::vec(1_u8..=255, 1..20)) {
            if !folder.contains(&b'/') && folder[0] != b'.' {
                proptest::prop_assert!(escape_octets(&folder).is_some());
            }
        }
    }
}
