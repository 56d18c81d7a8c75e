//! Parameters that are divided into sections, `name*0=…; name*1=…`, joined without being decoded (RFC 2231 §3).

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::{Parameter, Parameters};

/// A parsed parameter name: `name*7*` is the section 7 of `name`, percent encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ParameterSection<'a> {
    pub(super) base: &'a [u8],
    pub(super) number: usize,
    pub(super) extended: bool,
}

/// The sections of one parameter by number, with the flag for percent encoding and the value. Of a section that is
/// repeated, the first counts.
#[derive(Debug, Default)]
struct SectionRun<'a> {
    sections: BTreeMap<usize, (bool, &'a [u8])>,
    is_written: bool,
}

impl Parameters {
    /// The names and values with continuations joined, as IMAP shows them (RFC 2231 §6): the joined one is named
    /// `name`, or `name*` when any of its sections was percent encoded, in the position of its section 0. Sections
    /// after a gap are left as they are, and repeated ones are left out.
    ///
    /// Each name is read a fixed number of times: a message may have a hundred thousand sections, and this is called at
    /// each FETCH BODYSTRUCTURE.
    pub fn joined(&self) -> Cow<'_, Self> {
        let sections: Vec<_> =
            self.0.iter().map(|parameter| ParameterSection::read(&parameter.name)).collect();
        if sections.iter().all(Option::is_none) {
            return Cow::Borrowed(self);
        }
        let mut runs: HashMap<Vec<u8>, SectionRun<'_>> = HashMap::new();
        for (section, parameter) in sections.iter().zip(&self.0) {
            let Some(section) = section else { continue };
            let run = runs.entry(section.base.to_ascii_lowercase()).or_default();
            run.sections.entry(section.number).or_insert((section.extended, &parameter.value));
        }
        runs.values_mut().for_each(SectionRun::end_at_gap);
        let mut joined = Vec::with_capacity(self.0.len());
        for (section, parameter) in sections.iter().zip(&self.0) {
            let run = section.and_then(|section| {
                let run = runs.get_mut(&section.base.to_ascii_lowercase())?;
                run.sections.contains_key(&section.number).then_some((section, run))
            });
            match run {
                Some((section, run)) if section.number == 0 && !run.is_written => {
                    run.is_written = true;
                    joined.push(run.whole(section.base));
                }
                Some(_) => {}
                None => joined.push(parameter.clone()),
            }
        }
        Cow::Owned(Self(joined))
    }
}

impl SectionRun<'_> {
    /// Keeps the sections from 0 on, up to the first that is missing.
    fn end_at_gap(&mut self) {
        let gap = (0..).zip(self.sections.keys()).find(|(expected, number)| expected != *number);
        if let Some((missing, _)) = gap {
            self.sections.split_off(&missing);
        }
    }

    fn whole(&self, base: &[u8]) -> Parameter {
        let extended = self.sections.values().any(|(extended, _)| *extended);
        let (mut name, mut joined) = (base.to_vec(), Vec::new());
        if extended {
            name.push(b'*');
            // An extended value begins with its charset and language, even if they are unknown.
            if self.sections.values().next().is_some_and(|(extended, _)| !extended) {
                joined.extend_from_slice(b"''");
            }
        }
        for (encoded, value) in self.sections.values() {
            if extended && !encoded {
                append_encoded(value, &mut joined);
            } else {
                joined.extend_from_slice(value);
            }
        }
        Parameter { name, value: joined }
    }
}

impl<'a> ParameterSection<'a> {
    /// Parses the name of a parameter that is a section (RFC 2231 §3, §4).
    ///
    /// ```abnf
    /// section := "*" ("0" / (%x31-39 *DIGIT)) ["*"]
    /// ```
    pub(super) fn read(name: &'a [u8]) -> Option<Self> {
        let (rest, extended) = match name.strip_suffix(b"*") {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let star = rest.iter().rposition(|octet| *octet == b'*').filter(|star| *star > 0)?;
        let digits = std::str::from_utf8(&rest[star + 1..]).ok()?;
        let number = digits.parse().ok().filter(|number: &usize| number.to_string() == digits)?;
        Some(Self { base: &rest[..star], number, extended })
    }
}

/// Keeps `attribute-char`, writes every other octet as `%HH` (RFC 2231 §7).
fn append_encoded(value: &[u8], out: &mut Vec<u8>) {
    for octet in value {
        if super::is_token(*octet) && !matches!(octet, b'*' | b'\'' | b'%') {
            out.push(*octet);
        } else {
            out.extend_from_slice(format!("%{octet:02X}").as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::mime::ContentType;

    fn joined(field: &str) -> Vec<(String, String)> {
        let parsed = ContentType::parse(field.as_bytes()).unwrap();
        let text = |octets: &[u8]| String::from_utf8(octets.to_vec()).unwrap();
        parsed.parameters.joined().0.iter().map(|one| (text(&one.name), text(&one.value))).collect()
    }

    #[test]
    fn continuations_are_joined_where_the_first_stood() {
        for (field, expected) in [
            ("a/b; x*0=\"a b\"; x*1=c; y=z", vec![("x", "a bc"), ("y", "z")]),
            ("a/b; y=z; x*1=c; X*0=ab", vec![("y", "z"), ("X", "abc")]),
            ("a/b; x*0*=utf-8''a%20b; x*1=\"c d\"; x*2*=%C3%A9", vec![("x*", "utf-8''a%20bc%20d%C3%A9")]),
            ("a/b; x*0=a; x*1*=%20b", vec![("x*", "''a%20b")]),
            ("a/b; x*=utf-8''%C3%A9", vec![("x*", "utf-8''%C3%A9")]),
            ("a/b; x=a", vec![("x", "a")]),
            ("a/b; x*0=a; X*0=b; x*1=c; x*1=d; x*3=e", vec![("x", "ac"), ("x*3", "e")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(joined(field), expected, "{field}");
        }
    }

    #[test]
    fn sections_that_follow_no_other_stay_as_they_are() {
        for (field, expected) in [
            ("a/b; x*1=a; x*2=b", vec![("x*1", "a"), ("x*2", "b")]),
            ("a/b; x*0=a; x*2=b", vec![("x", "a"), ("x*2", "b")]),
            ("a/b; x*00=a; x*+0=b; *0=c", vec![("x*00", "a"), ("x*+0", "b"), ("*0", "c")]),
            ("a/b; x*99999999999999999999=a", vec![("x*99999999999999999999", "a")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(joined(field), expected, "{field}");
        }
    }
}
