use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, IBM866, KOI8_R, KOI8_U, MACINTOSH, SHIFT_JIS, UTF_8,
    UTF_16BE, UTF_16LE, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254,
    WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258, X_MAC_CYRILLIC,
};

use super::CharsetKind;
use super::code_pages::upper_half;

/// Names of charsets are shorter. The longest of IANA's list has 45 characters.
const MAX_LEN: usize = 75;

/// The charset of that name. Case, hyphens, underscores and a leading `x` are ignored.
pub(super) fn kind(name: &[u8]) -> Option<CharsetKind> {
    let name = &name[..name.len().min(MAX_LEN)];
    let squeezed: String = name
        .iter()
        .filter(|octet| octet.is_ascii_alphanumeric())
        .map(|octet| char::from(octet.to_ascii_lowercase()))
        .collect();
    own(&squeezed).or_else(|| {
        let labels = [name.trim_ascii(), squeezed.as_bytes()];
        let known = labels.into_iter().find_map(Encoding::for_label_no_replacement);
        known.or_else(|| alias(&squeezed)).map(CharsetKind::Encoding).or_else(|| numbered(&squeezed))
    })
}

/// The charsets that are not the WHATWG's, or that include more here.
fn own(name: &str) -> Option<CharsetKind> {
    Some(match name {
        // Text labelled as ASCII that is not ASCII is often UTF-8.
        "ascii" | "usascii" | "ansix341968" | "iso646us" | "646" | "cp367" | "ibm367" | "cp20127"
        | "unknown8bit" | "8bit" | "default" => CharsetKind::Undeclared,
        // WHATWG's decoder reports an error for two escape sequences in a row, as between two encoded words.
        "iso2022jp" | "csiso2022jp" | "iso2022jp1" | "iso2022jp2" | "iso2022jp3" | "iso2022jp2004"
        | "iso2022jpms" | "cp50220" | "cp50221" | "cp50222" | "jis" | "jis7" => CharsetKind::Iso2022Jp,
        "iso2022kr" | "csiso2022kr" | "cp50225" => CharsetKind::Iso2022Kr,
        "iso2022cn" | "iso2022cnext" | "csiso2022cn" | "cp50227" => CharsetKind::Iso2022Cn,
        "hz" | "hzgb2312" | "hzgb" | "cp52936" => CharsetKind::Hz,
        "johab" | "ksc56011992" | "cp1361" | "ms1361" | "windows1361" => CharsetKind::Johab,
        "utf7" | "unicode11utf7" | "csutf7" | "cp65000" | "unicode20utf7" => CharsetKind::Utf7,
        "kz1048" | "strk10482002" | "rk1048" => CharsetKind::CodePage(upper_half(1048)?),
        _ => return None,
    })
}

/// Other names of encodings on the WHATWG's list.
fn alias(name: &str) -> Option<&'static Encoding> {
    let name = name.strip_prefix('x').unwrap_or(name);
    Some(match name {
        "sjis" | "shiftjis" | "shiftjisx0213" | "mskanji" | "windows31j" | "sjiswin" => SHIFT_JIS,
        "eucjp" | "eucjpms" | "eucjpwin" | "ujis" => EUC_JP,
        "euckr" | "ksc5601" | "ksc56011987" | "kscl5601" | "uhc" | "windowsuhc" | "unifiedhangul" => EUC_KR,
        "euccn" | "gbk" | "gb2312" | "gb231280" | "windowsgbk" | "mscn" => GBK,
        "gb18030" | "gb180302000" | "gb180302005" => GB18030,
        "big5" | "big5hkscs" | "big5eten" | "cnbig5" | "hkscs" => BIG5,
        "utf8" | "unicodeutf8" | "utf8mac" | "cesu8" => UTF_8,
        "utf16" | "ucs2" | "unicode" => UTF_16LE,
        "utf16be" | "ucs2be" => UTF_16BE,
        "koi8" | "koi8r" => KOI8_R,
        "koi8u" | "koi8ru" => KOI8_U,
        "tis620" | "tis6202533" | "iso885911" => WINDOWS_874,
        "macroman" | "applemacroman" => MACINTOSH,
        "maccyrillic" | "macukrainian" => X_MAC_CYRILLIC,
        "ansi" | "western" | "winansi" | "windowslatin1" => WINDOWS_1252,
        _ => return None,
    })
}

/// `cp932`, `ms932`, `windows-932`, `ibm850` and the like.
fn numbered(name: &str) -> Option<CharsetKind> {
    let name = name.strip_prefix('x').unwrap_or(name);
    let digits = name.trim_start_matches(|one: char| one.is_ascii_alphabetic());
    let prefix = &name[..name.len() - digits.len()];
    if !["", "cp", "ms", "ibm", "windows", "win", "ccsid", "dos", "mswin", "mscp", "oem", "cspc"]
        .contains(&prefix)
    {
        return None;
    }
    let number = digits.trim_start_matches('0').parse().ok()?;
    let encoding = match number {
        866 => IBM866,
        874 | 9066 => WINDOWS_874,
        932 | 943 | 31 => SHIFT_JIS,
        936 | 1386 | 20936 => GBK,
        949 | 970 | 1363 | 51949 => EUC_KR,
        950 | 951 | 1370 => BIG5,
        1200 => UTF_16LE,
        1201 => UTF_16BE,
        1250 => WINDOWS_1250,
        1251 => WINDOWS_1251,
        819 | 1252 | 28591 => WINDOWS_1252,
        1253 => WINDOWS_1253,
        1254 => WINDOWS_1254,
        1255 => WINDOWS_1255,
        1256 => WINDOWS_1256,
        1257 => WINDOWS_1257,
        1258 => WINDOWS_1258,
        10000 => MACINTOSH,
        10007 | 10017 => X_MAC_CYRILLIC,
        20866 => KOI8_R,
        21866 => KOI8_U,
        20932 | 51932 | 954 => EUC_JP,
        51936 => GBK,
        54936 => GB18030,
        65001 => UTF_8,
        // ISO 8859 by Microsoft's numbers.
        28592..=28606 => Encoding::for_label(format!("iso-8859-{}", number - 28590).as_bytes())?,
        number => return upper_half(number).map(CharsetKind::CodePage),
    };
    Some(CharsetKind::Encoding(encoding))
}
