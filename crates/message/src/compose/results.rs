//! The Authentication-Results field (RFC 8601).

use super::fold::{escaped_comment, field, quoted_string, sanitized_word};

/// The results of the checks of a message's sender.
#[derive(Debug, Clone)]
pub struct AuthenticationResults<'a> {
    /// The authserv-id: the host's name.
    pub host: &'a str,
    /// The results of each check, in order; without any, the field contains `none`.
    pub methods: Vec<MethodResult<'a>>,
}

/// One check's result.
#[derive(Debug, Clone)]
pub struct MethodResult<'a> {
    /// `spf`, `dkim`, `dmarc`, `iprev`, `auth`.
    pub method: &'a str,
    /// `pass`, `fail` and so on.
    pub result: &'a str,
    /// A comment for people.
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
        let mut payload = sanitized_word(self.host);
        if self.methods.is_empty() {
            payload.push_str("; none");
        }
        for method in &self.methods {
            payload.push_str(&format!(
                "; {}={}",
                sanitized_word(method.method),
                sanitized_word(method.result)
            ));
            if let Some(text) = &method.comment {
                payload.push_str(&format!(" ({})", escaped_comment(text)));
            }
            for (property, value) in &method.properties {
                payload.push_str(&format!(" {}={}", sanitized_word(property), property_value(value)));
            }
        }
        field("Authentication-Results", &payload)
    }
}

/// The value of a property, quoted where the grammar requires it.
///
/// ```abnf
/// pvalue = [CFWS] ( ( value / ( [ [ local-part ] "@" ] domain-name ) ) [CFWS] )
/// ```
fn property_value(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`{|}~@".contains(c);
    if !value.is_empty() && value.chars().all(plain) { value.to_owned() } else { quoted_string(value) }
}
