//! BODY and BODYSTRUCTURE as IMAP writes them (RFC 3501 §7.4.2 and §9).
//!
//! The functions recurse as deep as the message's parts nest, which the outline bounds.

use std::io::Write as _;

use imap_proto::response::string::{nstring, string};
use message::{
    Outline, Part,
    mime::{ContentDisposition, Parameters},
    outline::Content,
};

use super::envelope;

/// The amount of detail in a body structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// BODY: without the extension data.
    Basic,
    /// BODYSTRUCTURE: with the extension data.
    Extended,
}

/// ```abnf
/// body          = "(" (body-type-1part / body-type-mpart) ")"
/// body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
/// body-ext-mpart  = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc ...]]]
/// ```
pub(super) fn write(out: &mut Vec<u8>, part: &Part, detail: Detail) {
    out.push(b'(');
    match &part.content {
        Content::Multipart(parts) => {
            parts.iter().for_each(|inner| write(out, inner, detail));
            out.push(b' ');
            string(out, &part.content_type.subtype);
            if detail == Detail::Extended {
                out.push(b' ');
                parameters(out, &part.content_type.parameters, None);
                disposition_to_location(out, part);
            }
        }
        Content::Message(message) => single(out, part, Some(message), detail),
        Content::Single => single(out, part, None, detail),
    }
    out.push(b')');
}

/// ```abnf
/// body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
/// body-type-basic = media-basic SP body-fields
/// body-type-msg   = media-message SP body-fields SP envelope SP body SP body-fld-lines
/// body-type-text  = media-text SP body-fields SP body-fld-lines
/// body-ext-1part  = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc ...]]]
/// ```
fn single(out: &mut Vec<u8>, part: &Part, message: Option<&Outline>, detail: Detail) {
    let text = part.content_type.has_kind("text");
    string(out, &part.content_type.kind);
    out.push(b' ');
    string(out, &part.content_type.subtype);
    out.push(b' ');
    fields(out, part, text);
    if let Some(message) = message {
        out.push(b' ');
        envelope::write(out, &message.envelope);
        out.push(b' ');
        write(out, &message.root, detail);
    }
    if text || message.is_some() {
        number(out, part.lines);
    }
    if detail == Detail::Extended {
        out.push(b' ');
        nstring(out, part.md5.as_deref());
        disposition_to_location(out, part);
    }
}

/// ```abnf
/// body-fields = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
/// ```
fn fields(out: &mut Vec<u8>, part: &Part, text: bool) {
    // RFC 2046 §4.1.2: the charset of text that does not name one.
    let default = text.then_some((&b"charset"[..], &b"us-ascii"[..]));
    parameters(out, &part.content_type.parameters, default);
    out.push(b' ');
    nstring(out, part.id.as_deref());
    out.push(b' ');
    nstring(out, part.description.as_deref());
    out.push(b' ');
    string(out, part.encoding.as_deref().unwrap_or(b"7bit"));
    number(out, part.body.octets);
}

/// ```abnf
/// SP body-fld-dsp SP body-fld-lang SP body-fld-loc
/// ```
fn disposition_to_location(out: &mut Vec<u8>, part: &Part) {
    out.push(b' ');
    match &part.disposition {
        None => out.extend_from_slice(b"NIL"),
        Some(ContentDisposition { kind, parameters: with }) => {
            out.push(b'(');
            string(out, kind);
            out.push(b' ');
            parameters(out, with, None);
            out.push(b')');
        }
    }
    out.push(b' ');
    match part.language.as_slice() {
        [] => out.extend_from_slice(b"NIL"),
        [one] => string(out, one),
        several => list(out, several.iter().map(Vec::as_slice)),
    }
    out.push(b' ');
    nstring(out, part.location.as_deref());
}

/// `body-fld-param = "(" string SP string *(SP string SP string) ")" / nil`, with a default parameter that is added
/// when it is missing. Continuations are shown joined (RFC 2231 §6).
fn parameters(out: &mut Vec<u8>, given: &Parameters, default: Option<(&[u8], &[u8])>) {
    let missing = default.filter(|(name, _)| !given.0.iter().any(|one| one.name.eq_ignore_ascii_case(name)));
    let joined = given.joined();
    let pairs = joined.0.iter().map(|one| (one.name.as_slice(), one.value.as_slice())).chain(missing);
    let words: Vec<&[u8]> = pairs.flat_map(|(name, value)| [name, value]).collect();
    if words.is_empty() {
        out.extend_from_slice(b"NIL");
    } else {
        list(out, words.into_iter());
    }
}

fn list<'a>(out: &mut Vec<u8>, words: impl Iterator<Item = &'a [u8]>) {
    out.push(b'(');
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        string(out, word);
    }
    out.push(b')');
}

fn number(out: &mut Vec<u8>, number: u64) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, " {number}");
}
