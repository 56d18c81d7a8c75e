use encoding_rs::EUC_KR;

/// Johab (KS X 1001, annex 3; Windows' code page 1361): a Hangul syllable is three times five bits, every other pair of
/// octets is a character of KS X 1001 in another position.
#[derive(Debug, Default)]
pub(super) struct Johab {
    first: Option<u8>,
}

/// The letters alone, in the order of a syllable's first, second and third five bits.
const INITIALS: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
const MEDIALS: &str = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
const FINALS: &str = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";

const BROKEN: char = '\u{fffd}';

impl Johab {
    pub(super) fn feed(&mut self, octets: &[u8], is_last: bool, text: &mut String) {
        for octet in octets {
            match self.first.take() {
                Some(first) => text.push(pair(first, *octet)),
                None => match octet {
                    b'\\' => text.push('₩'),
                    0..=0x7f => text.push(char::from(*octet)),
                    _ => self.first = Some(*octet),
                },
            }
        }
        if is_last && self.first.take().is_some() {
            text.push(BROKEN);
        }
    }
}

fn pair(first: u8, second: u8) -> char {
    match first {
        0x84..=0xd3 => syllable(u16::from_be_bytes([first, second])),
        0xd8..=0xde | 0xe0..=0xf9 => other(first, second),
        _ => None,
    }
    .unwrap_or(BROKEN)
}

fn syllable(code: u16) -> Option<char> {
    let bits = |shift: u16| u32::from(code >> shift & 0x1f);
    let initial = bits(10).checked_sub(2).filter(|initial| *initial < 19);
    let medial = match bits(5) {
        bits @ 3..=7 => Some(bits - 3),
        bits @ 10..=15 => Some(bits - 5),
        bits @ 18..=23 => Some(bits - 7),
        bits @ 26..=29 => Some(bits - 9),
        _ => None,
    };
    // 1 means that there is no third letter.
    let last = match bits(0) {
        bits @ 1..=17 => Some(bits - 1),
        bits @ 19..=29 => Some(bits - 2),
        _ => None,
    }?;
    let letter = |letters: &str, index: u32| letters.chars().nth(usize::try_from(index).ok()?);
    match (initial, medial, last) {
        (Some(initial), Some(medial), last) => char::from_u32(0xac00 + (initial * 21 + medial) * 28 + last),
        (Some(initial), None, 0) => letter(INITIALS, initial),
        (None, Some(medial), 0) => letter(MEDIALS, medial),
        (None, None, last) => letter(FINALS, last.checked_sub(1)?),
        _ => None,
    }
}

/// Two rows of KS X 1001 share one first octet; its hanja follow its symbols, without the rows of Hangul between them.
fn other(first: u8, second: u8) -> Option<char> {
    let index = match second {
        0x31..=0x7e => second - 0x31,
        0x91..=0xfe => second - 0x43,
        _ => return None,
    };
    let row =
        if first < 0xe0 { 2 * u16::from(first.checked_sub(0xd9)?) } else { 2 * u16::from(first) - 0x197 };
    let row = u8::try_from(row + u16::from(index / 0x5e)).ok()? + 0xa1;
    let octets = [row, index % 0x5e + 0xa1];
    let (text, broken) = EUC_KR.decode_without_bom_handling(&octets);
    text.chars().next().filter(|_| !broken)
}
