//! Text in a line of the log, escaped so that it stays within its value.
//!
//! Recipients, user names, replies of other servers: most values are chosen by other parties. None of them may begin a
//! line, look like a field, move the cursor of a terminal or reverse the order in which a line is read.

use std::fmt::{self, Write};

/// The most octets of one value. A longer one ends in an ellipsis.
pub(super) const MAX_LEN: usize = 1024;

/// The most octets of a message. The report of a failed start lists every fault.
pub(super) const MAX_MESSAGE: usize = 64 << 10;

/// The beginning of a text; the rest is never held in memory, however long it is.
struct Beginning {
    text: String,
    longest: usize,
    is_cut: bool,
}

impl Write for Beginning {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.longest - self.text.len();
        if more.len() <= room {
            self.text.push_str(more);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| more.is_char_boundary(*end)).unwrap_or_default();
        self.text.push_str(&more[..end]);
        self.is_cut = true;
        // Stops the formatting of the rest.
        Err(fmt::Error)
    }
}

/// The beginning of a value's `Debug` text.
pub(super) fn beginning(value: &dyn fmt::Debug, longest: usize) -> String {
    let mut beginning = Beginning { text: String::new(), longest, is_cut: false };
    // An error means that the rest is left out.
    let _ = write!(beginning, "{value:?}");
    if beginning.is_cut {
        beginning.text.push('…');
    }
    beginning.text
}

/// True if a value needs no quotation marks: an address, a number, a constant word.
pub(super) fn is_plain(text: &str) -> bool {
    const SIGNS: &[u8] = b"-._:@+/,<>[]~%*";
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || SIGNS.contains(&octet))
}

/// The value of a field in a line for a person, in quotation marks.
pub(super) fn quote(text: &str, out: &mut String) {
    let mut words = Words::default();
    out.push('"');
    for character in text.chars() {
        let is_field = words.make_field(character);
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if is_field => out.extend(character.escape_unicode()),
            _ if is_printed(character) => out.push(character),
            _ => out.extend(character.escape_debug()),
        }
    }
    out.push('"');
}

/// Recognises text that looks like a field: a name at the beginning, after white space or after an opening mark (`<`, a
/// quotation mark, a bracket), and an equals sign. The sign is escaped there, for readers that ignore quotation marks.
struct Words {
    /// The length of the name before the next character; `None` if the text before it is not a name.
    name: Option<usize>,
}

impl Default for Words {
    fn default() -> Self {
        Self { name: Some(0) }
    }
}

impl Words {
    /// True if this next character completes a field.
    fn make_field(&mut self, character: char) -> bool {
        let is_field = character == '=' && self.name.is_some_and(|length| length > 0);
        self.name = match character {
            '<' | '(' | '[' | '{' | '"' | '\'' | '`' | ',' | ';' => Some(0),
            _ if character.is_whitespace() => Some(0),
            _ if character == '_' || character.is_ascii_alphanumeric() => self.name.map(|length| length + 1),
            _ => None,
        };
        is_field
    }
}

/// The message of a line for a person. A report of several lines keeps its lines, so that it is readable; each further
/// line is indented, so it never looks like the beginning of another event.
pub(super) fn message(text: &str, out: &mut String) {
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push_str("\n    ");
        }
        for character in line.chars() {
            match is_printed(character) {
                true => out.push(character),
                false => out.extend(character.escape_unicode()),
            }
        }
    }
}

/// A string of JSON (RFC 8259 §7). Characters that are not printed are escaped too, as a log is also read by people.
pub(super) fn json(text: &str, out: &mut String) {
    let mut words = Words::default();
    out.push('"');
    for character in text.chars() {
        let is_field = words.make_field(character);
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ if is_printed(character) && !is_field => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// True if a character is displayed as itself: not a control character, direction mark or line separator.
fn is_printed(character: char) -> bool {
    matches!(character, '"' | '\'' | '\\') || character.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Injections that were attempted, and some that are possible.
    const HOSTILE: [&str; 9] = [
        "\"WARN login: failed peer=203.0.113.7 protocol=\"@example.org",
        "x\n2026-11-28T04:04:05Z  WARN login: failed peer=203.0.113.7 protocol=",
        "x\r\nWARN",
        "tab\tand\x1b[2K\x1b[1Gescape",
        "\u{202e}reversed\u{2066}",
        "line\u{2028}separator\u{2029}\u{85}",
        "back\\slash \\\"",
        "nul\0 and \u{7f} and \u{feff}",
        "\u{e000}private and \u{10ffff} and soft\u{ad}hyphen",
    ];

    fn quoted(text: &str) -> String {
        let mut out = String::new();
        quote(text, &mut out);
        out
    }

    fn as_json(text: &str) -> String {
        let mut out = String::new();
        json(text, &mut out);
        out
    }

    #[test]
    fn a_hostile_value_is_one_value_that_is_printed_in_one_line() {
        for text in HOSTILE {
            let line = quoted(text);
            assert!(line.chars().all(is_printed), "{line}");
            let inner = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap();
            // No quotation mark within ends the value.
            let unescaped = inner.replace("\\\\", "").replace("\\\"", "");
            assert!(!unescaped.contains('"'), "{line}");
            assert!(!is_plain(text), "{text}");
            assert!(!line.contains("peer=") && !as_json(text).contains("peer="), "{line}");
        }
    }

    #[test]
    fn an_equals_sign_is_escaped_only_where_it_would_make_a_field() {
        for (text, line) in [
            ("peer=1", "\"peer\\u{3d}1\""),
            ("<peer=1@x>", "\"<peer\\u{3d}1@x>\""),
            ("<\"peer=1\"@x>", "\"<\\\"peer\\u{3d}1\\\"@x>\""),
            ("a peer=1\tb=", "\"a peer\\u{3d}1\\tb\\u{3d}\""),
            (
                "https://example.org/?p=NoSuchUser a == b = c",
                "\"https://example.org/?p=NoSuchUser a == b = c\"",
            ),
        ] {
            assert_eq!(quoted(text), line);
        }
    }

    #[test]
    fn json_reads_back_as_the_same_text() {
        for text in HOSTILE.into_iter().chain(["Jörg, 山, 🙂 and e\u{301}", "", "'"]) {
            let line = as_json(text);
            assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
            assert!(line.chars().all(is_printed), "{line}");
        }
    }

    #[test]
    fn letters_of_all_scripts_stay_readable() {
        assert_eq!(quoted("Jörg 山 🙂"), "\"Jörg 山 🙂\"");
        assert_eq!(as_json("Jörg 山 🙂"), "\"Jörg 山 🙂\"");
    }

    #[test]
    fn only_unambiguous_values_are_unquoted() {
        for plain in ["ann@example.org", "2001:db8::1", "<>", "TooLong", "/var/mail", "-3.5"] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in ["", "a b", "a=b", "\"", "a\\b", "jörg", "a;b", "a\u{200b}b", "{", "'"] {
            assert!(!is_plain(other), "{other}");
        }
    }

    #[test]
    fn a_report_of_many_lines_is_one_event() {
        let mut out = String::new();
        message("2 settings are wrong:\n  ONE\nWARN login: failed peer=203.0.113.7\x1b\r", &mut out);
        assert_eq!(
            out,
            "2 settings are wrong:\n      ONE\n    WARN login: failed peer=203.0.113.7\\u{1b}\\u{d}"
        );
    }

    #[test]
    fn a_long_value_costs_no_more_than_its_beginning() {
        let text = beginning(&format_args!("{}", "ö".repeat(1 << 20)), MAX_LEN);
        assert!(text.ends_with("ö…") && text.len() <= MAX_LEN + '…'.len_utf8(), "{}", text.len());
        assert_eq!(beginning(&format_args!("short"), 5), "short");
    }
}
