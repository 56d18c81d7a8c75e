//! What MAIL and RCPT have in common: a path, then parameters.

/// Splits `FROM:<path> NAME=value …` behind its keyword into the path with its brackets and the parameters.
pub(super) fn split_path<'a>(arguments: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (given, rest) = arguments.split_at_checked(keyword.len())?;
    if !given.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = quirk_blank_before_path(rest);
    let end = path_end(rest)?;
    match rest[end..].strip_prefix(' ') {
        Some(parameters) => Some((&rest[..end], parameters)),
        None if end == rest.len() => Some((rest, "")),
        None => None,
    }
}

/// Some clients write `MAIL FROM: <ann@example.org>`; RFC 5321 §3.3 knows them and lets a server be lenient.
fn quirk_blank_before_path(rest: &str) -> &str {
    rest.trim_start_matches(' ')
}

/// Where the path's closing bracket ends; one within quotes is none.
fn path_end(rest: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, octet) in rest.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// `Mail-parameters = esmtp-param *(SP esmtp-param)`, `esmtp-param = esmtp-keyword ["=" esmtp-value]`
/// (RFC 5321 §4.1.2), each as its keyword in upper case and its value.
pub(super) fn each(parameters: &str) -> impl Iterator<Item = (String, Option<&str>)> {
    parameters.split(' ').filter(|parameter| !parameter.is_empty()).map(|parameter| {
        let (keyword, value) = match parameter.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (parameter, None),
        };
        (keyword.to_ascii_uppercase(), value)
    })
}
