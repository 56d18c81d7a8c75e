use proptest::prelude::*;

use super::*;

fn texts(message: &[u8]) -> Vec<String> {
    let text = |piece: &SearchablePart<'_>| match piece {
        SearchablePart::Header(span) => {
            format!("header {}", header_lines(span.slice(message)).collect::<String>())
        }
        SearchablePart::Mime(span) => {
            format!("mime {}", header_lines(span.slice(message)).collect::<String>())
        }
        SearchablePart::Text(part) => {
            let mut text = String::new();
            let mut decoder = part.text_decoder();
            part.body.slice(message).chunks(3).for_each(|piece| decoder.push(piece, &mut text));
            decoder.finish(&mut text);
            text
        }
    };
    Outline::parse(message).searchable_parts().iter().map(text).collect()
}

#[test]
fn text_parts_and_nested_headers_are_searched_and_attachments_are_not() {
    let message = b"Subject: not this\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        Gr=FC=DFe=\r\n an alle\r\n\
        --b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+Y2Fmw6k8L2I+\r\n\
        --b\r\nContent-Type: application/pdf\r\n\r\nsecret\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?Q?caf=C3=A9?=\r\n\r\ninner\r\n\
        --b\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n\
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
            "inner",
            "mime Content-Type: message/delivery-status\n",
            "Action: failed",
        ]
    );
}

#[test]
fn a_header_reads_as_a_person_reads_it() {
    let header = b"Subject: =?utf-8?Q?caf=C3=A9?=\r\n and more\r\nFrom: J\xfcrgen <j@x>\r\n\r\n";
    assert_eq!(header_lines(header).collect::<String>(), "Subject: café and more\nFrom: Jürgen <j@x>\n");
}

#[test]
fn texts_that_look_alike_compare_alike() {
    for (one, other) in [
        ("GRÜSSE", "grüße"),
        ("GROẞ", "gross"),
        ("ΟΔΟΣ", "οδος"),
        ("Привет", "ПРИВЕТ"),
        ("ABC", "abc"),
        ("café", "CAFE\u{301}"),
        ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
        ("ガ", "ｶﾞ"),
        ("ABC 1", "ＡＢＣ\u{3000}１"),
        ("ﬁne", "fine"),
        ("a b", "A \t\r\n\u{a0} B"),
        ("Donaudampfschiff", "Donau\u{ad}dampf\u{200b}schiff"),
        ("İstanbul", "i\u{307}stanbul"),
    ] {
        assert_eq!(folded(one), folded(other), "{one} {other}");
    }
    for (one, other) in [("é", "e"), ("ı", "i"), ("ab", "a b")] {
        assert_ne!(folded(one), folded(other), "{one} {other}");
    }
}

#[test]
fn folding_makes_no_difference() {
    let header = b"Subject: a long\r\n\tsubject\r\nX: caf\xc3\xa9\r\n        au lait\r\n";
    let text = folded(&header_lines(header).collect::<String>());
    assert!(text.contains(&folded("long subject")), "{text}");
    assert!(text.contains(&folded("caf\u{e9} au LAIT")), "{text}");
}

#[test]
fn endless_accents_are_not_held() {
    let mut folder = TextFolder::default();
    let mut out = String::new();
    (0..100).for_each(|_| folder.push(&"\u{301}".repeat(1000), &mut out));
    assert!(out.len() > 190_000, "{}", out.len());
}

fn html(text: &str) -> String {
    let mut seen = String::new();
    let mut html = HtmlText::default();
    html.push(text, &mut seen);
    html.finish(&mut seen);
    folded(&seen)
}

#[test]
fn html_is_read_without_its_markup() {
    for (written, seen) in [
        ("<b>duck</b>bill", "duckbill"),
        ("<p>one</p><p class=\"a>b\">two<br/>three", " one two three"),
        ("caf&eacute; &#169;&#x1F600; &amp;amp; &nosuch; &lt", "café ©😀 &amp; &nosuch; <"),
        ("a<!-- no > -- no -->b", "ab"),
        ("x<style>p { color: red }</style>y<script>if (a < b) {}</script>z", "x y z"),
        ("1 < 2 <3 > &", "1 < 2 <3 > &"),
        ("<!DOCTYPE html><html>t", " t"),
        ("Sch\u{ad}iff &shy;a", "schiff a"),
    ] {
        assert_eq!(html(written), seen, "{written}");
    }
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        text in "[a-zß\u{301}\u{1161}\u{1100}가ｶﾞか\u{3099}é \t\n<>&;!-]{0,40}", size in 1usize..5,
    ) {
        let chars: Vec<char> = text.chars().collect();
        let pieces = || chars.chunks(size).map(|piece| piece.iter().collect::<String>());
        let (mut out, mut folder) = (String::new(), TextFolder::default());
        pieces().for_each(|piece| folder.push(&piece, &mut out));
        folder.finish(&mut out);
        prop_assert_eq!(out, folded(&text));
        let (mut out, mut seen) = (String::new(), HtmlText::default());
        pieces().for_each(|piece| seen.push(&piece, &mut out));
        seen.finish(&mut out);
        prop_assert_eq!(folded(&out), html(&text));
    }
}
