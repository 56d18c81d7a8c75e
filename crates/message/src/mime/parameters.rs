//! Parameters: `; name=value` (RFC 2045 §5.1), and their continuations and charsets (RFC 2231).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{continuations::ParameterSection, is_token};
use crate::{token::Cursor, transfer};

/// The most parameters of one field that are read.
pub const MAX_PARAMETERS: usize = 100;

/// One parameter as written, its value without quoting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name with all its asterisks.
    pub name: Vec<u8>,
    /// The value; percent encoding left as it is.
    pub value: Vec<u8>,
}

/// The parameters of one field in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters(pub Vec<Parameter>);

/// A parameter's decoded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The octets in that charset.
    pub value: Cow<'a, [u8]>,
    /// The charset's name, if given.
    pub charset: Option<&'a [u8]>,
}

impl Parameters {
    /// Reads parameters up to the end of the field.
    ///
    /// ```abnf
    /// parameter := attribute "=" value
    /// value     := token / quoted-string
    /// ```
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Self {
        let mut found = Vec::new();
        while found.len() < MAX_PARAMETERS {
            cursor.take_while(|octet| !matches!(octet, b';' | b'"' | b'('));
            match cursor.peek() {
                None => break,
                Some(b'"') => drop(cursor.quoted_string()),
                Some(b'(') => drop(cursor.skip_cfws()),
                Some(_) => {
                    cursor.advance();
                    found.extend(Self::parameter(cursor));
                }
            }
        }
        Self(found)
    }

    fn parameter(cursor: &mut Cursor<'_>) -> Option<Parameter> {
        cursor.skip_cfws();
        let name = cursor.take_while(is_token).to_vec();
        cursor.skip_cfws();
        if name.is_empty() || !cursor.accept(b'=') {
            return None;
        }
        cursor.skip_cfws();
        let value = match cursor.quoted_string() {
            Some(value) => value,
            None => quirk_unquoted_value(cursor),
        };
        Some(Parameter { name, value })
    }

    /// The first parameter with exactly this name.
    pub fn named(&self, name: &str) -> Option<&[u8]> {
        let same = |parameter: &&Parameter| parameter.name.eq_ignore_ascii_case(name.as_bytes());
        self.0.iter().find(same).map(|parameter| parameter.value.as_slice())
    }

    /// The value with continuations joined and percent encoding decoded (RFC 2231 §3 and §4).
    pub fn decoded(&self, name: &str) -> Option<Decoded<'_>> {
        if let Some(value) = self.named(name) {
            return Some(Decoded { value: Cow::Borrowed(value), charset: None });
        }
        let mut joined = Vec::new();
        if let Some(value) = self.named(&format!("{name}*")) {
            let charset = append_extended(value, true, &mut joined);
            return Some(Decoded { value: Cow::Owned(joined), charset });
        }
        let mut charset = None;
        for (number, (extended, value)) in (0..).zip(self.sections(name)?) {
            if extended {
                let found = append_extended(value, number == 0, &mut joined);
                charset = charset.or(found);
            } else {
                joined.extend_from_slice(value);
            }
        }
        Some(Decoded { value: Cow::Owned(joined), charset })
    }

    /// The sections of a parameter from 0 on, up to the first that is missing; `None` without a section 0. Of a section
    /// that occurs plain and percent encoded, the plain one counts.
    fn sections(&self, name: &str) -> Option<impl Iterator<Item = (bool, &[u8])>> {
        let mut found = BTreeMap::new();
        for parameter in &self.0 {
            let section = ParameterSection::read(&parameter.name);
            let Some(section) = section.filter(|one| one.base.eq_ignore_ascii_case(name.as_bytes())) else {
                continue;
            };
            let this = (section.extended, parameter.value.as_slice());
            let kept = found.entry(section.number).or_insert(this);
            if kept.0 && !this.0 {
                *kept = this;
            }
        }
        let run = (0..).zip(found).take_while(|(expected, (number, _))| expected == number);
        let mut run = run.map(|(_, (_, section))| section).peekable();
        run.peek().is_some().then_some(run)
    }
}

/// Values such as `name=report 2026.pdf` or `boundary=a/b` need quoting and often lack it; every mail program writes
/// them or reads them. The value then extends to the semicolon or the line's end.
fn quirk_unquoted_value(cursor: &mut Cursor<'_>) -> Vec<u8> {
    let value = cursor.take_while(|octet| !matches!(octet, b';' | b'\r' | b'\n' | b'(' | b'"' | 0));
    value.trim_ascii().to_vec()
}

/// Appends a percent-encoded value, and returns the charset of an initial one (RFC 2231 §7).
///
/// ```abnf
/// extended-initial-value := [charset] "'" [language] "'" extended-other-values
/// extended-other-values  := *(ext-octet / attribute-char)
/// ```
fn append_extended<'a>(value: &'a [u8], initial: bool, out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut charset = None;
    let mut text = value;
    if initial {
        let mut pieces = value.splitn(3, |octet| *octet == b'\'');
        if let (Some(first), Some(_language), Some(rest)) = (pieces.next(), pieces.next(), pieces.next()) {
            charset = Some(first).filter(|name| !name.is_empty());
            text = rest;
        }
    }
    transfer::decode_percent(text, out);
    charset
}
