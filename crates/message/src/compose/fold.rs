//! The folding of a field to as many lines as it needs.

/// Preferred maximum length of a line (RFC 5322 §2.1.1).
const PREFERRED: usize = 78;
/// Maximum length of a word: lines must not exceed 998, the field's name included (RFC 5322 §2.1.1).
const MAX_WORD: usize = 900;

/// `name: value` and its line end, folded. Control characters in the value become spaces: neither a line
/// end nor a NUL is passed on, whatever the origin of the value. The unfolded value is the given one, except that a
/// word longer than a line may be gets spaces.
pub fn field(name: &str, value: &str) -> String {
    let mut out = String::with_capacity(name.len() + value.len() + 8);
    out.push_str(name);
    out.push(':');
    let mut column = out.len();
    let clean: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    for (index, word) in clean.trim().split(' ').enumerate() {
        for (piece_index, piece) in pieces(word).enumerate() {
            let fits = column + 1 + piece.len() <= PREFERRED;
            // A fold directly before white space would make a line of white space alone.
            if (index > 0 || piece_index > 0) && !fits && !piece.is_empty() {
                out.push_str("\r\n");
                column = 0;
            }
            out.push(' ');
            out.push_str(piece);
            column += 1 + piece.len();
        }
    }
    out.push_str("\r\n");
    out
}

/// A word in pieces that fit a line; nearly always one.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(word);
    std::iter::from_fn(move || {
        let word = rest?;
        if word.len() <= MAX_WORD {
            rest = None;
            return Some(word);
        }
        let (piece, after) = word.split_at(word.floor_char_boundary(MAX_WORD));
        rest = Some(after);
        Some(piece)
    })
}

/// Text of another party where only a plain word is allowed, such as a HELO name: characters other than letters,
/// digits and `-._:[]` become question marks, and it is cut off after 255.
pub(super) fn sanitized_word(text: &str) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || "-._:[]".contains(c) { c } else { '?' };
    let word: String = text.chars().take(255).map(clean).collect();
    if word.is_empty() { "unknown".to_owned() } else { word }
}

/// Text of another party within a comment (RFC 5322 §3.2.2): characters that would end it are escaped.
pub(super) fn escaped_comment(text: &str) -> String {
    escape(text, &['(', ')', '\\'])
}

/// Text of another party where only ASCII is allowed (RFC 3464 §2.1.1): every other character is a question mark.
pub(super) fn ascii_only(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

/// Text of another party as a quoted string (RFC 5322 §3.2.4).
pub(super) fn quoted_string(text: &str) -> String {
    format!("\"{}\"", escape(text, &['"', '\\']))
}

fn escape(text: &str, special: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if special.contains(&c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
