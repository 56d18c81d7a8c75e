use std::fmt;

use crate::serde_as_text;

/// A domain name as DNS and SMTP compare it: lower case, A-labels, no trailing dot, at most 253 octets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Box<str>);

/// The reason why a text is not a domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// The text is empty, or only a dot.
    #[error("a domain name is empty")]
    Empty,
    /// More than 253 octets (RFC 1035 §2.3.4, less the length octets).
    #[error("the domain name has {0} octets; at most 253 are allowed")]
    TooLong(usize),
    /// A label is empty, too long, or has a character that host names do not have.
    #[error("{0:?} is not a label of a domain name: 1 to 63 letters, digits and inner hyphens")]
    BadLabel(String),
    /// A name in another script is refused by IDNA.
    #[error("{0:?} is not an internationalised domain name (RFC 5891)")]
    NotIdna(String),
}

impl Domain {
    const MAX_LEN: usize = 253;
    const MAX_LABEL: usize = 63;

    /// Reads a domain name: `Domain = sub-domain *("." sub-domain)` (RFC 5321 §4.1.2), U-labels (RFC 6531
    /// §3.3) or a trailing dot allowed.
    ///
    /// An underscore is accepted within a label, since DNS has names such as `_dmarc.example.org`.
    pub fn parse(text: &str) -> Result<Self, DomainError> {
        // IDNA is not quadratic, but not free either: a text longer than four times the limit cannot be a name.
        if text.len() > 4 * Self::MAX_LEN {
            return Err(DomainError::TooLong(text.len()));
        }
        let text = text.strip_suffix('.').unwrap_or(text);
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).map_err(|_| DomainError::NotIdna(text.to_owned()))?
        };
        if ascii.is_empty() {
            return Err(DomainError::Empty);
        }
        if ascii.len() > Self::MAX_LEN {
            return Err(DomainError::TooLong(ascii.len()));
        }
        match ascii.split('.').find(|label| !is_label(label)) {
            Some(label) => Err(DomainError::BadLabel(label.to_owned())),
            None => Ok(Self(ascii.into())),
        }
    }

    /// The name in A-labels, without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name with the root's dot, so that a resolver applies no search list.
    pub fn to_fqdn(&self) -> String {
        format!("{}.", self.0)
    }

    /// The labels, leftmost first.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// The name in U-labels, for people. An A-label that decodes to nothing, such as `xn--a`, is not in any registry
    /// (RFC 5891 §5.4), and the error names it; such a name can be looked up in DNS all the same.
    pub fn to_unicode(&self) -> Result<String, DomainError> {
        let labels = self.labels().map(|label| match idna::domain_to_unicode(label) {
            _ if !label.starts_with("xn--") => Ok(label.to_owned()),
            (unicode, Ok(())) => Ok(unicode),
            (_, Err(_)) => Err(DomainError::NotIdna(label.to_owned())),
        });
        Ok(labels.collect::<Result<Vec<_>, _>>()?.join("."))
    }

    /// True if this is `ancestor`, or a name below it.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.0.strip_suffix(&*ancestor.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The name without its first label; `None` if it has one label only.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_once('.').map(|(_, parent)| Self(parent.into()))
    }

    /// This name with `labels` put in front: `example.org` with `mail` is `mail.example.org`.
    pub fn with_prefix(&self, labels: &str) -> Result<Self, DomainError> {
        Self::parse(&format!("{labels}.{}", self.0))
    }
}

/// `sub-domain = Let-dig [Ldh-str]`, with `_` beside letters.
fn is_label(label: &str) -> bool {
    let octets = label.as_bytes();
    !octets.is_empty()
        && octets.len() <= Domain::MAX_LABEL
        && octets.iter().all(|o| o.is_ascii_alphanumeric() || *o == b'-' || *o == b'_')
        && octets.first() != Some(&b'-')
        && octets.last() != Some(&b'-')
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl std::str::FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        Self::parse(text)
    }
}

serde_as_text!(Domain);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_within_itself_and_every_domain_above() {
        let domain = |text: &str| Domain::parse(text).unwrap();
        let mail = domain("mail.example.org");
        for (ancestor, expected) in [
            ("mail.example.org", true),
            ("example.org", true),
            ("org", true),
            ("ample.org", false),
            ("a.mail.example.org", false),
        ] {
            assert_eq!(mail.is_within(&domain(ancestor)), expected, "{ancestor}");
        }
        assert_eq!(mail.parent(), Some(domain("example.org")));
        assert_eq!(domain("org").parent(), None);
    }

    #[test]
    fn an_a_label_that_decodes_to_nothing_has_no_unicode_form() {
        let unicode = |text: &str| Domain::parse(text).unwrap().to_unicode();
        assert_eq!(unicode("xn--mnchen-3ya.example").unwrap(), "m\u{fc}nchen.example");
        assert_eq!(unicode("_dmarc.example.org").unwrap(), "_dmarc.example.org");
        for bad in ["xn--a.example", "mail.xn--zzzzzzzzzzzz"] {
            assert!(matches!(unicode(bad), Err(DomainError::NotIdna(_))), "{bad}");
        }
    }

    fn domain(text: &str) -> Domain {
        Domain::parse(text).unwrap()
    }

    #[test]
    fn names_are_stored_as_lower_case_a_labels_without_the_root() {
        for (given, held) in [
            ("example.org", "example.org"),
            ("EXAMPLE.Org.", "example.org"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("_dmarc.example.org", "_dmarc.example.org"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(domain(given).as_str(), held);
        }
    }

    #[test]
    fn malformed_names_are_refused() {
        let long_label = "a".repeat(64);
        let long_name = ["a".repeat(63).as_str(); 5].join(".");
        for bad in
            ["", ".", "a..b", "-a.example", "a-.example", "a b.example", "a@b", "ex\0ample", "[127.0.0.1]"]
                .into_iter()
                .chain([long_label.as_str(), long_name.as_str()])
        {
            assert!(Domain::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn a_name_round_trips_through_toml() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Settings {
            domain: Domain,
        }
        let written = toml::to_string(&Settings { domain: domain("example.org") }).unwrap();
        assert_eq!(written, "domain = \"example.org\"\n");
        assert_eq!(toml::from_str::<Settings>(&written).unwrap().domain, domain("example.org"));
        assert!(toml::from_str::<Settings>("domain = \"a b\"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed_or_refused_and_names_round_trip(text in ".{0,80}") {
            if let Ok(domain) = Domain::parse(&text) {
                proptest::prop_assert_eq!(Domain::parse(domain.as_str()), Ok(domain.clone()));
            }
        }
    }
}
