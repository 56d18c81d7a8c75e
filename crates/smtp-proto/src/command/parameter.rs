//! The common syntax of MAIL and RCPT: a path, then parameters.

use std::borrow::Cow;

/// Splits `FROM:<path> NAME=value …` after its keyword into the path with its brackets and the parameters.
pub(super) fn split_path<'a>(arguments: &'a str, keyword: &str) -> Option<(Cow<'a, str>, &'a str)> {
    let (given, rest) = arguments.split_at_checked(keyword.len())?;
    if !given.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = quirk_blank_before_path(rest);
    if let Some(found) = quirk_path_without_brackets(rest) {
        return Some(found);
    }
    let end = path_end(rest)?;
    match rest[end..].strip_prefix(' ') {
        Some(parameters) => Some((rest[..end].into(), parameters)),
        None if end == rest.len() => Some((rest.into(), "")),
        None => None,
    }
}

/// Printers, cameras and scripts write `MAIL FROM:ann@example.org`, which has only one meaning; Postfix, Exim and
/// Sendmail accept it. This covers plain addresses only: a client that writes quotes or brackets knows the syntax.
fn quirk_path_without_brackets(rest: &str) -> Option<(Cow<'_, str>, &str)> {
    let (address, parameters) = rest.split_once(' ').unwrap_or((rest, ""));
    let plain = address.contains('@') && !address.contains(['<', '>', '"']);
    plain.then(|| (format!("<{address}>").into(), parameters))
}

/// Some clients write `MAIL FROM: <ann@example.org>`; RFC 5321 §3.3 mentions them and allows a server to be lenient.
fn quirk_blank_before_path(rest: &str) -> &str {
    rest.trim_start_matches(' ')
}

/// The end of the path's closing bracket. A bracket within quotes does not count.
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
pub(super) fn parse_parameters(parameters: &str) -> impl Iterator<Item = (String, Option<&str>)> {
    parameters.split(' ').filter(|parameter| !parameter.is_empty()).map(|parameter| {
        let (keyword, value) = match parameter.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (parameter, None),
        };
        (keyword.to_ascii_uppercase(), value)
    })
}
