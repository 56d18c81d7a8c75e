//! Results that a message brings along in our name.

use address::Domain;

/// Whether a field of a message that comes in claims to hold results of ours (RFC 8601 §5). Such a field is forged
/// and must be taken out before the true one goes on top.
pub fn is_forged(name: &[u8], value: &[u8], hostname: &Domain) -> bool {
    name.eq_ignore_ascii_case(b"Authentication-Results")
        && authserv_id(value).eq_ignore_ascii_case(hostname.as_str().as_bytes())
}

/// `[CFWS] authserv-id`, where `authserv-id = value` (RFC 8601 §2.2).
fn authserv_id(value: &[u8]) -> &[u8] {
    let value = skip_cfws(value);
    if let Some(quoted) = value.strip_prefix(b"\"") {
        return &quoted[..quoted.iter().position(|octet| *octet == b'"').unwrap_or(quoted.len())];
    }
    let end = value.iter().position(|octet| octet.is_ascii_whitespace() || matches!(octet, b';' | b'('));
    // A name may be written with the root at its end.
    value[..end.unwrap_or(value.len())].strip_suffix(b".").unwrap_or(&value[..end.unwrap_or(value.len())])
}

/// `CFWS` (RFC 5322 §3.2.2): white space and comments, which may be nested.
fn skip_cfws(value: &[u8]) -> &[u8] {
    let (mut depth, mut quoted) = (0_u32, false);
    for (at, octet) in value.iter().enumerate() {
        match octet {
            _ if quoted => quoted = false,
            b'\\' if depth > 0 => quoted = true,
            b'(' => depth += 1,
            b')' if depth > 0 => depth -= 1,
            _ if depth > 0 || octet.is_ascii_whitespace() => {}
            _ => return &value[at..],
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_in_our_name_is_forged_however_it_is_written() {
        let hostname = Domain::parse("mx.example.org").unwrap();
        for (value, forged) in [
            (" mx.example.org; spf=pass", true),
            ("mx.example.org", true),
            ("\r\n\t(a (nested) \\) comment) MX.Example.org. 1; none", true),
            (" \"mx.example.org\"; none", true),
            (" mx.example.org(c); none", true),
            (" mx.example.net; spf=pass", false),
            (" (mx.example.org) other.example; none", false),
            ("", false),
            ("(", false),
        ] {
            assert_eq!(is_forged(b"authentication-results", value.as_bytes(), &hostname), forged, "{value:?}");
        }
        assert!(!is_forged(b"Received", b" mx.example.org; none", &hostname));
    }
}
