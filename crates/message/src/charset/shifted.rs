//! Charsets that shift between sets of seven-bit codes, rewritten as their eight-bit relatives, in which the octets of
//! a character have the upper bit set and do not depend on earlier ones.

/// ESC.
const ESCAPE: u8 = 0x1b;
/// SO: the other set from here on.
const SHIFT_OUT: u8 = 0x0e;
/// SI: US-ASCII from here on.
const SHIFT_IN: u8 = 0x0f;
/// The octet before half-width katakana in EUC-JP.
const SINGLE_SHIFT_2: u8 = 0x8e;
/// The octet before a character of JIS X 0212 in EUC-JP.
const SINGLE_SHIFT_3: u8 = 0x8f;

/// The octets after an ESC so far.
#[derive(Debug, Default)]
struct EscapeSequence {
    open: bool,
    octets: [u8; 3],
    length: usize,
}

/// The part of an octet in an escape sequence.
enum EscapeStep {
    /// It is not part of one.
    Outside,
    /// It belongs to an unfinished one.
    Within,
    /// It ends this one: intermediate octets and a final one, the unused ones being zero.
    Ends([u8; 3]),
}

impl EscapeSequence {
    /// Adds an octet to the sequence.
    ///
    /// ```abnf
    /// escape-sequence = ESC *%x20-2F %x30-7E    ; ISO 2022
    /// ```
    fn octet(&mut self, octet: u8) -> EscapeStep {
        if octet == ESCAPE {
            *self = Self { open: true, ..Self::default() };
            return EscapeStep::Within;
        }
        if !self.open {
            return EscapeStep::Outside;
        }
        self.octets[self.length] = octet;
        self.length += 1;
        let is_final = !matches!(octet, 0x20..=0x2f);
        if is_final || self.length == self.octets.len() {
            return EscapeStep::Ends(std::mem::take(self).octets);
        }
        EscapeStep::Within
    }
}

/// ISO-2022-JP (RFC 1468), -1 (RFC 2237), and what Microsoft's three variants add, as EUC-JP.
#[derive(Debug, Default)]
pub(super) struct Iso2022Jp {
    sequence: EscapeSequence,
    set: JapaneseSet,
}

#[derive(Debug, Default, Clone, Copy)]
enum JapaneseSet {
    #[default]
    Ascii,
    /// JIS X 0201, half-width.
    Katakana,
    /// JIS X 0208.
    Kanji,
    /// JIS X 0212; `is_first` if the next octet is a character's first.
    Supplement { is_first: bool },
}

impl Iso2022Jp {
    pub(super) fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        match self.sequence.octet(octet) {
            EscapeStep::Within => return,
            EscapeStep::Ends(sequence) => {
                self.set = match &sequence {
                    [b'$', b'@' | b'B', _] | [b'$', b'(', b'@' | b'B' | b'O' | b'Q'] => JapaneseSet::Kanji,
                    [b'$', b'(', b'D'] => JapaneseSet::Supplement { is_first: true },
                    [b'(', b'I', _] => JapaneseSet::Katakana,
                    _ => JapaneseSet::Ascii,
                };
                return;
            }
            EscapeStep::Outside => {}
        }
        match (octet, &mut self.set) {
            (SHIFT_OUT, set) => *set = JapaneseSet::Katakana,
            (SHIFT_IN, set) => *set = JapaneseSet::Ascii,
            (0x21..=0x7e, JapaneseSet::Katakana) => out.extend([SINGLE_SHIFT_2, octet | 0x80]),
            (0x21..=0x7e, JapaneseSet::Kanji) => out.push(octet | 0x80),
            (0x21..=0x7e, JapaneseSet::Supplement { is_first }) => {
                if *is_first {
                    out.push(SINGLE_SHIFT_3);
                }
                *is_first = !*is_first;
                out.push(octet | 0x80);
            }
            // Half-width katakana in eight bits, as Windows' code page 50220 reads them.
            (0xa1..=0xdf, JapaneseSet::Ascii) => out.extend([SINGLE_SHIFT_2, octet]),
            _ => out.push(octet),
        }
    }
}

/// ISO-2022-KR (RFC 1557) as EUC-KR, ISO-2022-CN (RFC 1922) as GBK: characters between SO and SI have two octets. The
/// designations are ignored, since the charset's name already implies them.
#[derive(Debug, Default)]
pub(super) struct ShiftOut {
    sequence: EscapeSequence,
    is_out: bool,
}

impl ShiftOut {
    pub(super) fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        if !matches!(self.sequence.octet(octet), EscapeStep::Outside) {
            return;
        }
        match octet {
            SHIFT_OUT => self.is_out = true,
            SHIFT_IN => self.is_out = false,
            // RFC 1922 §4.1: a line begins in US-ASCII.
            b'\n' => {
                self.is_out = false;
                out.push(octet);
            }
            0x21..=0x7e if self.is_out => out.push(octet | 0x80),
            octet => out.push(octet),
        }
    }
}

/// HZ (RFC 1843) as GBK: characters of two octets between `~{` and `~}`.
#[derive(Debug, Default)]
pub(super) struct Hz {
    is_chinese: bool,
    /// The first octet of a character, or a tilde.
    first: Option<u8>,
}

impl Hz {
    pub(super) fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        if octet == b'\n' {
            // "~\n" continues a line; every line begins in US-ASCII.
            let continues = !self.is_chinese && self.first == Some(b'~');
            *self = Self::default();
            if !continues {
                out.push(octet);
            }
            return;
        }
        match (self.first.take(), self.is_chinese, octet) {
            (None, false, b'~') => self.first = Some(octet),
            (None, false, octet) => out.push(octet),
            (Some(_), false, b'{') => self.is_chinese = true,
            (Some(_), false, b'~') => out.push(b'~'),
            (Some(_), false, octet) => out.extend([b'~', octet]),
            (None, true, 0x21..=0x7e) => self.first = Some(octet),
            (None, true, octet) => out.push(octet),
            (Some(b'~'), true, b'}') => self.is_chinese = false,
            (Some(first), true, octet) => out.extend([first | 0x80, octet | 0x80]),
        }
    }
}
