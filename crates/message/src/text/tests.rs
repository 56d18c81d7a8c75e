use super::*;

fn texts(message: &[u8]) -> Vec<String> {
    let text = |piece: &Piece<'_>| match piece {
        Piece::Header(span) => format!("header {}", header_text(span.of(message))),
        Piece::Mime(span) => format!("mime {}", header_text(span.of(message))),
        Piece::Text(part) => part.text(part.body.of(message)),
    };
    Outline::parse(message).pieces().iter().map(text).collect()
}

#[test]
fn text_parts_and_nested_headers_are_seen_and_attachments_are_not() {
    let message = b"Subject: not this\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        Gr=FC=DFe=\r\n an alle\r\n\
        --b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+Y2Fmw6k8L2I+\r\n\
        --b\r\nContent-Type: application/pdf\r\n\r\nsecret\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?Q?caf=C3=A9?=\r\n\r\ninner\r\n\
        --b--\r\n";
    assert_eq!(
        texts(message),
        [
            "mime Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n",
            "Grüße an alle",
            "mime Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n",
            "<b>café</b>",
            "mime Content-Type: application/pdf\n",
            "mime Content-Type: message/rfc822\n",
            "header Subject: café\n",
            "inner"
        ]
    );
}

#[test]
fn a_header_reads_as_a_person_reads_it() {
    let header = b"Subject: =?utf-8?Q?caf=C3=A9?=\r\n and more\r\nFrom: J\xfcrgen <j@x>\r\n\r\n";
    assert_eq!(header_text(header), "Subject: café and more\nFrom: Jürgen <j@x>\n");
}

#[test]
fn case_is_folded_beyond_ascii() {
    for (one, other) in [("GRÜSSE", "grüße"), ("ΟΔΟΣ", "οδος"), ("Привет", "ПРИВЕТ"), ("ABC", "abc")]
    {
        assert_eq!(fold_case(one), fold_case(other));
    }
    assert_ne!(fold_case("é"), fold_case("e"));
}

#[test]
fn a_field_that_was_folded_with_a_tab_is_found_with_a_space() {
    let header = b"Subject: a long\r\n\tsubject\r\nX: caf\xc3\xa9\r\n\tau lait\r\n";
    let text = fold_case(&header_text(header));
    assert!(text.contains(&fold_case("long subject")), "{text}");
    assert!(text.contains(&fold_case("caf\u{e9} au LAIT")), "{text}");
    assert_eq!(fold_case("One\ttwo"), "one two");
}
