use proptest::prelude::*;

use super::*;

fn shown(value: &str) -> Option<String> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let content_type = ContentType::parse(value.as_bytes())?;
    let mut shown = format!("{}/{}", text(&content_type.kind), text(&content_type.subtype));
    for parameter in &content_type.parameters.0 {
        shown.push_str(&format!(" [{}={}]", text(&parameter.name), text(&parameter.value)));
    }
    Some(shown)
}

#[test]
fn types_and_parameters_are_read_as_written() {
    for (value, expected) in [
        // RFC 2045 §5.1 and §5.2
        ("text/plain; charset=us-ascii (Plain text)", "text/plain [charset=us-ascii]"),
        ("text/plain; charset=\"us-ascii\"", "text/plain [charset=us-ascii]"),
        // RFC 2046 §5.1.1
        (
            "multipart/mixed; boundary=\"gc0pJq0M:08jU534c0p\"",
            "multipart/mixed [boundary=gc0pJq0M:08jU534c0p]",
        ),
        // RFC 2046 §5.2.2
        (
            "message/partial; number=2; total=3;\r\n  id=\"oc=jpbe0M2Yt4s@thumper.bellcore.com\"",
            "message/partial [number=2] [total=3] [id=oc=jpbe0M2Yt4s@thumper.bellcore.com]",
        ),
        // RFC 2231 §3 and §4: raw, as IMAP shows them
        (
            "message/external-body; access-type=URL;\r\n URL*0=\"ftp://\";\r\n URL*1=\"cs.utk.edu/x.tar\"",
            "message/external-body [access-type=URL] [URL*0=ftp://] [URL*1=cs.utk.edu/x.tar]",
        ),
        (
            "application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A",
            "application/x-stuff [title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A]",
        ),
        // forms that other programs write
        ("TEXT/HTML;CharSet=UTF-8;", "TEXT/HTML [CharSet=UTF-8]"),
        ("text / plain ; a = b", "text/plain [a=b]"),
        ("multipart/mixed; boundary==_a/b?c=", "multipart/mixed [boundary==_a/b?c=]"),
        (
            "application/pdf; name=report 2026.pdf; x=\"a\\\"b\\\\\"",
            "application/pdf [name=report 2026.pdf] [x=a\"b\\]",
        ),
        ("text/plain; ; charset; =x; \"quoted;a=b\"; c=d", "text/plain [c=d]"),
        ("text/plain charset=utf-8", "text/plain"),
        ("(comment) text/plain; a=\"unclosed", "text/plain [a=unclosed]"),
    ] {
        assert_eq!(shown(value).as_deref(), Some(expected), "{value}");
    }
    for nothing in ["", "text", "/plain", "text/", "; charset=x"] {
        assert_eq!(shown(nothing), None, "{nothing}");
    }
}

#[test]
fn the_pieces_of_rfc_2231_are_joined() {
    let decoded = |value: &str, name: &str| {
        let content_type = ContentType::parse(value.as_bytes()).unwrap();
        content_type.parameters.decoded(name).map(|Decoded { value, charset }| {
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            (text(&value), charset.map(text))
        })
    };
    // RFC 2231 §3, §4, §4.1
    let url = "message/external-body; access-type=URL; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/x.tar\"";
    assert_eq!(decoded(url, "url"), Some(("ftp://cs.utk.edu/x.tar".into(), None)));
    let title = "application/x-stuff; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A";
    assert_eq!(decoded(title, "title"), Some(("This is ***fun***".into(), Some("us-ascii".into()))));
    let mixed = "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20;\r\n \
                 title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"";
    assert_eq!(
        decoded(mixed, "title"),
        Some(("This is even more ***fun*** isn't it!".into(), Some("us-ascii".into())))
    );
    assert_eq!(decoded("text/plain; title=a", "title"), Some(("a".into(), None)));
    assert_eq!(decoded("text/plain; title*1=a", "title"), None);
    assert_eq!(decoded("text/plain", "title"), None);
}

#[test]
fn dispositions_languages_and_encodings_are_read() {
    let disposition = ContentDisposition::parse(
        b" attachment; filename=genome.jpeg;\r\n modification-date=\"Wed, 12 Feb 1997\"",
    );
    let disposition = disposition.unwrap();
    assert_eq!(disposition.kind, b"attachment");
    assert_eq!(disposition.parameters.named("FILENAME"), Some(&b"genome.jpeg"[..]));
    assert_eq!(ContentDisposition::parse(b" ; filename=x"), None);
    assert_eq!(language_tags(b" de, en-GB (British)"), [b"de".to_vec(), b"en-GB".to_vec()]);
    assert_eq!(transfer_encoding(b" (odd) Quoted-Printable "), Some(b"Quoted-Printable".to_vec()));
    assert_eq!(transfer_encoding(b" "), None);
    for (value, expected) in [
        ("8 bit", "8bit"),
        ("8-bit", "8bit"),
        ("8bits", "8bit"),
        ("8", "8bit"),
        ("7 BIT", "7bit"),
        ("\"base64\"", "base64"),
        ("base 64", "base64"),
        ("Base64;", "Base64"),
        ("quoted printable", "quoted-printable"),
        ("quoted_printable (by hand)", "quoted-printable"),
        ("x-uuencode", "x-uuencode"),
        ("utf-8", "utf-8"),
        ("odd words", "odd"),
    ] {
        assert_eq!(transfer_encoding(value.as_bytes()).as_deref(), Some(expected.as_bytes()), "{value}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_read(value in proptest::collection::vec(
        prop_oneof![proptest::sample::select(b"/;=\"\\()*'% \r\n\0a0".to_vec()), any::<u8>()], 0..200))
    {
        let with_type = [b"a/b".as_slice(), &value].concat();
        let content_type = ContentType::parse(&with_type);
        if let Some(content_type) = content_type {
            content_type.parameters.decoded("a");
        }
        ContentDisposition::parse(&value);
        language_tags(&value);
        transfer_encoding(&value);
    }
}
