//! PEM as found in files (RFC 7468): certificates and a key, from texts that other programs joined, indented or began
//! with a byte order mark.

use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// An error that keeps a PEM text from being used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// It has no section of that kind.
    #[error("it has no {0} in PEM")]
    Empty(&'static str),
    /// A section is cut off or is not base64. The others are not used without it: a chain would lose its issuer
    /// silently.
    #[error("a {what} in it is damaged: {why}")]
    Damaged {
        /// The kind of section.
        what: &'static str,
        /// The fault in it.
        why: String,
    },
    /// The key is protected by a password, which a server that starts unattended does not have.
    #[error("the private key in it is encrypted")]
    Encrypted,
}

const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// No label of RFC 7468 is longer.
const MAX_LABEL: usize = 64;

/// Returns all certificates of a text, of which there is at least one, in its order.
pub fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let text = quirk_joined_lines(text);
    let mut found = Vec::new();
    for section in CertificateDer::pem_slice_iter(&text) {
        found.push(section.map_err(|error| damaged(CERTIFICATE, &error))?);
    }
    if found.is_empty() { Err(PemError::Empty(CERTIFICATE)) } else { Ok(found) }
}

/// Returns the first private key of a text.
pub fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, PemError> {
    let text = quirk_joined_lines(text);
    if is_encrypted(&text) {
        return Err(PemError::Encrypted);
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => PemError::Empty(KEY),
        error => damaged(KEY, &error),
    })
}

/// `ENCRYPTED PRIVATE KEY` is PKCS #8 (RFC 5958 §3); the field `Proc-Type` is of the older form (RFC 1421 §4.6.1.1).
fn is_encrypted(text: &[u8]) -> bool {
    let contains = |what: &[u8]| text.windows(what.len()).any(|window| window == what);
    contains(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || contains(b"Proc-Type: 4,ENCRYPTED")
}

/// The section's content is not repeated: it may be a key.
fn damaged(what: &'static str, error: &pem::Error) -> PemError {
    let why = match error {
        pem::Error::MissingSectionEnd { .. } => "it has no END line",
        pem::Error::IllegalSectionStart { .. } => "its BEGIN line is malformed",
        pem::Error::Base64Decode(_) => "it is not base64",
        _ => "it cannot be decoded",
    };
    PemError::Damaged { what, why: why.to_owned() }
}

/// Puts every BEGIN and END into a line of its own. `cat` joins files whose last line has no end, editors on Windows
/// put byte order marks in front, YAML indents.
fn quirk_joined_lines(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((octet, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(BYTE_ORDER_MARK) {
            rest = behind;
        } else if let Some((line, behind)) = boundary(rest) {
            end_line(&mut lines);
            lines.extend_from_slice(line);
            lines.push(b'\n');
            rest = behind;
        } else {
            let is_indentation =
                matches!(octet, b' ' | b'\t') && matches!(lines.last(), None | Some(b'\n' | b'\r'));
            if !is_indentation {
                lines.push(*octet);
            }
            rest = behind;
        }
    }
    lines
}

/// The BEGIN or END line with which a text starts, and the text after it.
fn boundary(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = [BEGIN, END].into_iter().find(|start| text.starts_with(start))?.len();
    let label =
        text[start..].iter().take(MAX_LABEL).take_while(|octet| !matches!(octet, b'-' | b'\r' | b'\n'));
    let end = start + label.count();
    text[end..].starts_with(DASHES).then(|| text.split_at(end + DASHES.len()))
}

fn end_line(lines: &mut Vec<u8>) {
    if !matches!(lines.last(), None | Some(b'\n' | b'\r')) {
        lines.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String, String) {
        let generated = rcgen::generate_simple_self_signed(vec!["mail.example.org".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(vec!["ca.example.org".to_owned()]).unwrap();
        (generated.cert.pem(), other.cert.pem(), generated.signing_key.serialize_pem())
    }

    #[test]
    fn certificates_are_read_however_the_lines_were_joined() {
        let (one, two, key) = pair();
        let both = certificates(format!("{one}{two}").as_bytes()).unwrap();
        assert_eq!(both.len(), 2);
        for text in [
            format!("{}{two}", one.trim_end()),
            format!("\u{feff}{one}\u{feff}{two}"),
            format!("{one}{two}").replace('\n', "\r\n"),
            format!("{one}{two}").replace("\r\n", "\n").replace('\n', "\r"),
            format!("subject=CN = x\n{one}\n# the issuer: {two}"),
            format!("{}{}{two}", key.trim_end(), one.trim_end()),
            format!("{one}{two}").replace('\n', "\n    "),
            format!("    {one} {two}\t"),
        ] {
            assert_eq!(certificates(text.as_bytes()).as_ref(), Ok(&both), "{text}");
        }
        assert_eq!(
            private_key(format!("{one}\u{feff}{key}").as_bytes()).unwrap(),
            private_key(key.as_bytes()).unwrap()
        );
    }

    #[test]
    fn a_damaged_section_is_never_skipped() {
        let (one, two, key) = pair();
        let cut = &two[..two.len() / 2];
        assert!(matches!(certificates(format!("{one}{cut}").as_bytes()), Err(PemError::Damaged { .. })));
        let garbled = format!("{one}-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
        assert!(matches!(certificates(garbled.as_bytes()), Err(PemError::Damaged { .. })));
        assert_eq!(certificates(key.as_bytes()), Err(PemError::Empty(CERTIFICATE)));
        assert_eq!(certificates(b""), Err(PemError::Empty(CERTIFICATE)));
        let error = private_key(&key.as_bytes()[..key.len() / 2]).unwrap_err();
        assert_eq!(error.to_string(), "a private key in it is damaged: it has no END line");
    }

    #[test]
    fn an_encrypted_key_is_reported_as_encrypted() {
        for text in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIB\n-----END EC PRIVATE KEY-----\n",
        ] {
            assert_eq!(private_key(text.as_bytes()), Err(PemError::Encrypted), "{text}");
        }
        assert_eq!(private_key(b"nothing"), Err(PemError::Empty(KEY)));
    }
}
