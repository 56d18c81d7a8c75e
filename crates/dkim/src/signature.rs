//! A signature as a parsed field (RFC 6376 §3.5).

use address::Domain;

use crate::decode::{base64, items, number, quoted_printable};
use crate::header::{HeaderSection, SignatureField};
use crate::tags::TagList;
use crate::{Algorithm, Canonicalization, SignatureFailure};

/// A signature, parsed and not yet verified.
#[derive(Clone, Debug)]
pub struct Signature {
    /// The position of its field in the list of fields.
    pub(crate) at: usize,
    /// Its field in canonical form, without the value of `b=` and the white space around it.
    own_field: Vec<u8>,
    algorithm: Algorithm,
    domain: Domain,
    selector: String,
    key_name: Domain,
    /// The domain in `i=`; `None` if it is not a domain name.
    identity: Option<Domain>,
    header_form: Canonicalization,
    body_form: Canonicalization,
    names: Vec<Vec<u8>>,
    pub(crate) body_hash: Vec<u8>,
    pub(crate) body_length: Option<u64>,
    expiry: Option<u64>,
    pub(crate) octets: Vec<u8>,
}

/// The reason why a signature cannot be parsed. Then it proves nothing about the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The value is not a list of tags, or has a tag twice.
    #[error("malformed signature")]
    TagList,
    /// A required tag is missing.
    #[error("signature without the tag {0}=")]
    Missing(&'static str),
    /// A value is malformed for its tag.
    #[error("malformed tag {0}= in the signature")]
    Malformed(&'static str),
    /// The version is not 1.
    #[error("unknown signature version")]
    Version,
    /// The algorithm is unknown.
    #[error("unknown signature algorithm")]
    Algorithm,
    /// The canonicalization is unknown.
    #[error("unknown canonicalization")]
    Canonicalization,
    /// None of the query methods is known.
    #[error("unknown query method")]
    QueryMethod,
}

impl Signature {
    pub(crate) fn parse(field: &SignatureField<'_>) -> Result<Self, SignatureError> {
        let tags = TagList::parse(field.value()).map_err(|_| SignatureError::TagList)?;
        let required = |name| tags.value(name).ok_or(SignatureError::Missing(name));
        if required("v")? != b"1" {
            return Err(SignatureError::Version);
        }
        let algorithm = Algorithm::from_name(required("a")?).ok_or(SignatureError::Algorithm)?;
        let (header_form, body_form) = canonicalizations(tags.value("c"))?;
        let domain = text(required("d")?, "d")?;
        let domain = Domain::parse(domain).map_err(|_| SignatureError::Malformed("d"))?;
        let selector = text(required("s")?, "s")?.to_owned();
        let key_name = domain
            .with_prefix(&format!("{selector}._domainkey"))
            .map_err(|_| SignatureError::Malformed("s"))?;
        let identity = match tags.value("i") {
            Some(identity) => identity_domain(identity)?,
            None => Some(domain.clone()),
        };
        let names: Vec<_> = items(required("h")?).map(<[u8]>::to_vec).collect();
        if names.is_empty() {
            return Err(SignatureError::Malformed("h"));
        }
        let knows = |methods: &[u8]| items(methods).any(|method| method.eq_ignore_ascii_case(b"dns/txt"));
        if !tags.value("q").is_none_or(knows) {
            return Err(SignatureError::QueryMethod);
        }
        let count = |name| match tags.value(name) {
            Some(value) => number(value).map(Some).ok_or(SignatureError::Malformed(name)),
            None => Ok(None),
        };
        let (time, expiry) = (count("t")?, count("x")?);
        if time.zip(expiry).is_some_and(|(time, expiry)| expiry <= time) {
            return Err(SignatureError::Malformed("x"));
        }
        let octets = |name| {
            let octets = base64(required(name)?).filter(|octets| !octets.is_empty());
            octets.ok_or(SignatureError::Malformed(name))
        };
        let own_value = tags.tag("b").ok_or(SignatureError::Missing("b"))?.span.clone();
        Ok(Self {
            at: field.at,
            own_field: field.canonical_without(own_value, header_form),
            body_hash: octets("bh")?,
            octets: octets("b")?,
            body_length: count("l")?,
            algorithm,
            domain,
            selector,
            key_name,
            identity,
            header_form,
            body_form,
            names,
            expiry,
        })
    }

    /// The failure of the signature that does not depend on the key, if any. `now` is in seconds since 1970.
    ///
    /// A signing time in the future is not a failure, which RFC 6376 §3.5 leaves open: it does no harm, and
    /// with a slow local clock every signature would fail.
    pub fn early_failure(&self, section: &HeaderSection<'_>, now: u64) -> Option<SignatureFailure> {
        let from = self.names.iter().filter(|name| name.eq_ignore_ascii_case(b"From")).count();
        if from == 0 || from < section.count("From") {
            return Some(SignatureFailure::FromNotSigned);
        }
        if !self.identity.as_ref().is_some_and(|identity| identity.is_within(&self.domain)) {
            return Some(SignatureFailure::IdentityOutsideDomain);
        }
        if self.algorithm == Algorithm::RsaSha1 {
            return Some(SignatureFailure::RetiredAlgorithm);
        }
        self.expiry.filter(|expiry| *expiry < now).map(|_| SignatureFailure::Expired)
    }

    /// `d=`: the domain that is responsible for the message.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// `s=`: the selector of the domain's key.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// `a=`: the signature algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The octets of the signature itself.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// The name at which the key is published (RFC 6376 §3.6.2.1).
    pub fn key_name(&self) -> &Domain {
        &self.key_name
    }

    /// The canonicalization of the body.
    pub fn body_canonicalization(&self) -> Canonicalization {
        self.body_form
    }

    pub(crate) fn header_canonicalization(&self) -> Canonicalization {
        self.header_form
    }

    pub(crate) fn own_field(&self) -> &[u8] {
        &self.own_field
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.names.iter().map(Vec::as_slice)
    }

    /// True if the identity is in the domain itself and not below it.
    pub(crate) fn has_exact_identity(&self) -> bool {
        self.identity.as_ref() == Some(&self.domain)
    }
}

/// The canonicalizations in `c=`, of the header and of the body.
///
/// ```abnf
/// sig-c-tag-alg = "simple" / "relaxed" / x-sig-c-tag-alg
/// sig-c-tag     = %x63 [FWS] "=" [FWS] sig-c-tag-alg ["/" sig-c-tag-alg]
/// ```
fn canonicalizations(value: Option<&[u8]>) -> Result<(Canonicalization, Canonicalization), SignatureError> {
    let form = |name: &[u8]| match name {
        name if name.eq_ignore_ascii_case(b"simple") => Ok(Canonicalization::Simple),
        name if name.eq_ignore_ascii_case(b"relaxed") => Ok(Canonicalization::Relaxed),
        _ => Err(SignatureError::Canonicalization),
    };
    let Some(value) = value else { return Ok((Canonicalization::Simple, Canonicalization::Simple)) };
    match memchr::memchr(b'/', value) {
        Some(slash) => Ok((form(&value[..slash])?, form(&value[slash + 1..])?)),
        None => Ok((form(value)?, Canonicalization::Simple)),
    }
}

/// The domain of the identity in `i=`; `None` if it is not a domain name.
///
/// ```abnf
/// sig-i-tag = %x69 [FWS] "=" [FWS] [ Local-part ] "@" domain-name
/// ```
fn identity_domain(value: &[u8]) -> Result<Option<Domain>, SignatureError> {
    let malformed = SignatureError::Malformed("i");
    let identity = quoted_printable(value).ok_or(malformed)?;
    let at = memchr::memrchr(b'@', &identity).ok_or(malformed)?;
    let domain = std::str::from_utf8(&identity[at + 1..]).map_err(|_| malformed)?;
    Ok(Domain::parse(domain).ok())
}

fn text<'a>(value: &'a [u8], name: &'static str) -> Result<&'a str, SignatureError> {
    std::str::from_utf8(value).map_err(|_| SignatureError::Malformed(name))
}

#[cfg(test)]
mod tests;
