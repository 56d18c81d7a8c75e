//! Lists of tags and values (RFC 6376 §3.2), the format of signatures and key records.

use std::ops::Range;

use crate::decode::{is_fws, trim_fws};

/// The most tags of a list; RFC 6376 defines fifteen.
const MAX_TAGS: usize = 64;

/// A list of tags without duplicate names.
#[derive(Debug)]
pub(crate) struct TagList<'a> {
    tags: Vec<Tag<'a>>,
}

/// A tag's name and value.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    pub(crate) name: &'a [u8],
    /// The value without the white space around it.
    pub(crate) value: &'a [u8],
    /// The octets of the list between the equals sign and the end of the tag: the value and the white space around it.
    pub(crate) span: Range<usize>,
}

/// The octets are not a list of tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MalformedTagList;

impl<'a> TagList<'a> {
    /// Parses a list of tags. A list with a duplicate name is invalid as a whole.
    ///
    /// ```abnf
    /// tag-list  =  tag-spec *( ";" tag-spec ) [ ";" ]
    /// tag-spec  =  [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
    /// tag-name  =  ALPHA *ALNUMPUNC
    /// tag-value =  [ tval *( 1*(WSP / FWS) tval ) ]
    /// tval      =  1*VALCHAR
    /// VALCHAR   =  %x21-3A / %x3C-7E        ; and UTF-8 (RFC 8616 §4)
    /// ```
    pub(crate) fn parse(octets: &'a [u8]) -> Result<Self, MalformedTagList> {
        let mut tags: Vec<Tag<'a>> = Vec::new();
        let mut start = 0;
        for spec in octets.split(|octet| *octet == b';') {
            let at = start;
            start += spec.len() + 1;
            if quirk_is_empty(spec) {
                continue;
            }
            let equals = memchr::memchr(b'=', spec).ok_or(MalformedTagList)?;
            let (name, value) = (trim_fws(&spec[..equals]), trim_fws(&spec[equals + 1..]));
            let is_duplicate = tags.iter().any(|tag| tag.name == name);
            if is_duplicate || !is_name(name) || !is_value(value) || tags.len() == MAX_TAGS {
                return Err(MalformedTagList);
            }
            tags.push(Tag { name, value, span: at + equals + 1..at + spec.len() });
        }
        Ok(Self { tags })
    }

    /// The tag with this name; names are compared with regard to case.
    pub(crate) fn tag(&self, name: &str) -> Option<&Tag<'a>> {
        self.tags.iter().find(|tag| tag.name == name.as_bytes())
    }

    /// The value of the tag with this name.
    pub(crate) fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.tag(name).map(|tag| tag.value)
    }
}

/// True for an empty item between two semicolons, which administrators write in key records.
fn quirk_is_empty(spec: &[u8]) -> bool {
    spec.iter().all(|octet| is_fws(*octet))
}

fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|octet| octet.is_ascii_alphanumeric() || *octet == b'_')
}

fn is_value(value: &[u8]) -> bool {
    value.iter().all(|octet| octet.is_ascii_graphic() || is_fws(*octet) || !octet.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_tags_names_and_values_is_ignored() {
        let octets = b" v = 1 ;\r\n\ta=rsa-sha256;b= ab\r\n cd ; x_1=;";
        let list = TagList::parse(octets).unwrap();
        assert_eq!(list.value("v"), Some(b"1".as_slice()));
        assert_eq!(list.value("a"), Some(b"rsa-sha256".as_slice()));
        assert_eq!(list.value("b"), Some(b"ab\r\n cd".as_slice()));
        assert_eq!(list.value("x_1"), Some(b"".as_slice()));
        assert_eq!(list.value("A"), None);
        assert_eq!(octets[list.tag("b").unwrap().span.clone()], *b" ab\r\n cd ");
    }

    #[test]
    fn a_value_may_contain_an_equals_sign() {
        let list = TagList::parse(b"bh=ab==;i==40x").unwrap();
        assert_eq!(list.value("bh"), Some(b"ab==".as_slice()));
        assert_eq!(list.value("i"), Some(b"=40x".as_slice()));
    }

    #[test]
    fn a_malformed_list_is_refused() {
        let many = (0..65).map(|number| format!("t{number}=x;")).collect::<String>();
        let refused = ["a=1;a=2", "nonsense", "=1", "1a=x", "a-b=x", "a=\0", "a=x;b", many.as_str()];
        for list in refused {
            assert!(TagList::parse(list.as_bytes()).is_err(), "{list:?}");
        }
        assert!(TagList::parse(b"a=1;;b=2;").is_ok());
    }
}
