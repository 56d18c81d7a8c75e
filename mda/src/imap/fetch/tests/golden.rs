//! Golden ENVELOPE, BODY and BODYSTRUCTURE: messages from the RFCs, and messages of real senders.

use message::Outline;

use crate::imap::fetch::structure::Detail;
use crate::imap::fetch::{envelope, structure};

fn envelope_of(message: &str) -> String {
    let mut out = Vec::new();
    envelope::write(&mut out, &Outline::parse(message.as_bytes()).envelope);
    String::from_utf8(out).unwrap()
}

fn structure_of(message: &str, detail: Detail) -> String {
    let mut out = Vec::new();
    structure::write(&mut out, &Outline::parse(message.as_bytes()).root, detail);
    String::from_utf8(out).unwrap()
}

/// RFC 3501 §8: the message of the sample session. Its body has 3028 octets in 92 lines.
fn minutes() -> String {
    let header = "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n\
        From: Terry Gray <gray@cac.washington.edu>\r\n\
        Subject: IMAP4rev1 WG mtg summary and minutes\r\n\
        To: imap@cac.washington.edu\r\n\
        cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n\
        Message-Id: <B27397-0100000@cac.washington.edu>\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n";
    assert_eq!(header.len(), 342, "as the RFC counts it");
    let body = format!("{}{}\r\n", "x\r\n".repeat(91), "y".repeat(3028 - 91 * 3 - 2));
    format!("{header}{body}")
}

#[test]
fn the_envelope_and_body_of_the_rfcs_sample_session() {
    assert_eq!(
        envelope_of(&minutes()),
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"IMAP4rev1 WG mtg summary and minutes\" \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) \
         ((NIL NIL \"imap\" \"cac.washington.edu\")) \
         ((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL \
         \"<B27397-0100000@cac.washington.edu>\")"
    );
    assert_eq!(
        structure_of(&minutes(), Detail::Basic),
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" 3028 92)"
    );
    assert_eq!(
        structure_of(&minutes(), Detail::Extended),
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" 3028 92 NIL NIL NIL NIL)"
    );
}

#[test]
fn an_empty_header_has_an_envelope_of_nil() {
    assert_eq!(envelope_of("\r\n"), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
}

#[test]
fn groups_routes_quotes_and_non_ascii_octets_are_encoded() {
    let message = "From: \"Joe \\\"Q\\\" Public\" <@a.example,@b.example:joe@c.example>\r\n\
        To: Team: ann@x.example, =?utf-8?Q?B=C3=B6b?= <bob@x.example>;\r\n\
        Cc: undisclosed-recipients:;, lonely\r\nSubject: Grüße\r\n\r\n";
    assert_eq!(
        envelope_of(message),
        "(NIL {7}\r\nGrüße \
         ((\"Joe \\\"Q\\\" Public\" \"@a.example,@b.example\" \"joe\" \"c.example\")) \
         ((\"Joe \\\"Q\\\" Public\" \"@a.example,@b.example\" \"joe\" \"c.example\")) \
         ((\"Joe \\\"Q\\\" Public\" \"@a.example,@b.example\" \"joe\" \"c.example\")) \
         ((NIL NIL \"Team\" NIL)(NIL NIL \"ann\" \"x.example\")\
         (\"=?utf-8?Q?B=C3=B6b?=\" NIL \"bob\" \"x.example\")(NIL NIL NIL NIL)) \
         ((NIL NIL \"undisclosed-recipients\" NIL)(NIL NIL NIL NIL)(NIL NIL \"lonely\" \"\")) NIL NIL NIL)"
    );
}

/// The example of RFC 3501 §7.4.2: a text and a diff as its attachment, with these counts.
#[test]
fn a_multipart_lists_its_parts_and_then_its_subtype() {
    let counted =
        |lines: usize, octets: usize| format!("{}{}", "\r\n".repeat(lines), "x".repeat(octets - lines * 2));
    let message = format!(
        "Content-Type: MULTIPART/MIXED; boundary=b\r\n\r\n\
         --b\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\nContent-Transfer-Encoding: 7BIT\r\n\r\n{}\r\n\
         --b\r\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=\"cc.diff\"\r\n\
         Content-ID: <960723163407.20117h@cac.washington.edu>\r\nContent-Description: Compiler diff\r\n\
         Content-Transfer-Encoding: BASE64\r\n\r\n{}\r\n--b--\r\n",
        counted(23, 1152),
        counted(73, 4554),
    );
    assert_eq!(
        structure_of(&message, Detail::Basic),
        "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1152 23)\
         (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") \
         \"<960723163407.20117h@cac.washington.edu>\" \"Compiler diff\" \"BASE64\" 4554 73) \"MIXED\")"
    );
}

#[test]
fn extension_data_have_md5_disposition_language_and_location() {
    let message = "Content-Type: multipart/related; boundary=b; type=\"text/html\"\r\nContent-Language: de, en\r\n\r\n\
        --b\r\nContent-Type: text/html\r\nContent-Language: de\r\nContent-Location: http://x.example/\r\n\r\nhi\r\n\
        --b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename*0*=utf-8''a%20; filename*1=b.png\r\n\
        Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n\r\nAAAA\r\n--b--\r\n";
    assert_eq!(
        structure_of(message, Detail::Extended),
        "((\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 2 0 NIL NIL \"de\" \"http://x.example/\")\
         (\"image\" \"png\" NIL NIL NIL \"base64\" 4 \"Q2hlY2sgSW50ZWdyaXR5IQ==\" \
         (\"attachment\" (\"filename*\" \"utf-8''a%20b.png\")) NIL NIL) \
         \"related\" (\"boundary\" \"b\" \"type\" \"text/html\") NIL (\"de\" \"en\") NIL)"
    );
    assert_eq!(
        structure_of(message, Detail::Basic),
        "((\"text\" \"html\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 2 0)\
         (\"image\" \"png\" NIL NIL NIL \"base64\" 4) \"related\")"
    );
}

#[test]
fn a_nested_message_has_its_envelope_structure_and_lines() {
    let message = "Content-Type: multipart/mixed; boundary=b\n\n\
        --b\nContent-Type: message/rfc822\n\n\
        Subject: inner\nContent-Type: multipart/alternative; boundary=c\n\n\
        --c\nContent-Type: text/plain\n\none\n--c\nContent-Type: message/rfc822\n\nSubject: deep\n\nx\n\n--c--\n\
        --b--\n";
    assert_eq!(
        structure_of(message, Detail::Basic),
        "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 169 (NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         ((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0)\
         (\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 20 (NIL \"deep\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 1) 3) \"alternative\") 14) \"mixed\")"
    );
}

#[test]
fn a_multipart_always_has_a_part() {
    assert_eq!(
        structure_of("Content-Type: multipart/mixed; boundary=b\r\n\r\nnothing\r\n", Detail::Basic),
        "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")"
    );
}
