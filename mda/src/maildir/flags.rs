use std::ops::{BitAnd, BitOr, BitOrAssign};

/// A message's flags as its file's name holds them: one bit a letter.
///
/// The capital letters are those of Maildir; the small ones are the mailbox's keywords, whose names
/// `dovecot-keywords` tells. `\Recent` is none of them: it belongs to a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u32);

/// The letters of Maildir in the order in which they are written, which is that of ASCII. `P` (passed on) has no
/// IMAP flag; it is kept as it is.
const LETTERS: [(u8, Flags); 6] = [
    (b'D', Flags::DRAFT),
    (b'F', Flags::FLAGGED),
    (b'P', Flags::PASSED),
    (b'R', Flags::ANSWERED),
    (b'S', Flags::SEEN),
    (b'T', Flags::DELETED),
];

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// `\Draft`.
    pub const DRAFT: Self = Self(1 << 26);
    /// `\Flagged`.
    pub const FLAGGED: Self = Self(1 << 27);
    /// Passed on: resent, forwarded or bounced. Set by other programs; IMAP does not show it.
    pub const PASSED: Self = Self(1 << 28);
    /// `\Answered`.
    pub const ANSWERED: Self = Self(1 << 29);
    /// `\Seen`.
    pub const SEEN: Self = Self(1 << 30);
    /// `\Deleted`.
    pub const DELETED: Self = Self(1 << 31);
    /// All that IMAP calls system flags.
    pub const SYSTEM: Self =
        Self(Self::DRAFT.0 | Self::FLAGGED.0 | Self::ANSWERED.0 | Self::SEEN.0 | Self::DELETED.0);
    /// All keywords.
    pub const KEYWORDS: Self = Self((1 << Self::MOST_KEYWORDS) - 1);
    /// The letters from `a` to `z` are all that a file's name can hold.
    pub const MOST_KEYWORDS: usize = 26;

    /// The keyword with that place in the mailbox's list; there are [`Flags::MOST_KEYWORDS`].
    pub fn keyword(place: usize) -> Option<Self> {
        (place < Self::MOST_KEYWORDS).then(|| Self(1 << place))
    }

    /// The places of the keywords among these flags.
    pub fn keyword_places(self) -> impl Iterator<Item = usize> {
        (0..Self::MOST_KEYWORDS).filter(move |place| self.0 & (1 << place) != 0)
    }

    /// Whether all of `flags` are among these.
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Whether no flag is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These without `flags`.
    pub fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }

    /// Reads the letters behind `:2,`. Letters that mean nothing here are passed over.
    pub fn from_letters(letters: &str) -> Self {
        letters.bytes().fold(Self::NONE, |flags, letter| match letter {
            b'a'..=b'z' => Self(flags.0 | 1 << (letter - b'a')),
            _ => LETTERS.iter().find(|(l, _)| *l == letter).map_or(flags, |(_, flag)| flags | *flag),
        })
    }

    /// The letters to write behind `:2,`, in the order of ASCII, as Maildir asks.
    pub fn letters(self) -> impl Iterator<Item = char> {
        let system = LETTERS.iter().filter(move |(_, flag)| self.contains(*flag)).map(|(l, _)| *l);
        let keywords = (b'a'..=b'z').filter(move |letter| self.0 & 1 << (letter - b'a') != 0);
        system.chain(keywords).map(char::from)
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Flags {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_written_in_the_order_of_ascii_and_read_in_any() {
        let flags = Flags::from_letters("aSTzDb");
        assert_eq!(flags.letters().collect::<String>(), "DSTabz");
        assert!(flags.contains(Flags::SEEN | Flags::DELETED));
        assert_eq!(flags.keyword_places().collect::<Vec<_>>(), [0, 1, 25]);
    }

    #[test]
    fn letters_without_a_meaning_are_passed_over_and_the_passed_letter_is_kept() {
        assert_eq!(Flags::from_letters("XS,1P").letters().collect::<String>(), "PS");
    }

    #[test]
    fn there_are_no_more_keywords_than_letters() {
        assert!(Flags::keyword(25).is_some());
        assert!(Flags::keyword(26).is_none());
        assert_eq!(Flags::KEYWORDS.letters().collect::<String>(), "abcdefghijklmnopqrstuvwxyz");
    }
}
