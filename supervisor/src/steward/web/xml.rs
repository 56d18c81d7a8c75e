//! XML for the web's pages: reads documents of clients and escapes text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// Limit of nesting; no client's request is nested more deeply.
const MAX_DEPTH: usize = 16;

/// An error while reading a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum XmlError {
    #[error("the document is neither UTF-8 nor UTF-16")]
    Encoding,
    #[error("the document is malformed")]
    Malformed,
    #[error("the document is nested too deeply")]
    Depth,
    #[error("document types are not supported")]
    DocumentType,
    #[error("only the predefined entities are supported")]
    Entity,
}

/// The text of each element of a document, with the local names from the root to it. Prefixes are ignored, since
/// clients choose them freely.
pub(super) fn elements(document: &[u8]) -> Result<Vec<(Vec<String>, String)>, XmlError> {
    let text = decoded(document)?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<(String, String)> = Vec::new();
    let mut closed = Vec::new();
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Start(_) if open.len() == MAX_DEPTH => return Err(XmlError::Depth),
            // A document has one root (XML 1.0 §2.1).
            Event::Start(_) if open.is_empty() && !closed.is_empty() => return Err(XmlError::Malformed),
            Event::Start(start) => open.push((start.local_name().as_ref().to_owned(), String::new())),
            Event::End(_) => {
                let path = open.iter().map(|(name, _)| name.clone()).collect();
                let (_, text) = open.pop().ok_or(XmlError::Malformed)?;
                closed.push((path, text));
            }
            Event::Text(piece) => append(&mut open, &piece.xml10_content())?,
            Event::CData(piece) => append(&mut open, &piece.xml10_content())?,
            Event::GeneralRef(reference) => append(&mut open, &resolved(&reference)?)?,
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Eof if open.is_empty() && !closed.is_empty() => return Ok(closed),
            Event::Eof => return Err(XmlError::Malformed),
            Event::Empty(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

/// Appends text to the open element. Outside of the root only white space is allowed.
fn append(open: &mut [(String, String)], piece: &str) -> Result<(), XmlError> {
    match open.last_mut() {
        Some((_, text)) => text.push_str(piece),
        None if piece.trim().is_empty() => {}
        None => return Err(XmlError::Malformed),
    }
    Ok(())
}

/// Resolves `&amp;`, `&#38;`, `&#x26;`. All others need a document type.
fn resolved(reference: &BytesRef<'_>) -> Result<String, XmlError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.into()),
        Ok(None) => resolve_predefined_entity(reference).map(str::to_owned).ok_or(XmlError::Entity),
        Err(_) => Err(XmlError::Malformed),
    }
}

/// Decodes a document by its byte order mark, or else by the form of the first `<` (XML 1.0 appendix F). Other declared
/// encodings are read as UTF-8, with which they share ASCII.
fn decoded(document: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let (encoding, mark) = Encoding::for_bom(document).unwrap_or(match document {
        [b'<', 0, ..] => (UTF_16LE, 0),
        [0, b'<', ..] => (UTF_16BE, 0),
        _ => (UTF_8, 0),
    });
    let text = encoding.decode_without_bom_handling_and_without_replacement(&document[mark..]);
    text.ok_or(XmlError::Encoding)
}

/// Escapes a text for the content of an element of XML or HTML, or for a quoted attribute.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(document: &[u8], path: &[&str]) -> Result<String, XmlError> {
        let found = elements(document)?;
        Ok(found.into_iter().find(|(at, _)| at == path).map(|(_, text)| text).unwrap_or_default())
    }

    fn utf_16(text: &str, mark: bool, octets: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(octets).collect()
    }

    #[test]
    fn every_encoding_of_a_document_gives_the_same_elements() {
        let plain = "<?xml version=\"1.0\"?>\n<a><b>x&amp;y</b></a>\n";
        for document in [
            plain.as_bytes().to_vec(),
            format!("\u{feff}{plain}").into_bytes(),
            b"<n:a xmlns:n=\"urn:x\"><n:b>x&#38;y</n:b></n:a>".to_vec(),
            b"<a><!-- no --><c/><b q='1'><![CDATA[x&y]]></b ></a>".to_vec(),
            b"<?xml version='1.0' encoding='iso-8859-1'?><a><b>x&#x26;y</b></a>".to_vec(),
            utf_16(plain, true, u16::to_le_bytes),
            utf_16(plain, true, u16::to_be_bytes),
            utf_16(plain, false, u16::to_le_bytes),
            utf_16(plain, false, u16::to_be_bytes),
        ] {
            assert_eq!(text_of(&document, &["a", "b"]), Ok("x&y".to_owned()), "{document:?}");
        }
    }

    /// Pieces from which well-formed and malformed documents are made.
    const PIECES: [&str; 16] = [
        "<a>",
        "</a>",
        "<b:a>",
        "</b:a>",
        "<a/>",
        "<?xml version='1.0'?>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<!DOCTYPE a [",
        "]>",
        "&amp;",
        "&#x41;",
        "&x;",
        " text ",
    ];

    proptest::proptest! {
        #[test]
        fn every_input_is_parsed_or_refused_and_never_grows(
            pieces in proptest::collection::vec(0..PIECES.len(), 0..40),
            octets in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
        ) {
            let made: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
            for document in [made.as_bytes(), &octets, &[made.as_bytes(), &octets].concat()] {
                let Ok(found) = elements(document) else { continue };
                let length: usize = found.iter().map(|(_, text)| text.len()).sum();
                proptest::prop_assert!(length <= 3 * document.len());
                proptest::prop_assert!(found.iter().all(|(path, _)| (1..=MAX_DEPTH).contains(&path.len())));
            }
        }
    }

    #[test]
    fn malformed_and_expanding_documents_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(17), "</a>".repeat(17));
        for (document, error) in [
            (&b""[..], XmlError::Malformed),
            (b"hello", XmlError::Malformed),
            (b"<a>", XmlError::Malformed),
            (b"<a></b>", XmlError::Malformed),
            (b"<a/><a/>", XmlError::Malformed),
            (b"<a/>x", XmlError::Malformed),
            (b"</a>", XmlError::Malformed),
            (b"<a>&#0;</a>", XmlError::Malformed),
            (b"<a>&x;</a>", XmlError::Entity),
            (b"<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\">]><a>&x;</a>", XmlError::DocumentType),
            (b"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", XmlError::DocumentType),
            (b"<a>\xff</a>", XmlError::Encoding),
            (b"\xff\xfe<\0a\0>\0\0\xd8", XmlError::Encoding),
            (deep.as_bytes(), XmlError::Depth),
        ] {
            let shown = String::from_utf8_lossy(document);
            assert_eq!(elements(document).err(), Some(error), "{shown}");
        }
    }
}
