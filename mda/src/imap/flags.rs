//! Conversion of flags between the protocol, which uses names, and the snapshots, which use bits.

use imap_proto::{Flag, Keyword};

use crate::mailbox::Snapshot;
use crate::maildir::{Flags, Keywords};

const SYSTEM: [(Flag, Flags); 5] = [
    (Flag::Answered, Flags::ANSWERED),
    (Flag::Flagged, Flags::FLAGGED),
    (Flag::Deleted, Flags::DELETED),
    (Flag::Seen, Flags::SEEN),
    (Flag::Draft, Flags::DRAFT),
];

/// The bit of a system flag, or `None` for a keyword.
pub(super) fn bit(flag: &Flag) -> Option<Flags> {
    SYSTEM.iter().find(|(known, _)| known == flag).map(|(_, bit)| *bit)
}

/// The system flags as bits, and the names of the keywords.
pub(super) fn split(flags: &[Flag]) -> (Flags, Vec<String>) {
    let bits = flags.iter().filter_map(bit).fold(Flags::NONE, |all, bit| all | bit);
    let names = flags.iter().filter_map(|flag| match flag {
        Flag::Keyword(keyword) => Some(keyword.as_str().to_owned()),
        _ => None,
    });
    (bits, names.collect())
}

/// The flags of a message, by name.
pub(super) fn names(snapshot: &Snapshot, flags: Flags) -> Vec<Flag> {
    let system = SYSTEM.iter().filter(|(_, bit)| flags.contains(*bit)).map(|(flag, _)| flag.clone());
    let keywords = flags.keyword_indexes().filter_map(|index| snapshot.keywords().name(index));
    system.chain(keywords.filter_map(keyword)).collect()
}

/// All flags that a mailbox has.
pub(super) fn all(keywords: &Keywords) -> Vec<Flag> {
    Flag::SYSTEM.into_iter().chain(keywords.names().filter_map(keyword)).collect()
}

/// The keyword of this name. A name that is not an atom, which another program may have written, is left out: it would
/// break the response.
fn keyword(name: &str) -> Option<Flag> {
    Keyword::new(name.as_bytes()).map(Flag::Keyword)
}
