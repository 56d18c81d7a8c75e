use std::ops::{BitAnd, BitOr, BitOrAssign};

/// A message's flags, one bit each.
///
/// The letters are those in its file's name: capital ones are Maildir's, small ones the mailbox's first 26 keywords,
/// which `dovecot-keywords` names. The bits above them are keywords beyond the letters, which are kept beside the
/// messages. `\Recent` has no bit: it belongs to a session.
///
/// ```text
/// bit   0 … 25    26 … 31           32 … 127
///       a … z     D F P R S T       keywords 26 … 121
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(u128);

/// The letters of Maildir in the order in which they are written, which is that of ASCII. `P` (passed on) has no IMAP
/// flag and is preserved.
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
    /// Passed on: resent, forwarded or bounced. Set by other programs; not visible in IMAP.
    pub const PASSED: Self = Self(1 << 28);
    /// `\Answered`.
    pub const ANSWERED: Self = Self(1 << 29);
    /// `\Seen`.
    pub const SEEN: Self = Self(1 << 30);
    /// `\Deleted`.
    pub const DELETED: Self = Self(1 << 31);
    /// All IMAP system flags.
    pub const SYSTEM: Self =
        Self(Self::DRAFT.0 | Self::FLAGGED.0 | Self::ANSWERED.0 | Self::SEEN.0 | Self::DELETED.0);
    /// The keywords that have a letter.
    pub const LETTER_KEYWORDS: Self = Self((1 << Self::MAX_LETTERS) - 1);
    /// The keywords beyond the letters.
    pub const EXTRA_KEYWORDS: Self = Self(u128::MAX << (Self::MAX_LETTERS + LETTERS.len()));
    /// All keywords.
    pub const KEYWORDS: Self = Self(Self::LETTER_KEYWORDS.0 | Self::EXTRA_KEYWORDS.0);
    /// Number of letters from `a` to `z`, all that a file's name can hold.
    pub const MAX_LETTERS: usize = 26;
    /// Maximum number of keywords in a mailbox at one time.
    pub const MAX_KEYWORDS: usize = 128 - LETTERS.len();

    /// The keyword at this index in the mailbox's list of [`Flags::MAX_KEYWORDS`].
    pub fn keyword(index: usize) -> Option<Self> {
        let bit = if index < Self::MAX_LETTERS { index } else { index + LETTERS.len() };
        (index < Self::MAX_KEYWORDS).then(|| Self(1 << bit))
    }

    /// The indexes of the keywords among these flags.
    pub fn keyword_indexes(self) -> impl Iterator<Item = usize> {
        let mut rest = self & Self::KEYWORDS;
        std::iter::from_fn(move || {
            let bit = rest.0.trailing_zeros() as usize;
            rest.0 &= rest.0.wrapping_sub(1);
            match bit {
                128 => None,
                letter if letter < Self::MAX_LETTERS => Some(letter),
                extra => Some(extra - LETTERS.len()),
            }
        })
    }

    /// Returns true if all of `flags` are among these.
    pub fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Returns true if no flag is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These without `flags`.
    pub fn without(self, flags: Self) -> Self {
        Self(self.0 & !flags.0)
    }

    /// Returns true if only other programs give the letter a meaning.
    pub(super) fn is_foreign(letter: u8) -> bool {
        letter.is_ascii_graphic() && !letter.is_ascii_lowercase() && LETTERS.iter().all(|(l, _)| *l != letter)
    }

    /// Parses the letters after `:2,`. Unknown letters are skipped.
    pub fn from_letters(letters: impl AsRef<[u8]>) -> Self {
        letters.as_ref().iter().fold(Self::NONE, |flags, letter| match letter {
            b'a'..=b'z' => Self(flags.0 | 1 << (letter - b'a')),
            _ => LETTERS.iter().find(|(l, _)| l == letter).map_or(flags, |(_, flag)| flags | *flag),
        })
    }

    /// The letters to write after `:2,`, in the order of ASCII, as Maildir asks.
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
        assert_eq!(flags.keyword_indexes().collect::<Vec<_>>(), [0, 1, 25]);
    }

    #[test]
    fn unknown_letters_are_skipped_and_the_passed_letter_is_kept() {
        assert_eq!(Flags::from_letters("XS,1P").letters().collect::<String>(), "PS");
    }

    #[test]
    fn keywords_beyond_the_letters_have_bits_of_their_own_and_no_letter() {
        let all: Vec<Flags> = (0..200).map_while(Flags::keyword).collect();
        assert_eq!(all.len(), Flags::MAX_KEYWORDS);
        let together = all.iter().fold(Flags::NONE, |flags, flag| flags | *flag);
        assert_eq!(together, Flags::KEYWORDS);
        assert!((together & (Flags::SYSTEM | Flags::PASSED)).is_empty());
        assert_eq!(together.keyword_indexes().collect::<Vec<_>>(), (0..122).collect::<Vec<_>>());
        assert_eq!(Flags::KEYWORDS.letters().collect::<String>(), "abcdefghijklmnopqrstuvwxyz");
        assert!(Flags::EXTRA_KEYWORDS.letters().next().is_none());
        assert_eq!(Flags::keyword(26).unwrap().keyword_indexes().collect::<Vec<_>>(), [26]);
    }
}
