//! The Authentication-Results field (RFC 8601).

use std::ops::Range;

use super::fold::{comment, field, quoted, word};
use crate::{field::fields, token::Cursor};

/// What we found out about a message's sender.
#[derive(Debug, Clone)]
pub struct AuthenticationResults<'a> {
    /// Our name for whoever reads the field: the host's.
    pub host: &'a str,
    /// One for each check, in order; the field says `none` when there was none.
    pub methods: Vec<MethodResult<'a>>,
}

/// One check's result.
#[derive(Debug, Clone)]
pub struct MethodResult<'a> {
    /// `spf`, `dkim`, `dmarc`, `iprev`, `auth`.
    pub method: &'a str,
    /// `pass`, `fail` and so on.
    pub result: &'a str,
    /// Words for a person.
    pub comment: Option<String>,
    /// Property and value, such as `smtp.mailfrom` and the address.
    pub properties: Vec<(&'a str, String)>,
}

impl AuthenticationResults<'_> {
    /// The field with its line end.
    ///
    /// ```abnf
    /// authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS]
    /// no-result       = [CFWS] ";" [CFWS] "none"
    /// resinfo         = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
    /// ```
    pub fn field(&self) -> String {
        let mut payload = word(self.host);
        if self.methods.is_empty() {
            payload.push_str("; none");
        }
        for method in &self.methods {
            payload.push_str(&format!("; {}={}", word(method.method), word(method.result)));
            if let Some(text) = &method.comment {
                payload.push_str(&format!(" ({})", comment(text)));
            }
            for (property, value) in &method.properties {
                payload.push_str(&format!(" {}={}", word(property), property_value(value)));
            }
        }
        field("Authentication-Results", &payload)
    }
}

/// ```abnf
/// pvalue = [CFWS] ( ( value / ( [ [ local-part ] "@" ] domain-name ) ) [CFWS] )
/// ```
fn property_value(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`{|}~@".contains(c);
    if !value.is_empty() && value.chars().all(plain) { value.to_owned() } else { quoted(value) }
}

/// Where fields lie that claim to be ours but came with the message. They must go before ours is put on
/// top, or a stranger could vouch for itself (RFC 8601 §5).
pub fn forged_results(header: &[u8], host: &str) -> Vec<Range<usize>> {
    fields(header)
        .filter(|field| field.is("Authentication-Results"))
        .filter(|field| {
            let mut cursor = Cursor::new(field.value);
            cursor.skip_cfws();
            let named = match cursor.quoted_string() {
                Some(name) => name,
                None => cursor.take_while(|octet| !matches!(octet, b';' | b'(' | 0..=b' ')).to_vec(),
            };
            named.eq_ignore_ascii_case(host.as_bytes())
        })
        .map(|field| field.start..field.end)
        .collect()
}
