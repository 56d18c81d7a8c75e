//! Parameters that are divided into sections, `name*0=…; name*1=…`, put together without being decoded
//! (RFC 2231 §3).

use std::borrow::Cow;

use super::{Parameter, Parameters};

/// A parameter's name taken apart: `name*7*` is the section 7 of `name`, percent encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Section<'a> {
    base: &'a [u8],
    number: usize,
    extended: bool,
}

impl Parameters {
    /// The names and values with continuations joined, as IMAP shows them (RFC 2231 §6): the joined one
    /// is named `name`, or `name*` when any of its sections was percent encoded, and stands where its
    /// section 0 was. Sections that follow no other are left as they are.
    pub fn joined(&self) -> Cow<'_, Self> {
        if !self.0.iter().any(|parameter| Section::read(&parameter.name).is_some()) {
            return Cow::Borrowed(self);
        }
        let mut joined = Vec::with_capacity(self.0.len());
        for parameter in &self.0 {
            match Section::read(&parameter.name) {
                Some(first) if first.number == 0 => joined.push(self.whole(first.base)),
                Some(later) if later.number < self.run(later.base).len() => {}
                _ => joined.push(parameter.clone()),
            }
        }
        Cow::Owned(Self(joined))
    }

    /// The sections of that name from 0 on, up to the first that is missing.
    fn run(&self, base: &[u8]) -> Vec<(bool, &[u8])> {
        let section = |number| {
            self.0.iter().find_map(|one| {
                Section::read(&one.name)
                    .filter(|found| found.number == number && found.base.eq_ignore_ascii_case(base))
                    .map(|found| (found.extended, one.value.as_slice()))
            })
        };
        (0..self.0.len()).map_while(section).collect()
    }

    fn whole(&self, base: &[u8]) -> Parameter {
        let run = self.run(base);
        let extended = run.iter().any(|(extended, _)| *extended);
        let (mut name, mut joined) = (base.to_vec(), Vec::new());
        if extended {
            name.push(b'*');
            // An extended value begins with its charset and language, even if they are not known.
            if run.first().is_some_and(|(extended, _)| !extended) {
                joined.extend_from_slice(b"''");
            }
        }
        for (encoded, value) in run {
            if extended && !encoded {
                append_encoded(value, &mut joined);
            } else {
                joined.extend_from_slice(value);
            }
        }
        Parameter { name, value: joined }
    }
}

impl<'a> Section<'a> {
    /// ```abnf
    /// section := "*" ("0" / (%x31-39 *DIGIT)) ["*"]
    /// ```
    fn read(name: &'a [u8]) -> Option<Self> {
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

/// `attribute-char` stays, every other octet becomes `%HH` (RFC 2231 §7).
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
