//! The field `Authentication-Results` (RFC 8601) as a value.

use std::fmt;

use address::Domain;

/// What was found out about one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticationResults {
    /// `authserv-id`: who found it out.
    server: Domain,
    findings: Vec<Finding>,
}

/// The result of one method: `resinfo` (RFC 8601 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked.
    pub method: Method,
    /// How it ended.
    pub verdict: Verdict,
    /// Why, for a person.
    pub reason: Option<String>,
    /// What it is about: `ptype "." property` and its value.
    pub properties: Vec<(&'static str, String)>,
}

/// What can be checked (RFC 8601 §2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The address has a name that has the address (RFC 8601 §3).
    Iprev,
    /// The address may send for the domain (RFC 7208).
    Spf,
    /// The domain signed the message (RFC 6376).
    Dkim,
    /// One of the two stands for the author's domain (RFC 7489).
    Dmarc,
}

/// How a check ended. Each method uses some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There was nothing to check.
    None,
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// It does not, and the domain is not sure of its own record.
    SoftFail,
    /// Nothing can be said.
    Neutral,
    /// What was needed could not be had just now.
    TempError,
    /// What was needed is wrong, and will be.
    PermError,
}

impl AuthenticationResults {
    /// No results yet.
    pub fn new(server: Domain) -> Self {
        Self { server, findings: Vec::new() }
    }

    pub(super) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    /// All that was found.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The whole field, folded and ended by CRLF.
    pub fn to_field(&self) -> String {
        format!("Authentication-Results: {self}\r\n")
    }
}

impl Finding {
    pub(super) fn new(method: Method, verdict: Verdict) -> Self {
        Self { method, verdict, reason: None, properties: Vec::new() }
    }

    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    pub(super) fn about(mut self, property: &'static str, value: impl Into<String>) -> Self {
        self.properties.push((property, value.into()));
        self
    }
}

/// `authserv-id ( ";" "none" / 1*( ";" resinfo ) )` (RFC 8601 §2.2), each result on a line of its own.
impl fmt::Display for AuthenticationResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(f)?;
        if self.findings.is_empty() {
            return f.write_str("; none");
        }
        self.findings.iter().try_for_each(|finding| write!(f, ";\r\n\t{finding}"))
    }
}

/// `method "=" result [ reasonspec ] [ 1*propspec ]`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.method.name(), self.verdict.name())?;
        if let Some(reason) = &self.reason {
            write!(f, " reason={}", Value(reason))?;
        }
        self.properties.iter().try_for_each(|(property, value)| write!(f, "\r\n\t\t{property}={}", Value(value)))
    }
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Iprev => "iprev",
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Dmarc => "dmarc",
        }
    }
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// `pvalue = ( value / [ [ local-part ] "@" ] domain-name )`, with `value = token / quoted-string`.
///
/// Strangers choose these texts: whatever they are, one value comes out, short and on its line.
struct Value<'a>(&'a str);

impl Value<'_> {
    const LONGEST: usize = 320;
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._+@:/=".contains(c);
        if !self.0.is_empty() && self.0.len() <= Self::LONGEST && self.0.chars().all(plain) && is_token_like(self.0) {
            return f.write_str(self.0);
        }
        f.write_str("\"")?;
        for c in self.0.chars().take(Self::LONGEST) {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                ' '..='~' => write!(f, "{c}")?,
                _ => f.write_str("?")?,
            }
        }
        f.write_str("\"")
    }
}

/// A token (RFC 2045 §5.1) has none of `@:/=`; an address may have one `@`.
fn is_token_like(text: &str) -> bool {
    !text.contains([':', '/', '=']) && text.matches('@').count() <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> Domain {
        Domain::parse("mx.example.org").unwrap()
    }

    #[test]
    fn without_a_result_the_field_says_none() {
        assert_eq!(
            AuthenticationResults::new(server()).to_field(),
            "Authentication-Results: mx.example.org; none\r\n"
        );
    }

    #[test]
    fn results_are_folded_one_a_line() {
        let mut results = AuthenticationResults::new(server());
        results.extend([
            Finding::new(Method::Spf, Verdict::SoftFail).about("smtp.mailfrom", "ann@example.net"),
            Finding::new(Method::Dkim, Verdict::Fail).because("body hash did not verify").about("header.b", "a/b="),
        ]);
        assert_eq!(
            results.to_field(),
            "Authentication-Results: mx.example.org;\r\n\
             \tspf=softfail\r\n\t\tsmtp.mailfrom=ann@example.net;\r\n\
             \tdkim=fail reason=\"body hash did not verify\"\r\n\t\theader.b=\"a/b=\"\r\n"
        );
    }

    #[test]
    fn a_hostile_value_stays_one_value_on_one_line() {
        let long = "x".repeat(5000);
        for hostile in ["a\r\nX-Evil: yes", "a\"; dkim=pass", "\\", "", "ä", long.as_str(), "a;b", "a(b"] {
            let text = Value(hostile).to_string();
            assert!(text.starts_with('"') && text.ends_with('"'), "{text}");
            assert!(text.is_ascii() && text.len() < 700 && !text.contains(['\r', '\n']), "{text}");
        }
    }
}
