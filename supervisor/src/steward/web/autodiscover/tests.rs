use handover::config::WebListen;
use hyper::StatusCode;

use super::*;

fn answer(body: &[u8]) -> (StatusCode, String) {
    let domain = |name| Domain::parse(name).unwrap();
    let site = config::Web {
        hostname: domain("mail.example.org"),
        domains: vec![domain("example.org"), domain("example.net")],
        operator: Vec::new(),
        listen: WebListen::default(),
    };
    let answer = Page::new(&site).answer(body);
    (answer.code, String::from_utf8(answer.body).unwrap())
}

fn request(address: &str, schema: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Autodiscover \
         xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\"><Request>\
         <EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request>\
         </Autodiscover>"
    )
}

/// The text of all elements of that name in a document.
fn text_of(document: &str, name: &str) -> Vec<String> {
    let found = xml::elements(document.as_bytes()).unwrap_or_else(|error| panic!("{error}: {document}"));
    let named = found.into_iter().filter(|(path, _)| path.last().is_some_and(|last| last == name));
    named.map(|(_, text)| text).collect()
}

#[test]
fn an_address_in_our_domains_gets_its_servers_from_every_form_of_the_request() {
    let plain = request("ann@example.org", OUTLOOK);
    let prefixed = "<a:Autodiscover xmlns:a=\"urn:x\" xmlns:b=\"urn:y\"><b:Request><b:EMailAddress>\r\n ann@example.org \
                    </b:EMailAddress></b:Request></a:Autodiscover>";
    let utf_16: Vec<u8> =
        [0xfeff].into_iter().chain(plain.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for body in [plain.as_bytes(), prefixed.as_bytes(), &utf_16] {
        let (code, body) = answer(body);
        assert_eq!(code, StatusCode::OK);
        assert_eq!(text_of(&body, "LoginName"), ["ann@example.org", "ann@example.org"]);
        assert_eq!(text_of(&body, "Server"), ["mail.example.org", "mail.example.org"]);
        assert_eq!(text_of(&body, "Port"), ["993", "465"]);
        assert_eq!(text_of(&body, "SSL"), ["on", "on"]);
    }
}

#[test]
fn an_address_with_characters_of_xml_does_not_break_the_answer() {
    let (_, body) = answer(request("a&amp;b'&#x7b;@example.net", OUTLOOK).as_bytes());
    assert_eq!(text_of(&body, "LoginName"), ["a&b'{@example.net", "a&b'{@example.net"]);
    let (_, body) = answer(request("&lt;script&gt;@example.net", MOBILE_SYNC).as_bytes());
    assert_eq!(text_of(&body, "EMailAddress"), ["<script>@example.net"]);
}

#[test]
fn activesync_is_refused_in_its_own_schema() {
    for address in ["ann@example.org", "ann@example.com", "nonsense"] {
        let (code, body) = answer(request(address, MOBILE_SYNC).as_bytes());
        assert_eq!(code, StatusCode::OK);
        assert!(body.contains(&format!("<Response xmlns=\"{MOBILE_SYNC}\">")), "{body}");
        assert_eq!(text_of(&body, "Status"), ["2"]);
        assert_eq!(text_of(&body, "EMailAddress"), [address]);
        assert_eq!(text_of(&body, "Server"), [""; 0]);
    }
}

#[test]
fn an_unsupported_request_is_refused_with_the_protocols_own_error() {
    let other_schema = request("ann@example.org", "urn:other");
    let foreign = request("ann@example.com", OUTLOOK);
    let no_address = request("ann", OUTLOOK);
    let empty = request("", OUTLOOK);
    let document_type = format!("<!DOCTYPE x [<!ENTITY a \"b\">]>{}", request("&a;@example.org", OUTLOOK));
    for (body, status, code) in [
        (foreign.as_bytes(), StatusCode::OK, "500"),
        (no_address.as_bytes(), StatusCode::OK, "500"),
        (other_schema.as_bytes(), StatusCode::OK, "601"),
        (empty.as_bytes(), StatusCode::BAD_REQUEST, "600"),
        (b"", StatusCode::BAD_REQUEST, "600"),
        (b"<EMailAddress>ann@example.org</EMailAddress>", StatusCode::BAD_REQUEST, "600"),
        (b"<Autodiscover><Request><EMailAddress>ann@example.org", StatusCode::BAD_REQUEST, "600"),
        (b"\xff<Autodiscover/>", StatusCode::BAD_REQUEST, "600"),
        (document_type.as_bytes(), StatusCode::BAD_REQUEST, "600"),
    ] {
        let (found, answer) = answer(body);
        assert_eq!((found, text_of(&answer, "ErrorCode")), (status, vec![code.to_owned()]), "{body:?}");
    }
}
